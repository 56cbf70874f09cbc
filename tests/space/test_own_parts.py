"""Models with parts of the user's own: refused before training, or exported so that they load."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sweep.errors import InvalidSpaceError
from sweep.space.inputs import columns
from sweep.space.load import load_space
from sweep.space.saved import how_to_load

HEAD = """import keras
import keras_tuner
from keras import layers, ops

"""
COMPILE = """    model.compile(
        optimizer="adam",
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryCrossentropy(from_logits=True, name="binary_crossentropy")],
    )
    return model
"""
SUBCLASSED = (
    HEAD
    + """class Net(keras.Model):
    def __init__(self, width):
        super().__init__()
        self.hidden, self.out = layers.Dense(width, activation="relu"), layers.Dense(1)

    def call(self, x):
        return self.out(self.hidden(x))

def build(hp):
    model = Net(hp.Choice("width", [4, 8]))
"""
)
PARTS = (
    HEAD
    + """def both(x):
    return ops.concatenate([x, ops.abs(x)], axis=-1)

class Scale(layers.Layer):
    def build(self, shape):
        self.gain = self.add_weight(shape=(shape[-1],), initializer="ones", name="gain")

    def call(self, x):
        return x * self.gain

def build(hp):
    model = keras.Sequential([keras.Input((28,)), layers.Lambda(both, output_shape=(56,)),
        Scale(), layers.Dense(hp.Choice("width", [4, 8])), layers.Dense(1)])
"""
    + COMPILE
)
FUNCTIONAL = (
    HEAD
    + """class Net(keras.Model):
    def {method}(self, *args, **kwargs):
        return super().{method}(*args, **kwargs)

def build(hp):
    inputs = keras.Input((28,))
    model = Net(inputs, layers.Dense(1)(layers.Dense(hp.Choice("width", [4, 8]))(inputs)))
"""
    + COMPILE
)


@pytest.fixture(autouse=True)
def _keras(keras: Any) -> None:
    return


def load(folder: Path, text: str, name: str = "mine.py") -> Any:
    path = folder / name
    path.write_text(text)
    return load_space(str(path), columns(28))


@pytest.mark.parametrize("built", ["", "    model.build((None, 28))\n"])
@pytest.mark.filterwarnings("ignore:`build")
def test_a_subclassed_model_is_refused_with_advice_that_works(built, tmp_path):
    with pytest.raises(InvalidSpaceError, match="whose layers only its call knows") as caught:
        load(tmp_path, SUBCLASSED + built + COMPILE)
    advice = re.search(r"write: (.*\))", str(caught.value))
    assert advice is not None
    space = load(tmp_path, f"{SUBCLASSED}{built}    {advice[1]}\n{COMPILE}", "mended.py")
    assert space.hyperparameter_names == ["width"]


@pytest.mark.parametrize("method", ["train_step", "test_step", "fit", "compute_loss", "evaluate"])
def test_training_of_ones_own_is_refused_by_name_and_line(method, tmp_path):
    with pytest.raises(InvalidSpaceError, match=rf"Net\.{method} of .*line 6.*delete {method}"):
        load(tmp_path, FUNCTIONAL.format(method=method))


@pytest.mark.filterwarnings("ignore:The object being serialized")
def test_a_lambda_that_cannot_be_loaded_is_refused_and_a_def_is_not(tmp_path):
    text = PARTS.replace("Lambda(both,", "Lambda(lambda x: ops.concatenate([x, x], axis=-1),")
    with pytest.raises(InvalidSpaceError, match="as def at the top level") as caught:
        load(tmp_path, text)
    assert "\x1b" not in str(caught.value)
    load(tmp_path, PARTS, "mended.py")
    loss = "keras.losses.BinaryCrossentropy(from_logits=True)"
    own = PARTS.replace(loss, "lambda y, p: ops.mean((y - p) ** 2, axis=-1)")
    with pytest.raises(InvalidSpaceError, match=r"a loss as def at the top level.*NameError"):
        load(tmp_path, own, "own_loss.py")
    own = PARTS.replace(loss, "own").replace(
        "def both", "def own(y, p):\n    return ops.mean((y - p) ** 2, axis=-1)\n\ndef both"
    )
    load(tmp_path, own, "mended_loss.py")


def test_a_class_inside_build_is_refused(tmp_path):
    own = re.search(r"(?s)class Scale.*?(?=def build\(hp\))", PARTS)
    assert own is not None
    inside = "".join(f"    {line}\n" for line in own[0].splitlines())
    text = PARTS.replace(own[0], "").replace("def build(hp):\n", f"def build(hp):\n{inside}")
    with pytest.raises(InvalidSpaceError, match=r"Scale cannot be saved.*top level"):
        load(tmp_path, text)


def test_the_line_that_is_said_loads_the_model_elsewhere(tmp_path):
    """In a process that has neither this package nor the space."""
    space = load(tmp_path, PARTS, "own_parts.py")
    model = space.build(space.hyperparameters)
    file = tmp_path / "best.keras"
    model.save(file)
    line = how_to_load(file)
    assert line is not None
    check = "assert 'sweep' not in sys.modules; print(keras.models.load_model.__name__)"
    done = subprocess.run(
        [sys.executable, "-c", f"{line}; {check}"], cwd="/", env={}, capture_output=True, text=True
    )
    assert done.returncode == 0 and "load_model" in done.stdout, done.stderr[-2000:]


def test_parts_of_keras_alone_need_no_line(tmp_path):
    space = load_space("capacity", columns(28))
    file = tmp_path / "best.keras"
    space.build(space.hyperparameters).save(file)
    assert how_to_load(file) is None


def test_a_model_that_is_random_in_evaluation_mode_is_refused_and_one_that_is_not_works(tmp_path):
    noise = "x + keras.random.normal(ops.shape(x))"
    text = PARTS.replace("x * self.gain", noise)
    with pytest.raises(InvalidSpaceError, match=r"other outputs each time .* unless training"):
        load(tmp_path, text)
    mended = PARTS.replace("call(self, x)", "call(self, x, training=None)").replace(
        "return x * self.gain", f"return {noise} if training else x"
    )
    load(tmp_path, mended, "mended.py")
