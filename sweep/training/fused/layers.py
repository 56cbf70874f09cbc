"""The layers of stacked trials, in training with their gradients and in evaluation.

A layer is a matrix product, perhaps a normalisation before or behind its activation, and
dropout. The input has no product and no activation. Layers beyond a trial's depth pass their
input on.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from keras import ops

from sweep.training.fused import dropout, normalization
from sweep.training.fused.activations import activation
from sweep.training.fused.arrays import Trials
from sweep.training.fused.normalization import Normed
from sweep.training.fused.shapes import INPUT, NormPlace, Shape

Tensor = Any


@dataclass(frozen=True)
class Batch:
    """What the layers need in a training step, beside their input."""

    shape: Shape
    values: list[Tensor]
    trials: Trials
    keys: Tensor  # (masks, slots, 2) uint32
    share: Tensor  # (batch,)


class Kept(NamedTuple):
    """What a forward pass leaves for the backward pass: (slots, batch, units)."""

    given: Tensor
    argument: Tensor
    value: Tensor
    mask: Tensor
    norm: Normed | None


def given(batch: Batch, x: Tensor) -> tuple[Tensor, Kept]:
    """The model's input (slots, batch, features) as the first layer gets it."""
    h, norm = x, None
    place = batch.shape.norm(INPUT)
    if place is not None:
        h, norm = _normalised(batch, place, h)
    if not batch.shape.input_dropout:
        return h, Kept(x, h, h, None, norm)
    mask = _mask(batch, INPUT)
    return h * mask, Kept(x, h, h, mask, norm)


def given_gradients(batch: Batch, dh: Tensor, kept: Kept) -> dict[int, Tensor]:
    """The gradients of the weights that stand before the first layer, by position."""
    place = batch.shape.norm(INPUT)
    if place is None:
        return {}
    return _norm_gradients(batch, place, dh if kept.mask is None else dh * kept.mask, kept)[1]


def hidden(batch: Batch, layer: int, h: Tensor) -> tuple[Tensor, Kept]:
    """A hidden layer in training: what it passes on, and what its gradient needs."""
    shape, place, norm = batch.shape, batch.shape.norm(layer), None
    z = product(batch.values, layer, h)
    if place is not None and not place.after:
        z, norm = _normalised(batch, place, z)
    f = activation(shape.activations[layer]).value(z)
    mask = _mask(batch, layer)
    if shape.masked:
        mask = mask * _real_units(shape, layer, batch.trials)
    n = f
    if place is not None and place.after:
        n, norm = _normalised(batch, place, _silenced(shape, layer, f, batch.trials))
    return _passed_on(shape, layer, h, n * mask, batch.trials), Kept(h, z, f, mask, norm)


def hidden_gradients(
    batch: Batch, layer: int, dh: Tensor, kept: Kept
) -> tuple[Tensor, dict[int, Tensor]]:
    """The gradient at the product, 0 where a trial has no such layer; γ's and β's by position."""
    shape, place = batch.shape, batch.shape.norm(layer)
    found: dict[int, Tensor] = {}
    dz = dh * kept.mask
    if place is not None and place.after:
        dz, found = _norm_gradients(batch, place, dz, kept)
    dz = dz * activation(shape.activations[layer]).slope(kept.argument, kept.value)
    if place is not None and not place.after:
        dz, found = _norm_gradients(batch, place, dz, kept)
    if layer == 0 or shape.exact_depth:
        return dz, found
    return ops.where(present(batch.trials, layer), dz, ops.zeros_like(dz)), found


def evaluated(shape: Shape, values: list[Tensor], trials: Trials, h: Tensor) -> Tensor:
    """The input of the output layer in evaluation mode: (slots, rows, units)."""
    place = shape.norm(INPUT)
    if place is not None:
        h = _evaluated_norm(shape, place, h, values, trials)
    for layer, name in enumerate(shape.activations):
        place = shape.norm(layer)
        f = product(values, layer, h)
        if place is not None and not place.after:
            f = _evaluated_norm(shape, place, f, values, trials)
        f = _silenced(shape, layer, activation(name).value(f), trials)
        if place is not None and place.after:
            f = _evaluated_norm(shape, place, f, values, trials)
        h = _passed_on(shape, layer, h, f, trials)
    return h


def product(values: list[Tensor], layer: int, h: Tensor) -> Tensor:
    """(slots, rows, units) from (slots, rows, inputs)."""
    return ops.matmul(h, values[2 * layer]) + values[2 * layer + 1][:, None, :]


def present(trials: Trials, layer: int) -> Tensor:
    """Whether each trial has the layer: (slots, 1, 1)."""
    return (trials.units[:, layer] > 0)[:, None, None]


def moved(batch: Batch, norms: dict[int, Normed | None]) -> dict[int, Tensor]:
    """The moving averages after the batch, by position, from what each layer's norm left."""
    found: dict[int, Tensor] = {}
    for place in batch.shape.norms:
        kept = norms[place.layer]
        if kept is not None:
            numbers = batch.trials.norms[:, place.layer]
            found |= normalization.moved(batch.shape, place, kept, batch.values, numbers)
    return found


def _normalised(batch: Batch, place: NormPlace, h: Tensor) -> tuple[Tensor, Normed]:
    numbers = batch.trials.norms[:, place.layer]
    return normalization.normalised(batch.shape, place, h, batch.values, numbers, batch.share)


def _norm_gradients(
    batch: Batch, place: NormPlace, dh: Tensor, kept: Kept
) -> tuple[Tensor, dict[int, Tensor]]:
    if kept.norm is None:
        raise RuntimeError("a normalised layer keeps what its gradient needs")
    return normalization.gradients(batch.shape, place, dh, kept.norm, batch.values, batch.share)


def _evaluated_norm(
    shape: Shape, place: NormPlace, h: Tensor, values: list[Tensor], trials: Trials
) -> Tensor:
    return normalization.evaluated(shape, place, h, values, trials.norms[:, place.layer])


def _mask(batch: Batch, layer: int) -> Tensor:
    """A step's dropout mask: (slots, batch, units)."""
    counters = dropout.counters(batch.shape.rows.batch, batch.shape.masks[layer])
    thresholds, scales = batch.trials.thresholds[:, layer], batch.trials.scales[:, layer]
    return dropout.mask(counters, batch.keys[layer], thresholds, scales)


def _passed_on(shape: Shape, layer: int, given: Tensor, computed: Tensor, trials: Trials) -> Tensor:
    if layer == 0 or shape.exact_depth:
        return computed
    return ops.where(present(trials, layer), computed, given)


def _silenced(shape: Shape, layer: int, f: Tensor, trials: Trials) -> Tensor:
    """0 for padded units, where the activation does not give it."""
    return f * _real_units(shape, layer, trials) if shape.masked else f


def _real_units(shape: Shape, layer: int, trials: Trials) -> Tensor:
    """1 for the trial's own units, 0 for padding: (slots, 1, units)."""
    units = ops.arange(shape.widths[layer], dtype="int32")
    return ops.cast(units[None, :] < trials.units[:, layer][:, None], "float32")[:, None, :]
