"""L1 and L2 penalties of stacked trials, and what they add to the gradients."""

from typing import Any

from keras import ops

from sweep.training.fused.arrays import Trials
from sweep.training.fused.shapes import Shape

Tensor = Any


def penalty(shape: Shape, values: list[Tensor], trials: Trials) -> Tensor:
    """Σ l1·Σ|w| + l2·Σw² over the weights: (slots,)."""
    total = ops.zeros((shape.slots,))
    for position in range(len(shape.weights)):
        if not shape.penalised(position):
            continue
        value = values[position]
        axes = tuple(range(1, len(value.shape)))
        total = total + trials.l2[:, position] * ops.sum(value * value, axis=axes)
        if shape.l1:
            total = total + trials.l1[:, position] * ops.sum(ops.absolute(value), axis=axes)
    return total


def penalised(
    shape: Shape, position: int, gradient: Tensor, value: Tensor, trials: Trials
) -> Tensor:
    """The gradient of loss and penalty together."""
    if not shape.penalised(position):
        return gradient
    gradient = gradient + per_trial(2.0 * trials.l2[:, position], value) * value
    if shape.l1:
        gradient = gradient + per_trial(trials.l1[:, position], value) * ops.sign(value)
    return gradient


def per_trial(values: Tensor, like: Tensor) -> Tensor:
    """(slots,) made to broadcast against (slots, …)."""
    return ops.reshape(values, (-1,) + (1,) * (len(like.shape) - 1))
