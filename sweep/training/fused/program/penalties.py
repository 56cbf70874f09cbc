"""L1 and L2 penalties of stacked trials, and what they add to the gradients."""

from typing import Any

from keras import ops

from sweep.training.fused.program.arrays import Trials, entry
from sweep.training.fused.program.shape import Shape
from sweep.training.tensors import Tensor


def penalty(shape: Shape, values: list[Tensor], trials: Trials, loop: bool = True) -> Tensor:
    """Return each trial's penalty, Σ l1·Σ|w| + l2·Σw² over its weights: (slots,).

    A loop's layers are left out if `loop` is false.
    """
    total = ops.zeros((shape.slots,))
    for position, role in enumerate(shape.roles):
        if not shape.stack(role):
            total = total + of_weight(shape, *role, values[position], trials)
        elif loop and shape.penalised(role[0]):
            first = shape.ordinal(*role)
            stride = shape.stride(role[0])
            of_rows = slice(first, first + stride * shape.stack(role)[0], stride)
            l1, l2 = trials.l1[:, of_rows], trials.l2[:, of_rows]
            total = total + ops.sum(_penalties(shape, l1, l2, values[position]), axis=1)
    return total


def of_weight(shape: Shape, kind: str, layer: Any, value: Tensor, trials: Trials) -> Tensor:
    """Return the penalty of one weight, (slots,), from its value (slots, …).

    `layer` may be a tensor.
    """
    if not shape.penalised(kind):
        return ops.zeros((shape.slots,))
    ordinal = shape.ordinal(kind, layer)
    l1, l2 = (entry(strengths, ordinal, 1) for strengths in (trials.l1, trials.l2))
    return _penalties(shape, l1, l2, value)


def _penalties(shape: Shape, l1: Tensor, l2: Tensor, value: Tensor) -> Tensor:
    """The penalties (slots,) of weights (slots, …), or (slots, rows) of weights (slots, rows, …).

    The strengths `l1` and `l2` have the shape of the result.
    """
    total = _weighted(l2, value * value)
    return total + _weighted(l1, ops.absolute(value)) if shape.l1 else total


def _weighted(strengths: Tensor, parts: Tensor) -> Tensor:
    """Each trial's strength times the sum of its parts, in the shape of the strengths.

    Two sums, over the inputs and then over the units, with the strength between them: a single sum
    over both XLA would carry out number by number.
    """
    of_inputs = tuple(range(len(strengths.shape), len(parts.shape) - 1))
    of_units = ops.sum(parts, axis=of_inputs) if of_inputs else parts
    return ops.sum(strengths[..., None] * of_units, axis=-1)


def penalised(
    shape: Shape, kind: str, layer: Any, gradient: Tensor, value: Tensor, trials: Trials
) -> Tensor:
    """Return the gradient of loss and penalty together at one weight, (slots, …).

    `gradient` is that of the loss, `value` the weight. `layer` may be a tensor.
    """
    if not shape.penalised(kind):
        return gradient
    ordinal = shape.ordinal(kind, layer)
    gradient = gradient + per_trial(entry(trials.l2, ordinal, 1), value) * (value + value)
    if shape.l1:
        gradient = gradient + per_trial(entry(trials.l1, ordinal, 1), value) * ops.sign(value)
    return gradient


def per_trial(values: Tensor, like: Tensor) -> Tensor:
    """Return `values`, (slots,), with axes of length 1 added, to broadcast against `like`."""
    return ops.reshape(values, (-1,) + (1,) * (len(like.shape) - 1))
