"""Layers of trials whose widths and activations are unlike, in one program.

A program of mixed layers has one trial. Its loop's layers are padded to one width; which part of
them a layer really has, and which of the program's activations, is known when the program runs. So
each product is one of a few, over padded widths in steps of `Shape.classes`, and each activation
one of `Shape.activations`, chosen by the layer's own numbers. Only that one is computed.
"""

from collections.abc import Callable
from typing import Any

from keras import ops

from sweep.training.fused.layers.activations import Elementwise, activation
from sweep.training.fused.program.arrays import Trials, entry
from sweep.training.fused.program.shape import Layer, Shape
from sweep.training.tensors import Tensor


def product(shape: Shape, trials: Trials, layer: Layer, h: Tensor, kernel: Tensor) -> Tensor:
    """Return h (1, rows, inputs) times the layer's kernel (1, inputs, units)."""

    def of(inputs: int, units: int) -> Tensor:
        return _wide(ops.matmul(h[..., :inputs], kernel[:, :inputs, :units]), shape, (2,))

    return _by_class(shape, trials, layer, of, h.shape[2])


def kernel_gradient(
    shape: Shape, trials: Trials, layer: Layer, given: Tensor, dz: Tensor
) -> Tensor:
    """Return a kernel's gradient, from the layer's input (1, inputs, rows) and dz at its product.

    `given` is transposed; `dz` is (1, rows, units).
    """
    rows = given.shape[1]

    def of(inputs: int, units: int) -> Tensor:
        found = ops.matmul(given[:, :inputs], dz[..., :units])
        return _wide(found, shape, (1, 2) if layer.like else (2,))

    return _by_class(shape, trials, layer, of, rows)


def back_through(shape: Shape, trials: Trials, layer: Layer, dz: Tensor, kernel: Tensor) -> Tensor:
    """Return the gradient at a product's input, (1, rows, inputs), from dz at its output."""

    def of(inputs: int, units: int) -> Tensor:
        found = ops.einsum("tbo,tio->tbi", dz[..., :units], kernel[:, :inputs, :units])
        return _wide(found, shape, (2,) if layer.like else ())

    return _by_class(shape, trials, layer, of, kernel.shape[1])


def activation_of(shape: Shape, trials: Trials, layer: Layer) -> Elementwise:
    """Return the layer's activation: the one of the program's that the trial has there."""
    kind = kind_of(trials, layer)
    known = [activation(name) for name in shape.activations]

    def value(z: Tensor) -> Tensor:
        return ops.switch(kind, [_bound(one.value, z) for one in known])

    def slope(z: Tensor, f: Tensor) -> Tensor:
        return ops.switch(kind, [_bound(one.slope, z, f) for one in known])

    by_value = all(one.by_value for one in known)
    return Elementwise(value, slope, by_value, zero_at_zero=not shape.masked)


def kind_of(trials: Trials, layer: Layer) -> Tensor:
    """Return which of the program's activations the trial has in a layer; a scalar."""
    return entry(trials.kinds[0], layer.index)


def _bound(function: Callable[..., Tensor], *args: Any) -> Callable[[], Tensor]:
    return lambda: function(*args)


def _by_class(
    shape: Shape, trials: Trials, layer: Layer, of: Callable[[int, int], Tensor], inputs: int
) -> Tensor:
    """The result of `of` for the least classes that hold the layer's inputs and its units.

    The first layer has all the features, `inputs`.
    """
    classes = shape.classes
    if len(classes) == 1:
        return of(inputs if layer.like == 0 else classes[0], classes[0])
    units = _class(shape, trials, layer.index)
    if layer.like == 0:
        return ops.switch(units, [_bound(of, inputs, size) for size in classes])
    pairs = [_bound(of, first, second) for first in classes for second in classes]
    before = _class(shape, trials, layer.index - 1)
    return ops.switch(before * len(classes) + units, pairs)


def _class(shape: Shape, trials: Trials, index: Any) -> Tensor:
    """The number of the least class that holds a layer's units; a scalar."""
    width = entry(trials.units[0], index)
    number = ops.zeros((), "int32")
    for size in shape.classes[:-1]:
        number = number + ops.cast(width > size, "int32")
    return number


def _wide(found: Tensor, shape: Shape, axes: tuple[int, ...]) -> Tensor:
    """`found` with zeros up to the program's width along `axes`."""
    width = shape.widths[0]
    pads = [[0, width - size if axis in axes else 0] for axis, size in enumerate(found.shape)]
    return ops.pad(found, pads) if any(after for _, after in pads) else found
