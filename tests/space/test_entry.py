"""A file's search space is found under whatever name it stands; two are never mixed up."""

from pathlib import Path
from typing import Any

import pytest

from sweep.errors import InvalidSpaceError
from sweep.space.inputs import Input, Inputs, columns
from sweep.space.load import load_space

pytestmark = pytest.mark.usefixtures("few_builds")

TABLE = columns(4)
TOP = "import keras, keras_tuner\n"
BODY = """
    model = keras.Sequential([keras.layers.Dense(hp.Choice("{width}", [2, 3])),
                              keras.layers.Dense(1)])
    model.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryCrossentropy(from_logits=True, name="binary_crossentropy")])
    return model
"""


def function(name: str, arguments: str = "hp", width: str = "width") -> str:
    body = BODY.format(width=width)
    first = arguments.removeprefix("self, ").partition(",")[0]
    body = body.replace("hp.Choice", f"{first}.Choice")
    return f"def {name}({arguments}):{body}\n"


def hypermodel(name: str, init: str = "", base: str = "keras_tuner.HyperModel") -> str:
    build = function("build", "self, hp", width=name).replace("\n", "\n    ")
    made = f"    def __init__(self, {init}):\n        super().__init__()\n" if init else ""
    return f"class {name}({base}):\n{made}    {build}\n"


def plain(name: str, init: str = "") -> str:
    """A class that is no HyperModel, whose method takes the hyperparameters."""
    made = f"    def __init__(self, {init}): ...\n" if init else ""
    method = function("make", "self, hp", width=name).replace("\n", "\n    ")
    return f"class {name}:\n{made}    {method}\n    def of(self, rate): ...\n"


@pytest.fixture(autouse=True)
def _keras(keras: Any) -> None:
    return


@pytest.fixture
def load(tmp_path: Path) -> Any:
    def load(text: str, build: str | None = None, inputs: Inputs = TABLE) -> Any:
        path = tmp_path / "mine.py"
        path.write_text(TOP + text)
        return load_space(str(path), inputs, build=build, n_outputs=3)

    return load


@pytest.mark.parametrize(
    "text",
    [
        function("build"),
        function("build_model") + function("other", "x", "wrong"),
        function("model_builder") + hypermodel("Wrong"),
        function("make_my_net", "hp, depth=2") + function("other", "x, y", "wrong"),
        function("create", "hyper_params") + function("plot", "history", "wrong"),
        function("tuned", "whatever") + function("_hidden", "hp", "wrong"),
        function("build") + function("build_model", width="wrong"),
        function("anything", "hps") + "build_model = None\n",
        "build = lambda hp: other(hp)\n" + function("other"),
    ],
)
def test_the_function_of_the_hyperparameters_is_found(load, text):
    assert load(text).hyperparameter_names == ["width"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (hypermodel("Mine"), ()),
        (hypermodel("Mine") + "made = Mine()\n", ()),
        (hypermodel("Mine", "a, b") + "made = Mine(1, 2)\nbuild = made\n", ()),
        (hypermodel("Mine", "a") + "build = Mine(1).build\n", ()),
        (hypermodel("Base") + hypermodel("Mine", base="Base"), ()),
        (hypermodel("Mine", "input_shape"), ("Mine(input_shape=(4,)): taken from the data",)),
        (hypermodel("Mine", "num_classes"), ("Mine(num_classes=3): taken from the data",)),
        (
            hypermodel("Mine", "n_features, n_classes, depth=2"),
            ("Mine(n_features=4, n_classes=3): taken from the data",),
        ),
    ],
)
def test_a_hypermodel_is_found_and_made_with_what_the_data_say(load, text, said):
    space = load(text)
    assert space.hyperparameter_names == ["Mine"]
    assert space.said == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (plain("Own"), ()),
        (plain("Own", "depth") + "own = Own(3)\n", ()),
        (plain("Own", "depth") + "def main():\n    print(Own(depth=3))\n", ("Own(depth=3): made",)),
        (hypermodel("Own", "depth") + "if 0:\n    print(Own(3), Own(3))\n", ("Own(3): made",)),
        (plain("Own", "X, y"), ("Own(X=rows of shape (4), y=rows of shape (3)): taken",)),
        (plain("Own", "n_classes") + "print(Own(len('abc')))\n", ("Own(n_classes=3): taken",)),
    ],
)
def test_a_method_of_any_class_is_found_and_its_object_made_as_the_file_does(load, text, said):
    space = load(text)
    assert space.hyperparameter_names == ["Own"]
    assert len(space.said) == len(said)
    assert all(one.startswith(start) for one, start in zip(space.said, said, strict=True))


def test_an_input_shape_may_have_several_sizes(load):
    text = hypermodel("Mine", "input_shape").replace(
        "Sequential([", "Sequential([keras.layers.Flatten(), "
    )
    space = load(text, inputs=Inputs((Input((2, 3)),)))
    assert space.said == ("Mine(input_shape=(2, 3)): taken from the data",)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (function("build_model") + function("model_builder"), "build_model, model_builder"),
        (function("one") + function("two"), "one, two"),
        (function("one") + hypermodel("Two"), "one, Two"),
        (hypermodel("One") + hypermodel("Two"), "One, Two"),
        (function("one", "x") + function("two", "y"), "one, two"),
    ],
)
def test_two_candidates_are_named_with_the_option_and_one_can_be_chosen(load, text, names):
    with pytest.raises(InvalidSpaceError, match=f"2 search spaces: {names}; .*--build ") as caught:
        load(text)
    assert "\n" not in str(caught.value)
    for name in names.split(", "):
        load(text, build=name)


@pytest.mark.parametrize(
    ("text", "build", "message"),
    [
        ("def f(a, b): ...", None, r"defines no build\(hp\).*found: f"),
        ("def objective(trial): ...", None, r"objective\(trial\), which is Optuna's"),
        (function("build"), "biuld", "defines no biuld, which --build asks for; found: build"),
        ("width = 3\n" + function("build"), "width", "width .*--build asks for, is int"),
        (hypermodel("Mine", "depth"), None, "made with depth, .*write .*hypermodel = Mine"),
        ("build = 3", None, "build of .* is int, and no function"),
        (
            "def f(hp, depth): ...",
            None,
            r"takes depth beside hp, and what depth .*def f\(hp, depth=",
        ),
        (
            plain("Own", "depth"),
            None,
            "class Own .* made with depth, .*what depth is cannot be told",
        ),
        (plain("Own") + "    tune = make\n", None, "--build Own.make or --build Own.tune"),
        (plain("Own"), "Own.other", "Own of .* has no method other, which --build asks for"),
        (
            function("build_model")
            + hypermodel("Other")
            + "    def fit(self, hp, model, *a, **k):\n        return model.fit(*a, **k)\n",
            None,
            "build_model and Other, whose fit .* would be passed over; .*--build Other",
        ),
        (
            function("build_model")
            + "class Own(keras_tuner.RandomSearch):\n    def run_trial(self, t, *a, **k): ...\n",
            None,
            r"Own.run_trial of .* \(line \d+\) cannot be heard: .* super.*--build",
        ),
    ],
)
def test_what_is_no_search_space_is_refused_with_what_to_do(load, text, build, message):
    with pytest.raises(InvalidSpaceError, match=message):
        load(text, build)


def test_arguments_beside_the_hyperparameters_are_taken_from_the_data(load):
    text = function("make", "hp, num_classes, input_shape, depth=1")
    text = text.replace("(hp, num_classes", "(num_classes, hp")
    check = "    assert (num_classes, input_shape) == (3, (4,))\n    model ="
    space = load(text.replace("    model =", check))
    assert space.hyperparameter_names == ["width"]
    assert space.said == ("make(num_classes=3, input_shape=(4,)): taken from the data",)


def test_what_another_function_asks_for_is_not_looked_for(load):
    text = function("make", width="first") + function("other", width="second")
    space = load(text + function("make"), "make")
    assert (space.hyperparameter_names, space.warnings) == (["width"], ())
    assert space.discovery.n_builds < 15


def test_what_is_imported_counts_only_if_the_file_has_nothing_of_its_own(load, tmp_path):
    (tmp_path / "shared.py").write_text(TOP + function("model_builder", width="shared"))
    assert load("from shared import model_builder\n").hyperparameter_names == ["shared"]
    own = "from shared import model_builder\n" + function("mine")
    assert load(own).hyperparameter_names == ["width"]
