"""What one row of the data looks like to a model: the shape and type of each input.

A split's `x` is one array, or a dictionary of named arrays. A model that was not given a shape gets
the data's; one that was given another is refused.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.errors import InvalidSpaceError

Model = Any


@dataclass(frozen=True)
class Input:
    """One array of the data, without its rows."""

    shape: tuple[int, ...]
    """Of a row: (columns,) for a table, (height, width, channels) for images."""
    dtype: str = "float32"
    name: str | None = None
    """None for data of one array, which has no name."""


@dataclass(frozen=True)
class Inputs:
    """All inputs of a row, in the data's order."""

    all: tuple[Input, ...]

    @property
    def only(self) -> Input | None:
        """The one input of data without names; None if the arrays have names."""
        return self.all[0] if len(self.all) == 1 and self.all[0].name is None else None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.all if one.name is not None)

    def example(self, rows: int, *, seed: int = 0, scale: float = 1.0) -> Any:
        """Return random rows: an array (rows, …), or a dictionary of them if they have names.

        Numbers are normal times `scale`; whole numbers are zeros, as what they count is unknown.
        """
        random = np.random.default_rng(seed)
        arrays = [_example(one, rows, random, scale) for one in self.all]
        return arrays[0] if self.only else dict(zip(self.names, arrays, strict=True))

    def code(self) -> str:
        """Return the code that gives a model this input shape."""
        one = self.only
        if one is not None:
            return f"keras.Input({one.shape})"
        return ", ".join(f"keras.Input({one.shape}, name={one.name!r})" for one in self.all)


def columns(number: int) -> Inputs:
    """Return the inputs of a table: one array of so many numbers a row."""
    return Inputs((Input((number,)),))


def inputs_of(x: Any) -> Inputs:
    """Return what a row of `x` looks like, an array (rows, …) or a dictionary of named arrays."""
    if isinstance(x, Mapping):
        return Inputs(tuple(_input(array, name) for name, array in x.items()))
    return Inputs((_input(x, None),))


def _input(array: NDArray[Any], name: str | None) -> Input:
    return Input(tuple(int(size) for size in array.shape[1:]), str(array.dtype), name)


def _example(one: Input, rows: int, random: np.random.Generator, scale: float) -> NDArray[Any]:
    numbers = random.normal(size=(rows, *one.shape)) * scale
    kind = np.dtype(one.dtype)
    return np.zeros(numbers.shape, kind) if kind.kind in "iub" else numbers.astype(kind)


def shaped(model: Model, inputs: Inputs) -> Model:
    """Return `model`, built on the data's shape if it was given none.

    Raises whatever its layers raise at that shape.
    """
    import keras

    one = inputs.only
    if one is not None and isinstance(model, keras.Sequential) and not model.built and model.layers:
        model.build((None, *one.shape))
    return model


def check_inputs(model: Model, inputs: Inputs) -> None:
    """Raise InvalidSpaceError, with what to write, unless a model takes what the data give."""
    if not model.built:
        raise InvalidSpaceError(f"it has no input shape: begin it with {inputs.code()}")
    tensors = list(model.inputs)
    one = inputs.only
    if one is not None:
        if len(tensors) != 1:
            names = ", ".join(tensor.name for tensor in tensors)
            raise InvalidSpaceError(
                f"it has {len(tensors)} inputs ({names}), and the data are one array of shape "
                f"(rows, {_sizes(one.shape)}): give the data as arrays of these names, or begin "
                f"the model with {inputs.code()}"
            )
        _check_shape(tensors[0], one)
        return
    by_name = {tensor.name: tensor for tensor in tensors}
    missing = [name for name in by_name if name not in inputs.names]
    unused = [name for name in inputs.names if name not in by_name]
    if missing or unused:
        raise InvalidSpaceError(
            f"its inputs are called {', '.join(by_name)}, and the data's arrays "
            f"{', '.join(inputs.names)}: give them the same names, as in {inputs.code()}"
        )
    for given in inputs.all:
        _check_shape(by_name[str(given.name)], given)


def _check_shape(tensor: Any, given: Input) -> None:
    shape = tuple(tensor.shape)
    fits = len(shape) == len(given.shape) + 1 and all(
        size is None or size == data for size, data in zip(shape[1:], given.shape, strict=True)
    )
    if not fits:
        called = f" {given.name}" if given.name else ""
        more = _reshaped(shape[1:], given)
        raise InvalidSpaceError(
            f"it has inputs{called} of shape {shape}, and the data give (None, "
            f"{_sizes(given.shape)}): write keras.Input({given.shape}){more}"
        )


def _reshaped(shape: tuple[int | None, ...], given: Input) -> str:
    """What to write after the input if the same numbers in another shape are wanted, or nothing."""
    if None in shape or math.prod(size or 0 for size in shape) != math.prod(given.shape):
        return ""
    return f" and after it keras.layers.Reshape({shape})"


def _sizes(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))
