"""Keras' optimizers as plain update rules over stacked trials.

A rule has static parts, on which the program depends (`kind`), and numbers, which are inputs
of the program, so that trials with other numbers share it. A weight has two slots, `first`
(the momentum) and `second` (Adam's velocity; empty for SGD).
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from sweep.training.fused.schedules import Schedule, read_schedule

Tensor = Any

_F = np.float32

_REFUSED = (
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "use_ema",
    "loss_scale_factor",
    "gradient_accumulation_steps",
    "amsgrad",
)


@dataclass(frozen=True)
class OptimizerRule:
    """An optimizer and its numbers. `schedule` is None when the rate is a state variable.

    `kind` is adam, sgd or nesterov. For Adam `decays` are β1 and β2; for SGD the momentum and
    0. `weight_decay` is decoupled from the gradient.
    """

    kind: str
    schedule: Schedule | None
    decays: tuple[float, float]
    epsilon: float
    weight_decay: float

    @property
    def numbers(self) -> np.ndarray:
        """What the program takes of each trial: float32 (4,)."""
        first, second = self.decays
        if self.kind == "adam":
            first, second = 1 - first, 1 - second
        return np.array([first, second, self.epsilon, self.weight_decay], dtype=_F)

    def rates(self, learning_rate: np.float32 | None, iteration: int, steps: int) -> np.ndarray:
        """Step size and learning rate of the next `steps` steps: float32 (steps, 2).

        `learning_rate` is the state's, used when there is no schedule. Adam's step size holds
        the bias correction, rate·√(1 − β2ᵗ)/(1 − β1ᵗ), in float32 as in Keras.
        """
        before = iteration + np.arange(steps, dtype=np.int64)
        rates = self.learning_rates(learning_rate, before)
        sizes = rates
        if self.kind == "adam":
            t = (before + 1).astype(_F)
            first, second = (np.power(_F(beta), t, dtype=_F) for beta in self.decays)
            sizes = rates * np.sqrt(_F(1) - second) / (_F(1) - first)
        return np.stack([sizes, rates], axis=-1).astype(_F)

    def learning_rates(
        self, learning_rate: np.float32 | None, iterations: np.ndarray
    ) -> np.ndarray:
        """The learning rate at each of `iterations`: float32 (steps,)."""
        if self.schedule is None:
            return np.full(len(iterations), learning_rate, dtype=_F)
        return self.schedule.rates(iterations)


def read_optimizer(optimizer: Any) -> OptimizerRule | str:
    """The rule of a built Keras optimizer, or one line saying why it is left to Keras."""
    kind = type(optimizer)
    if kind not in (keras.optimizers.Adam, keras.optimizers.AdamW, keras.optimizers.SGD):
        return f"optimizer {kind.__name__}"
    config = optimizer.get_config()
    for setting in _REFUSED:
        if config.get(setting):
            return f"{kind.__name__} with {setting}={config[setting]}"
    if hasattr(optimizer, "_exclude_from_weight_decay"):
        return "weights excluded from weight decay"
    schedule = None
    if not isinstance(optimizer._learning_rate, keras.Variable):
        schedule = read_schedule(optimizer._learning_rate)
        if schedule is None:
            return f"learning rate {type(optimizer._learning_rate).__name__}"
    weight_decay = float(config.get("weight_decay") or 0.0)
    if kind is keras.optimizers.SGD:
        name = "nesterov" if config["nesterov"] and config["momentum"] else "sgd"
        decays = (float(config["momentum"]), 0.0)
        return OptimizerRule(name, schedule, decays, 0.0, weight_decay)
    decays = (float(config["beta_1"]), float(config["beta_2"]))
    return OptimizerRule("adam", schedule, decays, float(config["epsilon"]), weight_decay)


@dataclass(frozen=True)
class Weight:
    """A weight of all trials with its two slots: each (trials, …) of one shape."""

    value: Tensor
    first: Tensor
    second: Tensor


def updated(kind: str, weight: Weight, gradient: Tensor, rates: Tensor, numbers: Tensor) -> Weight:
    """The weight after one step; rates (2, trials), numbers (trials, 4)."""

    def of_trial(values: Tensor) -> Tensor:
        return ops.reshape(values, (-1,) + (1,) * (len(weight.value.shape) - 1))

    size, rate = of_trial(rates[0]), of_trial(rates[1])
    first, second, epsilon, decay = (of_trial(numbers[:, index]) for index in range(4))
    value = weight.value - weight.value * decay * rate
    if kind == "adam":
        m = weight.first + (gradient - weight.first) * first
        v = weight.second + (gradient * gradient - weight.second) * second
        return Weight(value - m * size / (ops.sqrt(v) + epsilon), m, v)
    m = weight.first * first - gradient * size
    if kind == "nesterov":
        return Weight(value + (m * first - gradient * size), m, weight.second)
    return Weight(value + m, m, weight.second)
