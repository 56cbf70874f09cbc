"""Layers that are added one by one and put together at the end give the same model."""

from typing import Any

import numpy as np
import pytest

from sweep.errors import InvalidSpaceError
from sweep.space.asked import Asked
from sweep.space.at_once import layers_at_once
from sweep.space.explore import Explorer
from sweep.space.inputs import columns
from sweep.space.load import load_space


@pytest.fixture(autouse=True)
def _keras(keras: Any) -> None:
    return


def added(keras: Any) -> Any:
    model = keras.Sequential([keras.Input((4,))])
    for width in (3, 2):
        model.add(keras.layers.Dense(width))
        model.add(keras.layers.BatchNormalization())
        model.add(keras.layers.Dropout(0.5))
    model.add(keras.layers.Dense(1))
    model.compile("adam", "mse")
    return model


def test_the_model_is_the_same_to_the_last_bit(keras):
    keras.utils.set_random_seed(3)
    plain = added(keras)
    keras.utils.set_random_seed(3)
    with layers_at_once():
        model = added(keras)
    assert model.built and model.compiled
    pairs = zip(plain.weights, model.weights, strict=True)
    assert all(np.array_equal(mine.numpy(), yours.numpy()) for mine, yours in pairs)
    assert plain.input_shape == model.input_shape == (None, 4)
    assert added(keras).built  # as before


@pytest.mark.parametrize("lines", ["model.summary()", "assert model.output_shape == (None, 3)"])
def test_a_build_that_looks_at_its_model_in_between_is_called_again(lines, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(f"""
import keras
def build(hp):
    model = keras.Sequential([keras.Input((4,))])
    with hp.name_scope("net"):
        model.add(keras.layers.Dense(3))
        wide = hp.Boolean("wide")
        {lines}
        model.add(keras.layers.Dense(hp.Int("width", 2, 3) if wide else 1))
    model.add(keras.layers.Dense(1, "sigmoid"))
    model.compile("adam", "binary_crossentropy")
    return model
""")
    space = load_space(str(path), columns(4))
    assert space.hyperparameter_names == ["net/wide", "net/width"]
    hp = Asked({"net/wide": True})
    space.explorer.build(hp)
    assert list(hp.active) == ["net/wide", "net/width"] == [ask.declaration.name for ask in hp.asks]
    assert isinstance(space.explorer, Explorer)


WITH_VALUES = """
import keras
class Counting(keras.layers.Layer):
    def build(self, shape):
        self.n = self.add_weight(shape=(), initializer="zeros", trainable=False)
    def call(self, x):
        self.n.assign_add(1.0)
        return x
def build(hp):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.Int("width", 2, 3))])
    {lines}
    model.add(keras.layers.Dense(1, "sigmoid"))
    model.compile("adam", "binary_crossentropy")
    return model
"""


@pytest.mark.parametrize(
    "lines",
    [
        "model.layers[0].set_weights([w * 0 + 1 for w in model.layers[0].get_weights()])",
        "n = keras.layers.Normalization(); n.adapt(keras.ops.ones((3, 4))); n.mean.numpy()",
        "model.add(Counting())",
    ],
)
def test_a_model_that_needs_true_variables_is_built_with_them(lines, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(WITH_VALUES.format(lines=lines))
    space = load_space(str(path), columns(4))
    assert space.hyperparameter_names == ["width"]
    assert not space.warnings


def test_what_only_looks_at_a_model_finds_its_first_weights(keras, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(WITH_VALUES.format(lines=""))
    space = load_space(str(path), columns(4))
    found = []
    for build in (space.explorer.build, space.build):
        keras.utils.set_random_seed(5)
        weights = build(Asked({"width": 3})).weights
        found.append([keras.ops.convert_to_numpy(one.value) for one in weights])
    assert len(found[0]) == 4
    assert all(np.array_equal(*pair) for pair in zip(*found, strict=True))


@pytest.mark.parametrize("trains", [True, False])
def test_a_layer_that_is_kept_from_model_to_model_may_learn_nothing(trains, tmp_path):
    path = tmp_path / "mine.py"
    kept = f"import keras\nKEPT = keras.layers.Dense(4, trainable={trains})\n"
    path.write_text(
        kept + WITH_VALUES.format(lines="model = keras.Sequential([keras.Input((4,)), KEPT])")
    )
    if trains:
        with pytest.raises(InvalidSpaceError, match=r"two models the same weights '.*/kernel'"):
            load_space(str(path), columns(4))
    else:
        space = load_space(str(path), columns(4))
        model = space.build(Asked({"width": 3}))
        model.set_weights(model.get_weights())  # as whoever trains it does
