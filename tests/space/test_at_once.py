"""Layers that are added one by one and put together at the end give the same model."""

from typing import Any

import numpy as np
import pytest

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
