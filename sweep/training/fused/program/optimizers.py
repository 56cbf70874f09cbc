"""Keras' optimizers as plain update rules over stacked trials.

A rule has static parts, on which the program depends (`kind`), and numbers, which are inputs
of the program, so that trials with other numbers share it. A weight has two slots, `first`
(a momentum) and `second` (a velocity; a stack of two under AMSGrad and for a centred RMSprop;
empty for SGD). A slot that a kind does not use stays as it is.

A new optimizer is an entry of `KINDS` with its step, and one of the readings.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from keras import ops

from sweep.training.fused.program.schedules import RateSchedule
from sweep.training.tensors import Tensor

_F = np.float32


@dataclass(frozen=True)
class OptimizerRule:
    """An optimizer's update rule and its numbers.

    `kind` is one of `KINDS`. `schedule` is None if the learning rate is a variable of the
    optimizer. `decays` are β1 and β2 for Adam and its kin, momentum and ρ for RMSprop, the momentum
    and 0 for SGD. `weight_decay` is decoupled from the gradient. `clip` is Keras' name of how
    gradients are clipped, at `limit`; empty if they are not clipped. `initial` is the value that
    the second slot begins with.
    """

    kind: str
    schedule: RateSchedule | None
    decays: tuple[float, float]
    epsilon: float
    weight_decay: float
    clip: str = ""
    limit: float = 0.0
    initial: float = 0.0

    @property
    def numbers(self) -> np.ndarray:
        """The numbers that a program takes of the trial: float32 (5,).

        Two factors of the moments, ε, weight decay and the limit of clipping.
        """
        first, second = self.decays
        if KINDS[self.kind].mixes:
            first, second = 1 - first, 1 - second
        return np.array([first, second, self.epsilon, self.weight_decay, self.limit], dtype=_F)

    def rates(
        self,
        learning_rate: np.float32 | None,
        iteration: int,
        steps: int,
        product: np.float32 | None = None,
    ) -> np.ndarray:
        """Return step size and learning rate of the next `steps` steps: float32 (steps, 2).

        `learning_rate` is the state's, used when there is no schedule. Adam's step size holds
        the bias correction, rate·√(1 − β2ᵗ)/(1 − β1ᵗ), in float32 as in Keras. Nadam's has two
        numbers more, the factor of the gradient and that of the velocity; `product` is its
        variable before the first step.
        """
        before = iteration + np.arange(steps, dtype=np.int64)
        rates = self.learning_rates(learning_rate, before)
        if self.kind == "nadam":
            return self._nadam_rates(rates, before, product)
        sizes, t = rates, (before + 1).astype(_F)
        if self.kind in ("adam", "amsgrad"):
            first, second = (np.power(_F(beta), t, dtype=_F) for beta in self.decays)
            sizes = rates * np.sqrt(_F(1) - second) / (_F(1) - first)
        elif self.kind == "adamax":
            sizes = rates / (_F(1) - np.power(_F(self.decays[0]), t, dtype=_F))
        return np.stack([sizes, rates], axis=-1).astype(_F)

    def products(self, product: np.float32, iteration: int, steps: int) -> np.ndarray:
        """Return Nadam's product of momenta after each of the next steps: float32 (steps,).

        `product` is what it is before them: Π β1·(1 − 0.96ᵗ/2) over the steps so far.
        """
        momenta = self._momenta(iteration + np.arange(steps, dtype=np.int64))
        found: np.ndarray = np.multiply.accumulate(np.concatenate([[_F(product)], momenta]))[1:]
        return found

    def _momenta(self, iterations: np.ndarray) -> np.ndarray:
        t = (iterations + 1).astype(_F)
        power = np.power(_F(0.96), t, dtype=_F)
        return np.asarray(_F(self.decays[0]) * (_F(1) - _F(0.5) * power), dtype=_F)

    def _nadam_rates(
        self, rates: np.ndarray, before: np.ndarray, product: np.float32 | None
    ) -> np.ndarray:
        """Factors of momentum, of weight decay, of gradient and of velocity: (steps, 4)."""
        if product is None:
            raise RuntimeError("Nadam's steps follow from its product of momenta")
        products = self.products(product, int(before[0]), len(before))
        now, following = self._momenta(before), self._momenta(before + 1)
        t = (before + 1).astype(_F)
        of_momentum = rates * following / (_F(1) - products * following)
        of_gradient = rates * (_F(1) - now) / (_F(1) - products)
        of_velocity = _F(1) / (_F(1) - np.power(_F(self.decays[1]), t, dtype=_F))
        return np.stack([of_momentum, rates, of_gradient, of_velocity], axis=-1).astype(_F)

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
    held = len(KINDS[kind].seconds)
    return () if held == 0 else weight if held == 1 else (held, *weight)


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


def updated(
    kind: str, weight: Weight, gradient: Tensor, rates: Sequence[Tensor], numbers: Sequence[Tensor]
) -> Weight:
    """Return the weight after one step of the optimizer `kind`.

    `rates` are step size, learning rate and what the kind needs more, `numbers` those of
    `OptimizerRule.numbers`: each (trials,).
    """

    def of_trial(values: Tensor) -> Tensor:
        return ops.reshape(values, (-1,) + (1,) * (len(weight.value.shape) - 1))

    size, rate = of_trial(rates[0]), of_trial(rates[1])
    more = [of_trial(rates[index]) for index in range(2, KINDS[kind].rates)]
    first, second, epsilon, decay = (of_trial(number) for number in numbers[:4])
    value = weight.value - weight.value * decay * rate
    given = Weight(value, weight.first, weight.second)
    return KINDS[kind].step(given, gradient, StepNumbers(size, first, second, epsilon, more))


class StepNumbers(NamedTuple):
    """What a step takes beside weight and gradient, each (trials, 1, …)."""

    size: Tensor
    first: Tensor
    second: Tensor
    epsilon: Tensor
    more: list[Tensor]


@dataclass(frozen=True)
class OptimizerKind:
    """What a program must know of an optimizer: its slots and its step."""

    step: Callable[[Weight, Tensor, StepNumbers], Weight]
    """The weight after a step from the weight after decay, and the gradient."""
    seconds: tuple[str, ...] = ()
    """What the second slot holds, by the names of `keras_private`; several are stacked."""
    mixes: bool = False
    """Whether a program takes 1 − β of each decay, the share of what is new, in place of β."""
    rates: int = 2
    """Numbers that change from step to step: step size, learning rate, and more."""


def _adam(weight: Weight, gradient: Tensor, of: StepNumbers) -> Weight:
    m = weight.first + (gradient - weight.first) * of.first
    v = weight.second + (gradient * gradient - weight.second) * of.second
    return Weight(weight.value - m * of.size / (ops.sqrt(v) + of.epsilon), m, v)


def _amsgrad(weight: Weight, gradient: Tensor, of: StepNumbers) -> Weight:
    m = weight.first + (gradient - weight.first) * of.first
    velocity, highest = weight.second[:, 0], weight.second[:, 1]
    v = velocity + (gradient * gradient - velocity) * of.second
    highest = ops.maximum(highest, v)
    step = m * of.size / (ops.sqrt(highest) + of.epsilon)
    return Weight(weight.value - step, m, ops.stack([v, highest], axis=1))


def _nadam(weight: Weight, gradient: Tensor, of: StepNumbers) -> Weight:
    of_gradient, of_velocity = of.more
    m = weight.first + (gradient - weight.first) * of.first
    v = weight.second + (gradient * gradient - weight.second) * of.second
    step = (m * of.size + gradient * of_gradient) / (ops.sqrt(v * of_velocity) + of.epsilon)
    return Weight(weight.value - step, m, v)


def _adamax(weight: Weight, gradient: Tensor, of: StepNumbers) -> Weight:
    m = weight.first + (gradient - weight.first) * of.first
    u = ops.maximum((1.0 - of.second) * weight.second, ops.absolute(gradient))
    return Weight(weight.value - m * of.size / (u + of.epsilon), m, u)


def _adagrad(weight: Weight, gradient: Tensor, of: StepNumbers) -> Weight:
    total = weight.second + gradient * gradient
    step = gradient * of.size / ops.sqrt(total + of.epsilon)
    return Weight(weight.value - step, weight.first, total)


def _adadelta(weight: Weight, gradient: Tensor, of: StepNumbers) -> Weight:
    squares = weight.second + (gradient * gradient - weight.second) * of.second
    scale = ops.sqrt(weight.first + of.epsilon) / ops.sqrt(squares + of.epsilon)
    step = scale * gradient
    steps = weight.first + (step * step - weight.first) * of.second
    return Weight(weight.value - step * of.size, steps, squares)


def _rmsprop(weight: Weight, gradient: Tensor, of: StepNumbers) -> Weight:
    v = weight.second + (gradient * gradient - weight.second) * (1.0 - of.second)
    m = weight.first * of.first + gradient * of.size / ops.sqrt(v + of.epsilon)
    return Weight(weight.value - m, m, v)


def _rmsprop_centered(weight: Weight, gradient: Tensor, of: StepNumbers) -> Weight:
    v, mean = weight.second[:, 0], weight.second[:, 1]
    v = v + (gradient * gradient - v) * (1.0 - of.second)
    mean = mean + (gradient - mean) * (1.0 - of.second)
    step = gradient * of.size / ops.sqrt(v - mean * mean + of.epsilon)
    m = weight.first * of.first + step
    return Weight(weight.value - m, m, ops.stack([v, mean], axis=1))


def _lion(weight: Weight, gradient: Tensor, of: StepNumbers) -> Weight:
    direction = ops.sign(weight.first + (gradient - weight.first) * of.first)
    m = weight.first + (gradient - weight.first) * of.second
    return Weight(weight.value - direction * of.size, m, weight.second)


def _sgd(weight: Weight, gradient: Tensor, of: StepNumbers) -> Weight:
    m = weight.first * of.first - gradient * of.size
    return Weight(weight.value + m, m, weight.second)


def _nesterov(weight: Weight, gradient: Tensor, of: StepNumbers) -> Weight:
    m = weight.first * of.first - gradient * of.size
    return Weight(weight.value + (m * of.first - gradient * of.size), m, weight.second)


KINDS = {
    "adam": OptimizerKind(_adam, ("second",), mixes=True),
    "amsgrad": OptimizerKind(_amsgrad, ("second", "highest"), mixes=True),
    "nadam": OptimizerKind(_nadam, ("second",), mixes=True, rates=4),
    "adamax": OptimizerKind(_adamax, ("second",), mixes=True),
    "adagrad": OptimizerKind(_adagrad, ("second",)),
    "adadelta": OptimizerKind(_adadelta, ("second",), mixes=True),
    "rmsprop": OptimizerKind(_rmsprop, ("second",)),
    "rmsprop_centered": OptimizerKind(_rmsprop_centered, ("second", "average")),
    "lion": OptimizerKind(_lion, mixes=True),
    "sgd": OptimizerKind(_sgd),
    "nesterov": OptimizerKind(_nesterov),
}
"""The optimizers that are known, by name."""
