"""Private names of Keras Tuner are used in one file, where a test looks after them."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "sweep"
OWNER = PACKAGE / "searches" / "keras_tuner_oracle.py"


def private_names() -> set[str]:
    """The attributes of Keras Tuner's oracle and hyperparameters that begin with one underscore."""
    import keras_tuner

    space = keras_tuner.HyperParameters()
    space.Choice("width", [8, 16])
    objective = keras_tuner.Objective("loss", "min")
    oracle = keras_tuner.oracles.HyperbandOracle(objective, hyperparameters=space)
    attributes = {name for one in (space, space.space[0], oracle) for name in dir(one)}
    return {name for name in attributes if name.startswith("_") and not name.startswith("__")}


def used(path: Path) -> set[str]:
    """The attributes that a file asks of anything but `self` and `cls`."""
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
    }


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_other_file_uses_private_names_of_keras_tuner(keras):
    private = private_names()
    assert {"_get_size", "_get_epochs", "_random_values", "_compute_values_hash"} <= private
    assert used(OWNER) & private, "this test would notice"
    for path in sorted(PACKAGE.rglob("*.py")):
        if path != OWNER:
            assert not used(path) & private, path
