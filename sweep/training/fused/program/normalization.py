"""BatchNormalization over stacked trials, with its gradient written out.

Statistics are those of a batch's real rows: each row counts with its share of the batch, 0 for
padding. The variance is the biased one, for the batch and for the moving average (as Keras has
it). A padded unit is 0 in every row: mean and variance are 0, the value is 0 · γ + β with γ and
β of 0, their gradients are 0, and the moving averages stay 0.
"""

from typing import NamedTuple

from keras import ops

from sweep.training.fused.program.arrays import Tensor
from sweep.training.fused.program.shape import NormPlace, Shape


class Normed(NamedTuple):
    """What the normalisation of a batch leaves for its gradient and for the moving averages."""

    value: Tensor  # (slots, batch, units): before γ and β
    inverse: Tensor  # (slots, 1, units): 1/√(variance + ε)
    mean: Tensor  # (slots, units)
    variance: Tensor  # (slots, units)


def normalised(
    shape: Shape, place: NormPlace, h: Tensor, values: list[Tensor], numbers: Tensor, share: Tensor
) -> tuple[Tensor, Normed]:
    """Return the batch h (slots, batch, units) normalised, γ and β applied, and what is kept.

    Normalised by the batch's own statistics.

    `numbers` are the trials' momentum, 1 − momentum and ε, (slots, 3); `share` is (batch,).
    """
    rows = share[None, :, None]
    mean = ops.sum(h * rows, axis=1)
    centred = h - mean[:, None, :]
    variance = ops.sum(centred * centred * rows, axis=1)
    inverse = ops.rsqrt(variance + numbers[:, 2:])[:, None, :]
    value = centred * inverse
    return _applied(shape, place, value, values), Normed(value, inverse, mean, variance)


def gradients(
    shape: Shape, place: NormPlace, dh: Tensor, kept: Normed, values: list[Tensor], share: Tensor
) -> tuple[Tensor, dict[int, Tensor]]:
    """Return the gradient at a normalisation's input, and those of its γ and β by position.

    `dh` is the gradient at the normalisation's output, (slots, batch, units).
    """
    gamma = ops.sum(dh * kept.value, axis=1)
    beta = ops.sum(dh, axis=1)
    at_batch = beta[:, None, :] + kept.value * gamma[:, None, :]
    dz = kept.inverse * (dh - share[None, :, None] * at_batch)
    found = {}
    if place.scale:
        position = shape.position("gamma", place.layer)
        dz = dz * values[position][:, None, :]
        found[position] = gamma
    if place.center:
        found[shape.position("beta", place.layer)] = beta
    return dz, found


def evaluated(
    shape: Shape, place: NormPlace, h: Tensor, values: list[Tensor], numbers: Tensor
) -> Tensor:
    """Return h (slots, rows, units) normalised by the moving averages, γ and β applied."""
    mean = values[shape.position("mean", place.layer)][:, None, :]
    variance = values[shape.position("variance", place.layer)]
    inverse = ops.rsqrt(variance + numbers[:, 2:])[:, None, :]
    return _applied(shape, place, (h - mean) * inverse, values)


def moved(
    shape: Shape, place: NormPlace, kept: Normed, values: list[Tensor], numbers: Tensor
) -> dict[int, Tensor]:
    """Return the moving averages of mean and variance after the batch, by their positions."""
    averages = {"mean": kept.mean, "variance": kept.variance}
    momentum, rest = numbers[:, :1], numbers[:, 1:2]
    positions = {kind: shape.position(kind, place.layer) for kind in averages}
    return {
        positions[kind]: values[positions[kind]] * momentum + average * rest
        for kind, average in averages.items()
    }


def _applied(shape: Shape, place: NormPlace, value: Tensor, values: list[Tensor]) -> Tensor:
    if place.scale:
        value = value * values[shape.position("gamma", place.layer)][:, None, :]
    if place.center:
        value = value + values[shape.position("beta", place.layer)][:, None, :]
    return value
