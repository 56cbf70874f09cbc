"""Models get the data's shape where they were given none, and are refused where shapes differ."""

from typing import Any

import numpy as np
import pytest

from sweep.errors import InvalidSpaceError
from sweep.space.inputs import Input, Inputs, check_inputs, columns, inputs_of, shaped


@pytest.fixture(autouse=True)
def _keras(keras: Any) -> None:
    return


def test_one_array_has_no_name_and_named_arrays_keep_their_order_and_types():
    assert inputs_of(np.zeros((5, 3), np.float32)) == columns(3)
    named = inputs_of({"text": np.zeros((5, 9), np.int32), "age": np.zeros((5, 1), np.float32)})
    assert named == Inputs((Input((9,), "int32", "text"), Input((1,), "float32", "age")))
    assert named.only is None
    assert {name: one.dtype for name, one in named.example(2).items()} == {
        "text": np.dtype("int32"), "age": np.dtype("float32")
    }  # fmt: skip


@pytest.mark.parametrize("shape", [(6,), (8, 8), (4, 4, 3)])
def test_a_model_without_a_shape_is_built_on_the_datas(shape, keras):
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    inputs = Inputs((Input(shape),))
    shaped(model, inputs)
    assert model.count_params() == (np.prod(shape) + 1) * 2
    assert model.input_shape == (None, *shape)
    check_inputs(model, inputs)


@pytest.mark.parametrize("own", [(7,), (None, 7), (2, 7)])
def test_a_model_of_another_shape_is_refused_with_what_to_write(own, keras):
    model = keras.Sequential([keras.Input(own), keras.layers.Dense(1)])
    if own == (None, 7):
        check_inputs(model, Inputs((Input((3, 7)),)))
    with pytest.raises(InvalidSpaceError, match=r"write keras\.Input\(\(5,\)\)"):
        check_inputs(shaped(model, columns(5)), columns(5))


def test_inputs_are_matched_by_name_and_refused_by_name(keras):
    left, right = keras.Input((2,), name="left"), keras.Input((3,), name="right")
    both = keras.layers.concatenate([left, right])
    model = keras.Model([left, right], keras.layers.Dense(1)(both))
    x = {"right": np.ones((4, 3), np.float32), "left": np.zeros((4, 2), np.float32)}
    check_inputs(model, inputs_of(x))  # in whatever order
    assert model(x).shape == (4, 1)
    with pytest.raises(InvalidSpaceError, match=r"called left, right, .* arrays left, other"):
        check_inputs(model, inputs_of({"left": x["left"], "other": x["right"]}))
    with pytest.raises(InvalidSpaceError, match=r"inputs right of shape \(None, 3\), .* 2\)"):
        check_inputs(model, inputs_of({"left": x["left"], "right": x["left"]}))
    with pytest.raises(InvalidSpaceError, match=r"2 inputs \(left, right\), .* one array"):
        check_inputs(model, columns(5))


def test_the_same_numbers_in_another_shape_may_be_reshaped_as_it_is_said(keras):
    asked = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3)])
    images = Inputs((Input((4, 4)),))
    said = r"write keras\.Input\(\(4, 4\)\) and after it keras\.layers\.Reshape\(\(4, 4, 1\)\)"
    with pytest.raises(InvalidSpaceError, match=said):
        check_inputs(asked, images)
    written = [keras.Input((4, 4)), keras.layers.Reshape((4, 4, 1)), keras.layers.Conv2D(2, 3)]
    check_inputs(keras.Sequential(written), images)
