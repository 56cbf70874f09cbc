"""The layers of stacked trials: forward, backward, and in evaluation mode.

A plain layer is a matrix product, an activation and dropout, which are computed together here. Any
other is a product and a chain of parts, and so is the input, which has no product. Layers beyond a
trial's depth pass their input on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from sweep.training.fused.layers import random_bits
from sweep.training.fused.layers.activations import Elementwise, activation
from sweep.training.fused.program import chains, mixed
from sweep.training.fused.program.arrays import Trials, entry
from sweep.training.fused.program.backend import on_gpu
from sweep.training.fused.program.shape import INPUT, Layer, Shape
from sweep.training.tensors import Tensor


@dataclass(frozen=True)
class Batch:
    """What every layer needs in a training step: weights, trials, dropout keys, weights of rows."""

    shape: Shape
    values: list[Tensor]  # weights and moving averages, each (slots, …), as in `State.values`
    trials: Trials
    keys: Tensor  # (masks, slots, 2) uint32
    share: Tensor  # (batch,): each row's weight in the batch's mean, 0 for padding
    true: Tensor  # () bool: true, which XLA cannot know


class Left(NamedTuple):
    """What a plain layer leaves for the backward pass: (slots, batch, units)."""

    marked: Tensor
    """The layer's output, with `DROPPED` in place of each unit that dropout has taken out."""
    slopes: list[Tensor]
    """The activation's slope, alone in the list; empty if `marked` tells the slope."""


class Kept(NamedTuple):
    """A layer's input (slots, batch, inputs), and what the layer leaves for the backward pass."""

    given: Tensor
    left: Left | list[Any]
    """A list of a layer that is not plain: what each of its parts left, or in a loop its input."""


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

    The input may have parts of its own.
    """
    h, left = chains.forward(_parts(batch, Layer(INPUT, INPUT)), x)
    return h, Kept(x, left)


def given_gradients(batch: Batch, dh: Tensor, kept: Kept) -> dict[int, Tensor]:
    """Return the gradients of the weights that the input's parts have, by position.

    `dh` is the gradient at what the first layer was given.
    """
    if not batch.shape.learns(INPUT) or not isinstance(kept.left, list):
        return {}
    _, found = chains.backward(_parts(batch, Layer(INPUT, INPUT)), kept.left, dh)
    return _by_position(batch.shape, INPUT, found)


def _parts(batch: Batch, layer: Layer) -> list[chains.Placed]:
    step = chains.PartsStep(batch.keys, batch.share)
    return chains.placed(batch.shape, batch.values, batch.trials, layer, step)


def _by_position(shape: Shape, layer: int, found: dict[str, Tensor]) -> dict[int, Tensor]:
    return {shape.position(kind, layer): tensor for kind, tensor in found.items()}


def hidden(batch: Batch, layer: Layer, h: Tensor) -> tuple[Tensor, Kept]:
    """Return a hidden layer's output in training, and what its gradient needs.

    The output is (slots, batch, units), the layer's input `h` (slots, batch, inputs).
    """
    if batch.shape.chain(layer.like):
        z = product(batch.shape, batch.values, layer, h, batch.trials)
        passed, lefts = chains.forward(_parts(batch, layer), z)
        return passed, Kept(h, lefts)
    left = apart(batch, lambda: leave(batch, layer, h), lambda: blank(batch.shape, layer.like))
    return passed_on(left.marked), Kept(h, left)


def leave(batch: Batch, layer: Layer, h: Tensor) -> Left:
    """Return what a hidden layer without normalisation leaves, from its input h.

    The output itself is `passed_on` of it.
    """
    shape, trials = batch.shape, batch.trials
    function = _activation(shape, layer, trials)
    z = product(shape, batch.values, layer, h, trials)
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
    scale = entry(trials.scales, layer.index, 1)[:, None, None]
    of_value = _activation(shape, layer, trials).slope(None, marked * (1.0 / scale))
    found = ops.where(ops.equal(marked, DROPPED), 0.0, scale * of_value)
    return _or_nothing(shape, layer, found, trials)


def hidden_gradients(
    batch: Batch, layer: Layer, dh: Tensor, left: Left | list[Any]
) -> tuple[Tensor, dict[int, Tensor]]:
    """Return the gradient at a layer's product, and those of its parts' weights by position.

    `dh` is the gradient at the layer's output, (slots, batch, units) like the result. It is 0 for
    trials that do not have the layer.
    """
    if isinstance(left, Left):
        return dh * slope(batch, layer, left), {}
    parts = _parts(batch, layer)
    if batch.shape.optional(layer.like):
        dz, found, _ = chains.kept_backward(parts, left, dh)
    else:
        dz, found = chains.backward(parts, left, dh)
    return dz, _by_position(batch.shape, layer.like, found)


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
        across = transposed(batch, lambda: h, h)
        of_mixed = mixed.kernel_gradient(batch.shape, batch.trials, layer, across, dz)
        return of_mixed, bias_gradient(dz, biased)
    of_kernel = ops.matmul(transposed(batch, lambda: h, h), dz)
    return of_kernel, bias_gradient(dz, biased)


def transposed(batch: Batch, of: Callable[[], Tensor], like: Tensor) -> Tensor:
    """Return the result of `of`, (slots, batch, units), transposed to (slots, units, batch).

    On a CPU the transposition is kept `apart` from the product that follows: a product that
    transposes takes 1.2 times as long as a copy and a product. `like` is any tensor of the shape
    of the result of `of`.
    """
    return apart(batch, lambda: ops.swapaxes(of(), 1, 2), lambda: ops.swapaxes(like, 1, 2))


def apart(batch: Batch, of: Callable[[], Any], nothing: Callable[[], Any]) -> Any:
    """Return the result of `of`, which XLA computes once, apart from what uses it.

    On a CPU `of` stands behind a condition that is always true, so that XLA cannot fuse it into
    its consumers, recompute it in each of them, or compute it column by column because a consumer
    transposes. `nothing` must return tensors of the same shapes; it is never computed, but it is
    compiled, so it should be no more than a product or a reshape.
    """
    if on_gpu():
        return of()
    return ops.cond(batch.true, of, nothing)


def bias_gradient(dz: Tensor, biased: bool) -> Tensor:
    """Return the gradient of a bias, (slots, out), from dz (slots, batch, out); 0 if unbiased."""
    return ops.sum(dz, axis=1) if biased else ops.zeros_like(dz[:, 0])


def evaluated_input(shape: Shape, values: list[Tensor], trials: Trials, x: Tensor) -> Tensor:
    """Return what the first layer gets of the input x (slots, rows, features), in evaluation."""
    return chains.evaluated(chains.placed(shape, values, trials, Layer(INPUT, INPUT)), x)


def evaluated(
    shape: Shape, values: list[Tensor], trials: Trials, layer: Layer, h: Tensor
) -> Tensor:
    """Return a hidden layer's output in evaluation mode, (slots, rows, units), from its input h."""
    z = product(shape, values, layer, h, trials)
    if shape.chain(layer.like):
        return chains.evaluated(chains.placed(shape, values, trials, layer), z)
    f = _silenced(shape, layer, _activation(shape, layer, trials).value(z), trials)
    return _passed_on(shape, layer, h, f, trials)


def moved(batch: Batch, kept: dict[int, Kept]) -> dict[int, Tensor]:
    """Return the parts' averages after the batch, by position; `kept` is what each layer left."""
    found: dict[int, Tensor] = {}
    for layer, one in kept.items():
        if isinstance(one.left, list):
            parts = _parts(batch, Layer(layer, layer))
            kept_inputs = batch.shape.optional(layer)
            new = (chains.kept_moved if kept_inputs else chains.moved)(parts, one.left)
            found |= _by_position(batch.shape, layer, new)
    return found


def _activation(shape: Shape, layer: Layer, trials: Trials) -> Elementwise:
    if shape.mixed:
        return mixed.activation_of(shape, trials, layer)
    return activation(shape.activations[layer.like])


def product(shape: Shape, values: list[Tensor], layer: Layer, h: Tensor, trials: Trials) -> Tensor:
    """Return a layer's product and bias: (slots, rows, units) from h (slots, rows, inputs)."""
    kernel, bias = (values[shape.position(kind, layer.like)] for kind in ("kernel", "bias"))
    if shape.row("kernel", layer.like):
        kernel, bias = (chains.row_of(stack, layer.index) for stack in (kernel, bias))
    if shape.mixed:
        return mixed.product(shape, trials, layer, h, kernel) + bias[:, None, :]
    return ops.matmul(h, kernel) + bias[:, None, :]


def _mask(batch: Batch, layer: Layer) -> Tensor:
    """A step's dropout mask: (slots, batch, units)."""
    size = batch.shape.rows.batch, batch.shape.widths[layer.like]
    thresholds = entry(batch.trials.thresholds, layer.index, 1)
    scales = entry(batch.trials.scales, layer.index, 1)
    return random_bits.mask(*size, entry(batch.keys, layer.index), thresholds, scales)


def _real_mask(batch: Batch, layer: Layer) -> Tensor:
    """A step's dropout mask, 0 for padded units too if the activation is not 0 at 0."""
    mask = _mask(batch, layer)
    return (
        mask * chains.real_units(batch.shape, layer, batch.trials) if batch.shape.masked else mask
    )


def _passed_on(
    shape: Shape, layer: Layer, given: Tensor, computed: Tensor, trials: Trials
) -> Tensor:
    """`computed` for trials that have the layer, `given` for the others."""
    if layer.like == 0 or not shape.gaps:
        return computed
    return ops.where((entry(trials.units, layer.index, 1) > 0)[:, None, None], computed, given)


def _or_nothing(shape: Shape, layer: Layer, computed: Tensor, trials: Trials) -> Tensor:
    """`computed` for trials that have the layer, 0 for the others."""
    return _passed_on(shape, layer, ops.zeros_like(computed), computed, trials)


def _silenced(shape: Shape, layer: Layer, f: Tensor, trials: Trials) -> Tensor:
    """The activation's value f with 0 for padded units, which it may not give by itself."""
    return f * chains.real_units(shape, layer, trials) if shape.masked else f
