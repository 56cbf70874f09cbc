"""Search spaces are found by path or stem, and refused in one line that shows the user's frame."""

import compileall
import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from sweep.errors import InvalidSpaceError
from sweep.space.find import find_space, shipped_spaces
from sweep.space.inputs import columns
from sweep.space.load import load_space
from tests.support.spaces import MODEL

CATEGORICAL = MODEL.replace("Dense(1)", "Dense(2)").replace(
    "BinaryCrossentropy", "SparseCategoricalCrossentropy"
)


@pytest.fixture(autouse=True)
def _keras(keras: Any) -> None:
    return


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(text: str, name: str = "mine.py") -> str:
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return str(path)

    return write


@pytest.mark.parametrize(
    "name", ["capacity", "capacity.py", "spaces/capacity.py", "search_spaces/capacity.py"]
)
def test_shipped_spaces_are_found_by_stem_from_any_folder(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_space(name) == shipped_spaces()["capacity"]


def test_a_file_of_ones_own_wins_over_a_shipped_one(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write(MODEL, "capacity.py")
    assert find_space("capacity.py") == Path(path)


def test_a_missing_space_names_the_nearest(write, tmp_path):
    with pytest.raises(InvalidSpaceError, match=r"capacty.py does not exist; did you mean capac"):
        find_space("capacty.py")
    path = write(MODEL, "my_space.py")
    with pytest.raises(InvalidSpaceError, match=r"my_space\.py"):
        find_space(path.replace("my_space", "my_spac"))
    with pytest.raises(InvalidSpaceError, match="is a folder"):
        find_space(str(tmp_path))
    with pytest.raises(InvalidSpaceError, match="shipped: capacity, regularization"):
        find_space("zzz")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import keras\nx = 1 +", r"does not import: line 2: SyntaxError: .* \(x = 1 \+\)"),
        ("width = 8\nx = widht", r"line 2: NameError: .*widht.*\(in: x = widht\)"),
        ("import no_such_module", "line 1: ModuleNotFoundError"),
        ("raise SystemExit(3)", "line 1: SystemExit: 3"),
        ("def make_model(a, b): ...", r"defines no build\(hp\).*; found: make_model"),
        ("def build(hp):\n    return hp.Itn('a')", r"fails: line 2: .*\(in: return hp.Itn"),
        ("def build(hp):\n    return 3", "returned int, expected a compiled keras.Model"),
        (
            "import keras\ndef build(hp):\n    return keras.Sequential([keras.Input((28,))])",
            "not compiled",
        ),
        (MODEL.replace("Input((28,))", "Input((10,))"), r"inputs of shape \(None, 10\)"),
        (MODEL.replace("Dense(1)])", "Dense(3)])"), r"outputs of shape \(None, 3\)"),
        (MODEL.replace("Dense(1)])", "Dense(2)])"), "loss BinaryCrossentropy; .*SparseCategorical"),
        (
            CATEGORICAL.replace("metrics.SparseCategorical", "metrics.Binary"),
            "metric.*is a BinaryCrossentropy; write .*SparseCategoricalCrossentropy",
        ),
        (
            CATEGORICAL.replace("losses.Sparse", "losses."),
            r"is a SparseCategoricalCrossentropy; write keras.metrics.CategoricalCrossentropy\(",
        ),
        (CATEGORICAL.replace("Dense(2)])", "Dense(1)])"), "loss SparseCategorical.*BinaryCross"),
        (
            MODEL.replace("BinaryCrossentropy(from_logits=True),", "MeanAbsoluteError(),"),
            "loss MeanAbs",
        ),
        (MODEL + "BASELINES = {'A': {'widht': 3}}", "baseline 'A'.*sets widht.*asks for: width"),
        (
            MODEL.replace("    return", "    assert hp.get('width') != 4\n    return")
            + "BASELINES = {'A': {'width': 4}}",
            "baseline 'A': .* fails with .'width': 4.",
        ),
        (MODEL + "BASELINES = [1]", "must be a dict of dicts"),
        (MODEL.replace("metrics=[", "metrics=['AUC', 'nonsense', "), "a metric 'nonsense', which"),
    ],
)
def test_a_space_that_cannot_run_is_refused_in_one_line(write, text, message):
    with pytest.raises(InvalidSpaceError, match=message) as caught:
        load_space(write(text), columns(28))
    assert "\n" not in str(caught.value)


def test_conditional_hyperparameters_are_found(write):
    text = MODEL.replace(
        "def build(hp):",
        """def build(hp):
    if hp.Choice("kind", ["plain", "dropped"]) == "dropped":
        with hp.conditional_scope("kind", ["dropped"]):
            hp.Float("rate", 0.1, 0.5)""",
    )
    space = load_space(write(text), columns(28))
    assert set(space.hyperparameter_names) == {"kind", "rate", "width"}


ONE_HOT = CATEGORICAL.replace("Sparse", "")
UNNAMED = MODEL.replace('name="binary_crossentropy"', 'name="bce"')


@pytest.mark.parametrize("text", [CATEGORICAL, ONE_HOT, UNNAMED])
def test_a_space_may_have_an_output_for_each_class_and_any_metrics(text, write):
    assert load_space(write(text), columns(28)).hyperparameter_names == ["width"]


@pytest.mark.parametrize("loss", ["MeanSquaredError()", "mse", "mean_squared_error"])
def test_a_space_may_minimise_the_squared_error_of_a_probability(loss, write):
    given = "keras.losses.MeanSquaredError()" if "(" in loss else repr(loss)
    text = MODEL.replace("keras.losses.BinaryCrossentropy(from_logits=True)", given, 1)
    with pytest.raises(InvalidSpaceError, match="the target is one of two classes"):
        load_space(write(text), columns(28))
    text = text.replace("Dense(1)", 'Dense(1, "sigmoid")').replace("=True", "=False")
    assert load_space(write(text), columns(28)).hyperparameter_names == ["width"]


def test_the_description_says_how_each_hyperparameter_is_declared(write):
    asked = """
    hp.Choice("size", [16, 64])
    hp.Int("layers", 1, 9, step=2)
    hp.Float("rate", 1e-4, 1.0, sampling="log")
    hp.Boolean("skip")
    hp.Fixed("fixed", 3)
"""
    text = MODEL.replace("def build(hp):\n", f"def build(hp):{asked}")
    record = load_space(write(text), columns(28)).describe().to_json()
    found = json.loads(json.dumps(record))
    linear = {"step": None, "sampling": "linear"}
    assert {one.pop("name"): one for one in found["definitions"]} == {
        "size": {"kind": "Choice", "values": [16, 64]},
        "layers": {"kind": "Int", "min_value": 1, "max_value": 9, **linear, "step": 2},
        "rate": {"kind": "Float", "min_value": 1e-4, "max_value": 1.0, **linear, "sampling": "log"},
        "skip": {"kind": "Boolean", "values": [True, False]},
        "fixed": {"kind": "Fixed", "values": [3]},
        "width": {"kind": "Int", "min_value": 1, "max_value": 4, **linear, "step": 1},
    }


def test_a_space_may_import_its_neighbour_and_its_fingerprint_covers_it(write):
    write("WIDTH = 3", "widths.py")
    path = write(MODEL.replace("import keras", "import keras\nfrom widths import WIDTH"))
    before = load_space(path, columns(28)).sha256
    write("WIDTH = 4", "widths.py")
    assert load_space(path, columns(28)).sha256 != before


def test_baselines_are_completed_and_hold_the_tutorials_seven_models():
    space = load_space("capacity", columns(28))
    assert list(space.baselines) == [
        "Tiny",
        "Small",
        "Medium",
        "Large",
        "L2",
        "Dropout",
        "Combined",
    ]
    from sweep.training.model import build_model, count_params

    params = [count_params(build_model(space.build, v, 1)) for v in space.baselines.values()]
    assert params == [481, 753, 10_241, 803_329, 803_329, 803_329, 803_329]
    ranges = {hp.name: hp.values for hp in space.hyperparameters.space}
    for values in space.baselines.values():
        assert all(value in ranges[name] for name, value in values.items())


def test_the_tutorials_regularised_models_have_its_settings():
    space = load_space("capacity", columns(28))
    from sweep.training.model import build_model

    model = build_model(space.build, space.baselines["Combined"], 1)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["Dense", "Dropout"] * 4 + ["Dense"]
    assert {layer.rate for layer in model.layers if hasattr(layer, "rate")} == {0.5}
    assert float(model.layers[0].kernel_regularizer.l2) == pytest.approx(0.0001)
    schedule = model.optimizer._learning_rate
    assert (schedule.initial_learning_rate, schedule.decay_steps) == (0.001, 20_000)
    assert model.layers[0].activation.__name__ == "elu"


@pytest.mark.usefixtures("few_builds")
def test_a_shipped_space_runs_under_stock_keras_tuner(tmp_path):
    import keras_tuner
    import numpy as np

    tuner = keras_tuner.Hyperband(
        load_space("regularization", columns(28)).build,
        objective=keras_tuner.Objective("val_binary_crossentropy", "min"),
        max_epochs=1,
        directory=tmp_path,
    )
    x = np.random.default_rng(0).normal(size=(20, 28)).astype(np.float32)
    y = (x[:, :1] > 0).astype(np.float32)
    tuner.search(x, y, validation_data=(x, y), verbose=0)
    assert len(tuner.get_best_hyperparameters()) == 1


def test_the_largest_model_is_among_the_corners_and_each_is_what_a_trial_may_have(write):
    loop = """def build(hp):
    for i in range(hp.Int("layers", 1, 3)):
        hp.Choice(f"units_{i}", [8, 64])"""
    space = load_space(write(MODEL.replace("def build(hp):", loop)), columns(28))
    corners = space.corners()
    assert {"layers": 3, "units_0": 64, "units_1": 64, "units_2": 64, "width": 4} in corners
    assert {"layers": 1, "units_0": 8, "width": 1} in corners
    for values in corners:
        units = {name for name in values if name.startswith("units")}
        assert units == {f"units_{i}" for i in range(values["layers"])}
    assert len({repr(values) for values in corners}) == len(corners)


def test_a_baseline_has_the_active_values_only(write):
    asks = "if hp.Boolean('b'): hp.Int('c', 1, 3)"
    text = MODEL.replace("def build(hp):", f"def build(hp):\n    {asks}")
    text += "BASELINES = {'A': {'b': False, 'c': 2}, 'B': {'b': True}}"
    assert load_space(write(text), columns(28)).baselines == {
        "A": {"b": False, "width": 1}, "B": {"b": True, "c": 1, "width": 1}
    }  # fmt: skip


@pytest.mark.usefixtures("few_builds")
def test_a_fingerprint_does_not_depend_on_what_was_imported_or_compiled_before(
    write, tmp_path, monkeypatch
):
    by_name = load_space("regularization", columns(28))
    for name in [name for name in sys.modules if name.partition(".")[0] == "search_spaces"]:
        monkeypatch.delitem(sys.modules, name)
    assert load_space(str(by_name.path), columns(28)).sha256 == by_name.sha256

    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("")
    (tmp_path / "pack" / "widths.py").write_text("WIDTH = 3")
    path = write(MODEL.replace("import keras", "import keras\nfrom pack.widths import WIDTH"))
    first = load_space(path, columns(28))
    assert compileall.compile_dir(tmp_path, quiet=1)
    again = load_space(path, columns(28))
    assert (again.sha256, again.sources) == (first.sha256, first.sources)
