"""Keras' optimizers as plain update rules over stacked trials.

A rule has static parts, on which the program depends (`kind`), and numbers, which are inputs
of the program, so that trials with other numbers share it. A weight has two slots, `first`
(the momentum) and `second` (Adam's velocity; with AMSGrad the highest beside it; empty for SGD).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from keras import ops

from sweep.training.fused.program.arrays import Tensor
from sweep.training.fused.program.schedules import RateSchedule

_F = np.float32


@dataclass(frozen=True)
class OptimizerRule:
    """An optimizer's update rule and its numbers.

    `kind` is adam, amsgrad, sgd or nesterov. `schedule` is None if the learning rate is a variable
    of the optimizer. `decays` are β1 and β2 for Adam, the momentum and 0 for SGD. `weight_decay`
    is decoupled from the gradient. `clip` is Keras' name of how gradients are clipped, at `limit`;
    empty if they are not clipped.
    """

    kind: str
    schedule: RateSchedule | None
    decays: tuple[float, float]
    epsilon: float
    weight_decay: float
    clip: str = ""
    limit: float = 0.0

    @property
    def _is_adam(self) -> bool:
        return self.kind in ("adam", "amsgrad")

    @property
    def numbers(self) -> np.ndarray:
        """The numbers that a program takes of the trial: float32 (5,).

        Two factors of the moments, ε, weight decay and the limit of clipping.
        """
        first, second = self.decays
        if self._is_adam:
            first, second = 1 - first, 1 - second
        return np.array([first, second, self.epsilon, self.weight_decay, self.limit], dtype=_F)

    def rates(self, learning_rate: np.float32 | None, iteration: int, steps: int) -> np.ndarray:
        """Return step size and learning rate of the next `steps` steps: float32 (steps, 2).

        `learning_rate` is the state's, used when there is no schedule. Adam's step size holds
        the bias correction, rate·√(1 − β2ᵗ)/(1 − β1ᵗ), in float32 as in Keras.
        """
        before = iteration + np.arange(steps, dtype=np.int64)
        rates = self.learning_rates(learning_rate, before)
        sizes = rates
        if self._is_adam:
            t = (before + 1).astype(_F)
            first, second = (np.power(_F(beta), t, dtype=_F) for beta in self.decays)
            sizes = rates * np.sqrt(_F(1) - second) / (_F(1) - first)
        return np.stack([sizes, rates], axis=-1).astype(_F)

    def learning_rates(
        self, learning_rate: np.float32 | None, iterations: np.ndarray
    ) -> np.ndarray:
        """Return the learning rate at each of `iterations`: float32 (steps,).

        `learning_rate` is the state's, used if there is no schedule.
        """
        if self.schedule is None:
            return np.full(len(iterations), learning_rate, dtype=_F)
        return self.schedule.rates(iterations)


def second_slot(kind: str, weight: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of a trial's second slot of a weight of shape `weight`."""
    return {"adam": weight, "amsgrad": (2, *weight)}.get(kind, ())


def clipped(clip: str, gradients: list[Tensor], limits: Tensor) -> list[Tensor]:
    """Return the gradients, each (trials, …), clipped as Keras does it at limits (trials,).

    `clip` is clipvalue, clipnorm or global_clipnorm, or empty for none.
    """

    def over(values: Tensor, like: Tensor) -> Tensor:
        return ops.reshape(values, (-1,) + (1,) * (len(like.shape) - 1))

    if not clip:
        return gradients
    if clip == "clipvalue":
        bounds = [over(limits, one) for one in gradients]
        return [
            ops.minimum(ops.maximum(one, -bound), bound)
            for one, bound in zip(gradients, bounds, strict=True)
        ]
    squares = [ops.sum(one * one, axis=tuple(range(1, len(one.shape)))) for one in gradients]
    if clip == "clipnorm":  # each weight's
        divisors = [ops.maximum(ops.sqrt(square), limits) for square in squares]
        return [
            one * over(limits, one) / over(divisor, one)
            for one, divisor in zip(gradients, divisors, strict=True)
        ]
    norms = ops.sqrt(ops.sum(ops.stack(squares), axis=0))
    scales = limits * ops.minimum(1.0 / norms, 1.0 / limits)
    return [one * over(scales, one) for one in gradients]


class Weight(NamedTuple):
    """A weight of all trials with its two slots: each (trials, …) of one shape."""

    value: Tensor
    first: Tensor
    second: Tensor


def updated(kind: str, weight: Weight, gradient: Tensor, rates: Tensor, numbers: Tensor) -> Weight:
    """Return the weight after one step of the optimizer `kind`.

    `rates` are step size and learning rate, (2, trials); `numbers` are `OptimizerRule.numbers` of
    each trial, (trials, 5).
    """

    def of_trial(values: Tensor) -> Tensor:
        return ops.reshape(values, (-1,) + (1,) * (len(weight.value.shape) - 1))

    size, rate = of_trial(rates[0]), of_trial(rates[1])
    first, second, epsilon, decay = (of_trial(numbers[:, index]) for index in range(4))
    value = weight.value - weight.value * decay * rate
    if kind == "adam":
        m = weight.first + (gradient - weight.first) * first
        v = weight.second + (gradient * gradient - weight.second) * second
        return Weight(value - m * size / (ops.sqrt(v) + epsilon), m, v)
    if kind == "amsgrad":
        m = weight.first + (gradient - weight.first) * first
        velocity, highest = weight.second[:, 0], weight.second[:, 1]
        v = velocity + (gradient * gradient - velocity) * second
        highest = ops.maximum(highest, v)
        step = m * size / (ops.sqrt(highest) + epsilon)
        return Weight(value - step, m, ops.stack([v, highest], axis=1))
    m = weight.first * first - gradient * size
    if kind == "nesterov":
        return Weight(value + (m * first - gradient * size), m, weight.second)
    return Weight(value + m, m, weight.second)
