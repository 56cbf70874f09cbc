"""The layers of stacked trials: forward, backward, and in evaluation mode.

A layer is a matrix product, perhaps a normalisation before or behind its activation, and
dropout. The input has no product and no activation. Layers beyond a trial's depth pass their
input on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from sweep.training.fused.program import dropout, mixed, normalization
from sweep.training.fused.program.activations import Activation, activation
from sweep.training.fused.program.arrays import Tensor, Trials
from sweep.training.fused.program.backend import on_gpu
from sweep.training.fused.program.normalization import Normed
from sweep.training.fused.program.shape import INPUT, Layer, NormPlace, Shape


@dataclass(frozen=True)
class Batch:
    """What every layer needs in a training step: weights, trials, dropout keys, weights of rows."""

    shape: Shape
    values: list[Tensor]  # weights and moving averages, each (slots, …), as in `State.values`
    trials: Trials
    keys: Tensor  # (masks, slots, 2) uint32
    share: Tensor  # (batch,): each row's weight in the batch's mean, 0 for padding


class Left(NamedTuple):
    """What a layer without normalisation leaves for the backward pass: (slots, batch, units)."""

    marked: Tensor
    """The layer's output, with `DROPPED` in place of each unit that dropout has taken out."""
    slopes: list[Tensor]
    """The activation's slope, alone in the list; empty if `marked` tells the slope."""


class Inside(NamedTuple):
    """What the input and a layer with normalisation leave for the backward pass.

    `argument` and `value` are the activation's, `mask` is dropout's, None if the input has none:
    each (slots, batch, units).
    """

    argument: Tensor
    value: Tensor
    mask: Tensor
    norm: Normed | None


class Kept(NamedTuple):
    """A layer's input (slots, batch, inputs), and what the layer leaves for the backward pass."""

    given: Tensor
    left: Left | Inside


DROPPED = float(np.finfo(np.float32).min)
"""The number that marks a dropped unit. A real value of this size would overflow in the next layer,
and the trial would fail."""


def scaled(shape: Shape, trials: Trials, x: Tensor) -> Tensor:
    """Return the features x (slots, rows, features) shifted and divided, if the shape has that."""
    if not shape.scaled:
        return x
    return (x - trials.scaling[:, 0][:, None, :]) / trials.scaling[:, 1][:, None, :]


def given(batch: Batch, x: Tensor) -> tuple[Tensor, Kept]:
    """Return what the first layer gets of the input x (slots, batch, features), and what is kept.

    The input may have a normalisation and dropout of its own.
    """
    h, norm = x, None
    place = batch.shape.norm(INPUT)
    if place is not None:
        h, norm = _normalised(batch, place, h)
    if not batch.shape.input_dropout:
        return h, Kept(x, Inside(h, h, None, norm))
    mask = _mask(batch, Layer(INPUT, INPUT))
    return h * mask, Kept(x, Inside(h, h, mask, norm))


def given_gradients(batch: Batch, dh: Tensor, kept: Kept) -> dict[int, Tensor]:
    """Return the gradients of the γ and β that the input may have, by position.

    `dh` is the gradient at what the first layer was given.
    """
    place, left = batch.shape.norm(INPUT), kept.left
    if place is None or not isinstance(left, Inside):
        return {}
    return _norm_gradients(batch, place, dh if left.mask is None else dh * left.mask, left)[1]


def hidden(batch: Batch, layer: Layer, h: Tensor) -> tuple[Tensor, Kept]:
    """Return a hidden layer's output in training, and what its gradient needs.

    The output is (slots, batch, units), the layer's input `h` (slots, batch, inputs).
    """
    place = batch.shape.norm(layer.like)
    if place is not None:
        return _normed(batch, layer, place, h)
    left = apart(batch, lambda: leave(batch, layer, h), lambda: blank(batch.shape, layer.like))
    return passed_on(left.marked), Kept(h, left)


def leave(batch: Batch, layer: Layer, h: Tensor) -> Left:
    """Return what a hidden layer without normalisation leaves, from its input h.

    The output itself is `passed_on` of it.
    """
    shape, trials = batch.shape, batch.trials
    function = _activation(shape, layer, trials)
    z = _product(shape, batch.values, layer, h, trials)
    f = function.value(z)
    mask = _real_mask(batch, layer)
    marked = _passed_on(shape, layer, h, ops.where(mask > 0, f * mask, DROPPED), trials)
    if function.by_value:
        return Left(marked, [])
    slope = mask * function.slope(z, f)
    return Left(marked, [_or_nothing(shape, layer, slope, trials)])


def blank(shape: Shape, like: int, *stacked: int) -> Left:
    """Return a `Left` of zeros for a layer like `like`: each (*stacked, slots, batch, units)."""
    size = (*stacked, shape.slots, shape.rows.batch, shape.widths[like])
    return Left(ops.zeros(size), [] if shape.by_value(like) else [ops.zeros(size)])


def passed_on(marked: Tensor) -> Tensor:
    """Return a layer's output from its marked form: 0 in place of `DROPPED`."""
    return ops.where(ops.equal(marked, DROPPED), 0.0, marked)


def slope(batch: Batch, layer: Layer, left: Left) -> Tensor:
    """Return the derivative of a layer's output by its product, (slots, batch, units).

    `left` is what the layer, which has no normalisation, left in the forward pass.
    """
    if left.slopes:
        return left.slopes[0]
    shape, trials, marked = batch.shape, batch.trials, left.marked
    scale = trials.scales[:, layer.index][:, None, None]
    of_value = _activation(shape, layer, trials).slope(None, marked * (1.0 / scale))
    found = ops.where(ops.equal(marked, DROPPED), 0.0, scale * of_value)
    return _or_nothing(shape, layer, found, trials)


def _normed(batch: Batch, layer: Layer, place: NormPlace, h: Tensor) -> tuple[Tensor, Kept]:
    """`hidden` of a layer with normalisation."""
    shape, norm = batch.shape, None
    z = _product(shape, batch.values, layer, h, batch.trials)
    if not place.after:
        z, norm = _normalised(batch, place, z)
    n = f = _activation(shape, layer, batch.trials).value(z)
    mask = _real_mask(batch, layer)
    if place.after:
        n, norm = _normalised(batch, place, _silenced(shape, layer, f, batch.trials))
    passed = _passed_on(shape, layer, h, n * mask, batch.trials)
    return passed, Kept(h, Inside(z, f, mask, norm))


def hidden_gradients(
    batch: Batch, layer: Layer, dh: Tensor, left: Left | Inside
) -> tuple[Tensor, dict[int, Tensor]]:
    """Return the gradient at a layer's product, and the gradients of its γ and β by position.

    `dh` is the gradient at the layer's output, (slots, batch, units) like the result. It is 0 for
    trials that do not have the layer.
    """
    if isinstance(left, Left):
        return dh * slope(batch, layer, left), {}
    place = batch.shape.norm(layer.like)
    if place is None:
        raise RuntimeError("only a layer with normalisation leaves what is inside")
    found: dict[int, Tensor] = {}
    function = _activation(batch.shape, layer, batch.trials)
    of_argument = function.slope(left.argument, left.value)
    dz = dh * left.mask
    if place.after:
        dz, found = _norm_gradients(batch, place, dz, left)
    dz = dz * of_argument
    if not place.after:
        dz, found = _norm_gradients(batch, place, dz, left)
    return dz, found


def back(batch: Batch, layer: Layer, kernel: Tensor, dh: Tensor, dz: Tensor) -> Tensor:
    """Return the gradient at a layer's input, (slots, batch, inputs).

    `dh` is the gradient at the layer's output, `dz` that at its product.
    """
    if batch.shape.mixed:
        return mixed.back_through(batch.shape, batch.trials, layer, dz, kernel)
    return _passed_on(batch.shape, layer, dh, back_through(dz, kernel), batch.trials)


def back_through(dz: Tensor, kernel: Tensor) -> Tensor:
    """Return the gradient at a product's input, (slots, batch, in), from dz at its output.

    An einsum, because XLA would carry out a transposition as an operation of its own.
    """
    return ops.einsum("tbo,tio->tbi", dz, kernel)


def product_gradients(
    batch: Batch, h: Tensor, dz: Tensor, biased: bool, layer: Layer | None = None
) -> tuple[Tensor, Tensor]:
    """Return the gradients of a kernel (slots, in, out) and of its bias (slots, out).

    `h` is the product's input, `dz` the gradient at its output. Without a bias its gradient is 0.
    `layer` is the hidden layer, None for the output.
    """
    if batch.shape.mixed and layer is not None:
        across = transposed(batch, h.shape[2], lambda: h)
        of_mixed = mixed.kernel_gradient(batch.shape, batch.trials, layer, across, dz)
        return of_mixed, bias_gradient(dz, biased)
    of_kernel = ops.matmul(transposed(batch, h.shape[2], lambda: h), dz)
    return of_kernel, bias_gradient(dz, biased)


def transposed(batch: Batch, units: int, of: Callable[[], Tensor]) -> Tensor:
    """Return the result of `of`, (slots, batch, units), transposed to (slots, units, batch).

    On a CPU the transposition is kept `apart` from the product that follows: a product that
    transposes takes 1.2 times as long as a copy and a product.
    """
    size = (batch.shape.slots, units, batch.shape.rows.batch)
    return apart(batch, lambda: ops.swapaxes(of(), 1, 2), lambda: ops.zeros(size))


def apart(batch: Batch, of: Callable[[], Any], nothing: Callable[[], Any]) -> Any:
    """Return the result of `of`, which XLA computes once, apart from what uses it.

    On a CPU `of` stands behind a condition that is always true, so that XLA cannot fuse it into
    its consumers, recompute it in each of them, or compute it column by column because a consumer
    transposes. `nothing` must return tensors of the same shapes; it is never computed.
    """
    if on_gpu():
        return of()
    return ops.cond(batch.share[0] > 0, of, nothing)


def bias_gradient(dz: Tensor, biased: bool) -> Tensor:
    """Return the gradient of a bias, (slots, out), from dz (slots, batch, out); 0 if unbiased."""
    return ops.sum(dz, axis=1) if biased else ops.zeros_like(dz[:, 0])


def evaluated_input(shape: Shape, values: list[Tensor], trials: Trials, x: Tensor) -> Tensor:
    """Return what the first layer gets of the input x (slots, rows, features), in evaluation."""
    place = shape.norm(INPUT)
    return x if place is None else _evaluated_norm(shape, place, x, values, trials)


def evaluated(
    shape: Shape, values: list[Tensor], trials: Trials, layer: Layer, h: Tensor
) -> Tensor:
    """Return a hidden layer's output in evaluation mode, (slots, rows, units), from its input h."""
    place = shape.norm(layer.like)
    f = _product(shape, values, layer, h, trials)
    if place is not None and not place.after:
        f = _evaluated_norm(shape, place, f, values, trials)
    f = _silenced(shape, layer, _activation(shape, layer, trials).value(f), trials)
    if place is not None and place.after:
        f = _evaluated_norm(shape, place, f, values, trials)
    return _passed_on(shape, layer, h, f, trials)


def moved(batch: Batch, kept: dict[int, Kept]) -> dict[int, Tensor]:
    """Return the moving averages after the batch, by position; `kept` is what each layer left."""
    found: dict[int, Tensor] = {}
    for place in batch.shape.norms:
        left = kept[place.layer].left
        if isinstance(left, Inside) and left.norm is not None:
            numbers = batch.trials.norms[:, place.layer]
            found |= normalization.moved(batch.shape, place, left.norm, batch.values, numbers)
    return found


def _activation(shape: Shape, layer: Layer, trials: Trials) -> Activation:
    if shape.mixed:
        return mixed.activation_of(shape, trials, layer)
    return activation(shape.activations[layer.like])


def _product(shape: Shape, values: list[Tensor], layer: Layer, h: Tensor, trials: Trials) -> Tensor:
    """A layer's product and bias: (slots, rows, units) from h (slots, rows, inputs)."""
    kernel, bias = (values[shape.position(kind, layer.like)] for kind in ("kernel", "bias"))
    if shape.row("kernel", layer.like):
        kernel, bias = (row_of(stack, layer.index) for stack in (kernel, bias))
    if shape.mixed:
        return mixed.product(shape, trials, layer, h, kernel) + bias[:, None, :]
    return ops.matmul(h, kernel) + bias[:, None, :]


def row_of(stack: Tensor, layer: Tensor) -> Tensor:
    """Return one layer's weights (slots, …) out of a loop's stack (slots, rows, …).

    Row 0 is the second hidden layer, which is the loop's first. `take`, because TensorFlow would
    compile a program with `stack[:, layer - 1]` again for each `layer` that it can tell from the
    arguments.
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
    """A step's dropout mask, 0 for padded units too if the activation is not 0 at 0."""
    mask = _mask(batch, layer)
    return mask * _real_units(batch.shape, layer, batch.trials) if batch.shape.masked else mask


def _passed_on(
    shape: Shape, layer: Layer, given: Tensor, computed: Tensor, trials: Trials
) -> Tensor:
    """`computed` for trials that have the layer, `given` for the others."""
    if layer.like == 0 or not shape.gaps:
        return computed
    return ops.where((trials.units[:, layer.index] > 0)[:, None, None], computed, given)


def _or_nothing(shape: Shape, layer: Layer, computed: Tensor, trials: Trials) -> Tensor:
    """`computed` for trials that have the layer, 0 for the others."""
    return _passed_on(shape, layer, ops.zeros_like(computed), computed, trials)


def _silenced(shape: Shape, layer: Layer, f: Tensor, trials: Trials) -> Tensor:
    """The activation's value f with 0 for padded units, which it may not give by itself."""
    return f * _real_units(shape, layer, trials) if shape.masked else f


def _real_units(shape: Shape, layer: Layer, trials: Trials) -> Tensor:
    """1 for the trial's own units, 0 for padding: (slots, 1, units)."""
    units = ops.arange(shape.widths[layer.like], dtype="int32")
    own = trials.units[:, layer.index][:, None]
    return ops.cast(units[None, :] < own, "float32")[:, None, :]
