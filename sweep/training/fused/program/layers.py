"""The layers of stacked trials, in training with their gradients and in evaluation.

A layer is a matrix product, perhaps a normalisation before or behind its activation, and
dropout. The input has no product and no activation. Layers beyond a trial's depth pass their
input on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from sweep.training.fused.program import dropout, normalization
from sweep.training.fused.program.activations import activation
from sweep.training.fused.program.arrays import Tensor, Trials
from sweep.training.fused.program.backend import on_gpu
from sweep.training.fused.program.normalization import Normed
from sweep.training.fused.program.shape import INPUT, Layer, NormPlace, Shape


@dataclass(frozen=True)
class Batch:
    """What the layers need in a training step, beside their input."""

    shape: Shape
    values: list[Tensor]
    trials: Trials
    keys: Tensor  # (masks, slots, 2) uint32
    share: Tensor  # (batch,)


class Left(NamedTuple):
    """What a layer without normalisation leaves for the backward pass: (slots, batch, units)."""

    marked: Tensor
    """What it passes on, and `DROPPED` where it has dropped a unit."""
    slopes: list[Tensor]
    """One, where the activation's slope cannot be told from what is passed on; else none."""


class Inside(NamedTuple):
    """What the input, and a layer with normalisation, leave: (slots, batch, units)."""

    argument: Tensor
    value: Tensor
    mask: Tensor
    norm: Normed | None


class Kept(NamedTuple):
    """What a layer was given (slots, batch, inputs), and what it leaves."""

    given: Tensor
    left: Left | Inside


DROPPED = float(np.finfo(np.float32).min)
"""Stands for a dropped unit. As a value it would overflow in the next layer: such a trial fails."""


def given(batch: Batch, x: Tensor) -> tuple[Tensor, Kept]:
    """The model's input (slots, batch, features) as the first layer gets it."""
    h, norm = x, None
    place = batch.shape.norm(INPUT)
    if place is not None:
        h, norm = _normalised(batch, place, h)
    if not batch.shape.input_dropout:
        return h, Kept(x, Inside(h, h, None, norm))
    mask = _mask(batch, Layer(INPUT, INPUT))
    return h * mask, Kept(x, Inside(h, h, mask, norm))


def given_gradients(batch: Batch, dh: Tensor, kept: Kept) -> dict[int, Tensor]:
    """The gradients of the weights that stand before the first layer, by position."""
    place, left = batch.shape.norm(INPUT), kept.left
    if place is None or not isinstance(left, Inside):
        return {}
    return _norm_gradients(batch, place, dh if left.mask is None else dh * left.mask, left)[1]


def hidden(batch: Batch, layer: Layer, h: Tensor) -> tuple[Tensor, Kept]:
    """A hidden layer in training: what it passes on, and what its gradient needs."""
    place = batch.shape.norm(layer.like)
    if place is not None:
        return _normed(batch, layer, place, h)
    left = apart(batch, lambda: leave(batch, layer, h), lambda: blank(batch.shape, layer.like))
    return passed_on(left.marked), Kept(h, left)


def leave(batch: Batch, layer: Layer, h: Tensor) -> Left:
    """A hidden layer without normalisation in training."""
    shape, trials = batch.shape, batch.trials
    function = activation(shape.activations[layer.like])
    z = _product(shape, batch.values, layer, h)
    f = function.value(z)
    mask = _real_mask(batch, layer)
    marked = _passed_on(shape, layer, h, ops.where(mask > 0, f * mask, DROPPED), trials)
    if function.by_value:
        return Left(marked, [])
    slope = mask * function.slope(z, f)
    return Left(marked, [_or_nothing(shape, layer, slope, trials)])


def blank(shape: Shape, like: int, *stacked: int) -> Left:
    """The place for what such a layer leaves, or for a stack of it."""
    size = (*stacked, shape.slots, shape.rows.batch, shape.widths[like])
    by_value = activation(shape.activations[like]).by_value
    return Left(ops.zeros(size), [] if by_value else [ops.zeros(size)])


def passed_on(marked: Tensor) -> Tensor:
    """What a layer passes on: 0 for the units it has dropped."""
    return ops.where(ops.equal(marked, DROPPED), 0.0, marked)


def slope(batch: Batch, layer: Layer, left: Left) -> Tensor:
    """Of what a layer without normalisation passes on, by its product: (slots, batch, units)."""
    if left.slopes:
        return left.slopes[0]
    shape, trials, marked = batch.shape, batch.trials, left.marked
    scale = trials.scales[:, layer.index][:, None, None]
    of_value = activation(shape.activations[layer.like]).slope(None, marked * (1.0 / scale))
    found = ops.where(ops.equal(marked, DROPPED), 0.0, scale * of_value)
    return _or_nothing(shape, layer, found, trials)


def _normed(batch: Batch, layer: Layer, place: NormPlace, h: Tensor) -> tuple[Tensor, Kept]:
    """A hidden layer with normalisation in training: what it passes on, and what it leaves."""
    shape, norm = batch.shape, None
    z = _product(shape, batch.values, layer, h)
    if not place.after:
        z, norm = _normalised(batch, place, z)
    n = f = activation(shape.activations[layer.like]).value(z)
    mask = _real_mask(batch, layer)
    if place.after:
        n, norm = _normalised(batch, place, _silenced(shape, layer, f, batch.trials))
    passed = _passed_on(shape, layer, h, n * mask, batch.trials)
    return passed, Kept(h, Inside(z, f, mask, norm))


def hidden_gradients(
    batch: Batch, layer: Layer, dh: Tensor, left: Left | Inside
) -> tuple[Tensor, dict[int, Tensor]]:
    """The gradient at the product, 0 where a trial has no such layer; γ's and β's by position."""
    if isinstance(left, Left):
        return dh * slope(batch, layer, left), {}
    place = batch.shape.norm(layer.like)
    if place is None:
        raise RuntimeError("only a layer with normalisation leaves what is inside")
    found: dict[int, Tensor] = {}
    of_argument = activation(batch.shape.activations[layer.like]).slope(left.argument, left.value)
    dz = dh * left.mask
    if place.after:
        dz, found = _norm_gradients(batch, place, dz, left)
    dz = dz * of_argument
    if not place.after:
        dz, found = _norm_gradients(batch, place, dz, left)
    return dz, found


def back(batch: Batch, layer: Layer, kernel: Tensor, dh: Tensor, dz: Tensor) -> Tensor:
    """The gradient at a layer's input, from that at what it passes on and at its product."""
    return _passed_on(batch.shape, layer, dh, back_through(dz, kernel), batch.trials)


def back_through(dz: Tensor, kernel: Tensor) -> Tensor:
    """The gradient at a product's input: (slots, batch, in).

    An einsum: XLA would carry out a transposition on its own.
    """
    return ops.einsum("tbo,tio->tbi", dz, kernel)


def product_gradients(batch: Batch, h: Tensor, dz: Tensor, biased: bool) -> tuple[Tensor, Tensor]:
    """Gradients of kernel (slots, in, out) and bias (slots, out); 0 where there is no bias."""
    of_kernel = ops.matmul(transposed(batch, h.shape[2], lambda: h), dz)
    return of_kernel, bias_gradient(dz, biased)


def transposed(batch: Batch, units: int, of: Callable[[], Tensor]) -> Tensor:
    """What `of` gives, (slots, batch, units), as (slots, units, batch).

    Apart on a CPU, where a product that transposes takes 1.2 times as long as to copy and multiply.
    """
    size = (batch.shape.slots, units, batch.shape.rows.batch)
    return apart(batch, lambda: ops.swapaxes(of(), 1, 2), lambda: ops.zeros(size))


def apart(batch: Batch, of: Callable[[], Any], nothing: Callable[[], Any]) -> Any:
    """What `of` gives, which is alike to what `nothing` does.

    On a CPU under a condition that is always met: what is inside XLA makes no part of what
    follows, so it is computed once however often it is used, and not by columns where that
    follows a transposition.
    """
    if on_gpu():
        return of()
    return ops.cond(batch.share[0] > 0, of, nothing)


def bias_gradient(dz: Tensor, biased: bool) -> Tensor:
    """(slots, out); 0 where there is no bias."""
    return ops.sum(dz, axis=1) if biased else ops.zeros_like(dz[:, 0])


def evaluated_input(shape: Shape, values: list[Tensor], trials: Trials, x: Tensor) -> Tensor:
    """The input (slots, rows, features) as the first layer gets it in evaluation mode."""
    place = shape.norm(INPUT)
    return x if place is None else _evaluated_norm(shape, place, x, values, trials)


def evaluated(
    shape: Shape, values: list[Tensor], trials: Trials, layer: Layer, h: Tensor
) -> Tensor:
    """What a hidden layer passes on in evaluation mode: (slots, rows, units)."""
    place = shape.norm(layer.like)
    f = _product(shape, values, layer, h)
    if place is not None and not place.after:
        f = _evaluated_norm(shape, place, f, values, trials)
    f = _silenced(shape, layer, activation(shape.activations[layer.like]).value(f), trials)
    if place is not None and place.after:
        f = _evaluated_norm(shape, place, f, values, trials)
    return _passed_on(shape, layer, h, f, trials)


def moved(batch: Batch, kept: dict[int, Kept]) -> dict[int, Tensor]:
    """The moving averages after the batch, by position, from what each layer left."""
    found: dict[int, Tensor] = {}
    for place in batch.shape.norms:
        left = kept[place.layer].left
        if isinstance(left, Inside) and left.norm is not None:
            numbers = batch.trials.norms[:, place.layer]
            found |= normalization.moved(batch.shape, place, left.norm, batch.values, numbers)
    return found


def _product(shape: Shape, values: list[Tensor], layer: Layer, h: Tensor) -> Tensor:
    """(slots, rows, units) from (slots, rows, inputs)."""
    kernel, bias = (values[shape.position(kind, layer.like)] for kind in ("kernel", "bias"))
    if shape.row("kernel", layer.like):
        kernel, bias = (row_of(stack, layer.index) for stack in (kernel, bias))
    return ops.matmul(h, kernel) + bias[:, None, :]


def row_of(stack: Tensor, layer: Tensor) -> Tensor:
    """A loop's layer (slots, …) out of its stack (slots, rows, …), which the second begins.

    Taken, not cut: TensorFlow compiles a program with `stack[:, layer - 1]` again for each `layer`
    that it can tell from the arguments.
    """
    return ops.take(stack, layer - 1, axis=1)


def _normalised(batch: Batch, place: NormPlace, h: Tensor) -> tuple[Tensor, Normed]:
    numbers = batch.trials.norms[:, place.layer]
    return normalization.normalised(batch.shape, place, h, batch.values, numbers, batch.share)


def _norm_gradients(
    batch: Batch, place: NormPlace, dh: Tensor, left: Inside
) -> tuple[Tensor, dict[int, Tensor]]:
    if left.norm is None:
        raise RuntimeError("a normalised layer keeps what its gradient needs")
    return normalization.gradients(batch.shape, place, dh, left.norm, batch.values, batch.share)


def _evaluated_norm(
    shape: Shape, place: NormPlace, h: Tensor, values: list[Tensor], trials: Trials
) -> Tensor:
    return normalization.evaluated(shape, place, h, values, trials.norms[:, place.layer])


def _mask(batch: Batch, layer: Layer) -> Tensor:
    """A step's dropout mask: (slots, batch, units)."""
    size = batch.shape.rows.batch, batch.shape.masks[layer.like]
    thresholds = batch.trials.thresholds[:, layer.index]
    scales = batch.trials.scales[:, layer.index]
    return dropout.mask(*size, batch.keys[layer.index], thresholds, scales)


def _real_mask(batch: Batch, layer: Layer) -> Tensor:
    """It, and 0 for padded units where the activation does not silence them."""
    mask = _mask(batch, layer)
    return mask * _real_units(batch.shape, layer, batch.trials) if batch.shape.masked else mask


def _passed_on(
    shape: Shape, layer: Layer, given: Tensor, computed: Tensor, trials: Trials
) -> Tensor:
    """`computed` of trials that have the layer, `given` of others."""
    if layer.like == 0 or not shape.gaps:
        return computed
    return ops.where((trials.units[:, layer.index] > 0)[:, None, None], computed, given)


def _or_nothing(shape: Shape, layer: Layer, computed: Tensor, trials: Trials) -> Tensor:
    """`computed` of trials that have the layer, 0 of others."""
    return _passed_on(shape, layer, ops.zeros_like(computed), computed, trials)


def _silenced(shape: Shape, layer: Layer, f: Tensor, trials: Trials) -> Tensor:
    """0 for padded units, where the activation does not give it."""
    return f * _real_units(shape, layer, trials) if shape.masked else f


def _real_units(shape: Shape, layer: Layer, trials: Trials) -> Tensor:
    """1 for the trial's own units, 0 for padding: (slots, 1, units)."""
    units = ops.arange(shape.widths[layer.like], dtype="int32")
    own = trials.units[:, layer.index][:, None]
    return ops.cast(units[None, :] < own, "float32")[:, None, :]
