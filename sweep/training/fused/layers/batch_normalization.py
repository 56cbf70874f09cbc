"""BatchNormalization over stacked trials, with its gradient written out.

Statistics are those of a batch's real rows: each row counts with its share of the batch, 0 for
padding. The variance is the biased one, for the batch and for the moving average (as Keras has
it). A padded unit is 0 in every row: mean and variance are 0, the value is 0 · γ + β with γ and
β of 0, their gradients are 0, and the moving averages stay 0.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from keras import ops

from sweep.training.fused.layers.part import At, Form, Gradients
from sweep.training.fused.layers.penalty import NO_PENALTY, Penalty
from sweep.training.fused.layers.refusal import name_of, require
from sweep.training.fused.layers.scaling import ScalingForm, ScalingPart, read_scaling
from sweep.training.tensors import Tensor


class Normed(NamedTuple):
    """What the normalisation of a batch leaves for its gradient and for the moving averages."""

    value: Tensor  # (slots, batch, units): before γ and β
    inverse: Tensor  # (slots, 1, units): 1/√(variance + ε)
    mean: Tensor  # (slots, units)
    variance: Tensor  # (slots, units)


@dataclass(frozen=True)
class Normalising(ScalingForm):
    """BatchNormalization in a program; its numbers are momentum, 1 − momentum and ε."""

    absent = (0.0, 0.0, 1.0)  # ε: an empty slot's variance is 0

    @property
    def averages(self) -> tuple[str, ...]:
        return "mean", "variance"

    def forward(self, at: At, h: Tensor) -> tuple[Tensor, Normed]:
        rows = at.share[None, :, None]
        mean = ops.sum(h * rows, axis=1)
        centred = h - mean[:, None, :]
        variance = ops.sum(centred * centred * rows, axis=1)
        inverse = ops.rsqrt(variance + at.numbers[:, 2:])[:, None, :]
        value = centred * inverse
        return self.scaled(at, value), Normed(value, inverse, mean, variance)

    def backward(self, at: At, left: Normed, dh: Tensor) -> tuple[Tensor, Gradients]:
        gamma = ops.sum(dh * left.value, axis=1)
        beta = ops.sum(dh, axis=1)
        at_batch = beta[:, None, :] + left.value * gamma[:, None, :]
        dz = left.inverse * (dh - at.share[None, :, None] * at_batch)
        found = {}
        if self.scale:
            dz = dz * at.weights["gamma"][:, None, :]
            found["gamma"] = gamma
        if self.center:
            found["beta"] = beta
        return dz, found

    def evaluated(self, at: At, h: Tensor) -> Tensor:
        mean = at.weights["mean"][:, None, :]
        inverse = ops.rsqrt(at.weights["variance"] + at.numbers[:, 2:])[:, None, :]
        return self.scaled(at, (h - mean) * inverse)

    def moved(self, at: At, left: Normed) -> Gradients:
        momentum, rest = at.numbers[:, :1], at.numbers[:, 1:2]
        averages = {"mean": left.mean, "variance": left.variance}
        return {kind: at.weights[kind] * momentum + new * rest for kind, new in averages.items()}


@dataclass(frozen=True)
class BatchNormalization(ScalingPart):
    """A BatchNormalization.

    `gamma` and `beta` are the penalties on γ and β; None if it does not scale or does not center.
    """

    keras = ("BatchNormalization",)

    momentum: float
    epsilon: float
    gamma: Penalty | None = NO_PENALTY
    beta: Penalty | None = NO_PENALTY

    @property
    def form(self) -> Form:
        return Normalising(self.gamma is not None, self.beta is not None)

    @property
    def numbers(self) -> tuple[float, ...]:
        return self.momentum, 1 - self.momentum, self.epsilon

    @classmethod
    def read(cls, layer: Any, width: int) -> "BatchNormalization":
        name = name_of(layer)
        require(layer.axis in (-1, 1), f"{name} over axis {layer.axis}")
        require(not layer.renorm, f"{name} with renorm")
        require(not layer.synchronized, f"{name} synchronized")
        require(layer.epsilon > 0, f"{name} with epsilon {layer.epsilon}")
        return cls(
            momentum=layer.momentum,
            epsilon=layer.epsilon,
            **read_scaling(layer),
        )

    @classmethod
    def variables(cls, layer: Any) -> dict[str, Any]:
        found = {
            "gamma": layer.gamma, "beta": layer.beta,
            "mean": layer.moving_mean, "variance": layer.moving_variance,
        }  # fmt: skip
        return {kind: one for kind, one in found.items() if one is not None}
