"""A hyperparameter that changes nothing is named; one that changes anything at all is not."""

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from sweep.space.inputs import columns
from sweep.space.load import load_space
from sweep.space.same_model import whole

SPACE = """
import keras, keras_tuner

{top}
def make(hp):
    {ask}
    width = hp.Choice("width", [2, 3])
    last = keras.layers.Dense(1, activation="sigmoid"{more})
    model = keras.Sequential([keras.layers.Dense(width), last])
    {after}
    model.compile(optimizer={optimizer}, loss={loss}, metrics=["binary_crossentropy"])
    return model
"""


@pytest.fixture(autouse=True)
def _keras(keras: Any) -> None:
    return


@pytest.fixture
def warnings(tmp_path: Path) -> Any:
    def warnings(**parts: str) -> tuple[str, ...]:
        given = {"top": "", "more": "", "after": "", "optimizer": "'sgd'", "ask": ""}
        path = tmp_path / "mine.py"
        path.write_text(SPACE.format(**(given | {"loss": "'binary_crossentropy'"} | parts)))
        return load_space(str(path), columns(4)).warnings

    return warnings


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        ("hp.Choice('batch_size', [16, 64])", "'batch_size' .* 16 and with 64 .*--batch-size"),
        ("hp.Int('epochs', 5, 50)", "'epochs' .* 5 and with 50 .*--max-epochs"),
        ("hp.Float('x', 0.0, 1.0)", "'x' of mine.py changes nothing"),
        ("unused = hp.Boolean('switch')", "'switch' of mine.py changes nothing"),
    ],
)
def test_what_changes_nothing_is_named_with_what_to_do(warnings, ask, said):
    found = warnings(ask=ask)
    assert len(found) == 1
    assert re.search(said, found[0])


def test_what_is_asked_for_in_a_scope_that_never_holds_is_named_with_its_line(warnings):
    asked = "hp.Float('x', 0.0, 1.0, parent_name='width', parent_values=[{}])"
    (found,) = warnings(after=asked.format(4))
    assert re.search(r"mine.py line \d+ asks for 'x' only if 'width' is 4, which is so in", found)
    assert warnings(after=f"model.layers[0].trainable = bool({asked.format(3)})") == ()


@pytest.mark.parametrize(
    "parts",
    [
        {"ask": "hp.Fixed('batch_size', 32)"},
        {"optimizer": "keras.optimizers.SGD(hp.Float('lr', 0.1, 0.2))"},
        {"loss": "keras.losses.BinaryCrossentropy(label_smoothing=hp.Float('x', 0.0, 0.1))"},
        {"after": "hp.Boolean('b') and hp.Choice('c', [1, 2]) == 3"},
        {"more": ", bias_initializer=keras.initializers.Constant(hp.Float('x', 0.0, 0.1))"},
        {"after": "model.build((None, 4)); last.bias.assign([hp.Float('bias', 0.0, 1.0)])"},
        {"after": "model.layers[0].trainable = hp.Boolean('train')"},
        {"after": "a = hp.Choice('a', ['relu', 'tanh'])\n    for _ in range(hp.Int('n', 0, 2)): "
                  "model.add(keras.layers.Dense(1, activation=a))\n    "
            "model.add(keras.layers.Dense(1, 'sigmoid'))"},
        {"after": "hp.Boolean('free') and hp.Int('u', 2, 8) or hp.Fixed('u', 2)\n    "
                  "model.add(keras.layers.Dense(hp.get('u')))\n    "
            "model.add(keras.layers.Dense(1, 'sigmoid'))"},
        {"after": "hp.Choice('a', 'xyz') == 'y' and model.add(keras.layers.Dropout(0.1))"},
    ],
)  # fmt: skip
def test_nothing_is_said_of_what_changes_something(warnings, parts):
    named = [line.split("'")[1] for line in warnings(**parts)]
    assert named in ([], ["c"])


def test_a_model_with_a_function_of_the_users_own_is_not_compared(keras):
    def own(x):
        return x

    for activation, compared in ((own, False), ("tanh", True)):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation)])
        model.compile("sgd", "mse")
        assert (whole(model, {}) is not None) == compared


def test_what_only_fit_uses_changes_something(tmp_path):
    text = """
    class Mine(keras_tuner.HyperModel):
        build = staticmethod(make)
        def fit(self, hp, model, *args, **kwargs):
            return model.fit(*args, batch_size=hp.Choice("batch_size", [16, 32]), **kwargs)
    """
    path = tmp_path / "mine.py"
    rest = {"top": "", "more": "", "after": "", "optimizer": "'sgd'", "ask": ""}
    made = SPACE.format(**rest, loss="'binary_crossentropy'")
    path.write_text(made + textwrap.dedent(text))
    space = load_space(str(path), columns(4), build="Mine")
    assert space.hyperparameter_names == ["width", "batch_size"]
    assert space.warnings == ()
