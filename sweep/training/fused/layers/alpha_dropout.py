"""AlphaDropout: dropped units take selu's lowest value, and mean and variance are kept."""

from dataclasses import dataclass
from typing import Any

from keras import ops

from sweep.training.fused.layers import random_bits
from sweep.training.fused.layers.dropout import MAX_RATE
from sweep.training.fused.layers.part import At, Form, Gradients, Part
from sweep.training.fused.layers.refusal import require
from sweep.training.tensors import Tensor

_LOWEST = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946


@dataclass(frozen=True)
class AlphaDropping(Form):
    """AlphaDropout in a program; its numbers are the factor and the summand behind the mask."""

    absent = (1.0, 0.0)
    draws = True

    def forward(self, at: At, h: Tensor) -> tuple[Tensor, Tensor]:
        stays = at.bits(h) >= at.thresholds[:, None, None]
        found = at.number(0) * ops.where(stays, h, _LOWEST) + at.number(1)
        return at.silenced(found), ops.where(stays, at.number(0), 0.0)

    def backward(self, at: At, left: Tensor, dh: Tensor) -> tuple[Tensor, Gradients]:
        return dh * left, {}


@dataclass(frozen=True)
class AlphaDropout(Part):
    """AlphaDropout at a rate."""

    keras = ("AlphaDropout",)

    share: float

    @property
    def form(self) -> Form:
        return AlphaDropping()

    @property
    def rate(self) -> float:
        return self.share

    @property
    def numbers(self) -> tuple[float, ...]:
        factor = ((1 - self.share) * (1 + self.share * _LOWEST**2)) ** -0.5
        return factor, -factor * _LOWEST * self.share

    @classmethod
    def read(cls, layer: Any, width: int) -> "AlphaDropout":
        require(layer.noise_shape is None, "AlphaDropout with a noise shape")
        require(layer.rate <= MAX_RATE, f"AlphaDropout of {layer.rate}")
        require(width < random_bits.MAX_UNITS, f"AlphaDropout of {width} units")
        return cls(float(layer.rate))

    @classmethod
    def variables(cls, layer: Any) -> dict[str, Any]:
        return {"generator": layer.seed_generator.state} if layer.rate > 0 else {}
