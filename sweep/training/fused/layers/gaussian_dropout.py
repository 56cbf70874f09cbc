"""GaussianDropout: each unit is multiplied by a normal number of mean 1."""

import math
from dataclasses import dataclass
from typing import Any

from sweep.training.fused.layers import random_bits
from sweep.training.fused.layers.dropout import MAX_RATE
from sweep.training.fused.layers.part import At, Form, Gradients, Part
from sweep.training.fused.layers.refusal import require
from sweep.training.tensors import Tensor


@dataclass(frozen=True)
class Scattering(Form):
    """Factors in a program; its number is their standard deviation."""

    absent = (0.0,)
    draws = True

    def forward(self, at: At, h: Tensor) -> tuple[Tensor, Tensor]:
        factors = 1.0 + at.number(0) * random_bits.normal(at.bits(h))
        return h * factors, factors

    def backward(self, at: At, left: Tensor, dh: Tensor) -> tuple[Tensor, Gradients]:
        return dh * left, {}


@dataclass(frozen=True)
class GaussianDropout(Part):
    """Factors of mean 1 and variance rate / (1 − rate)."""

    keras = ("GaussianDropout",)

    share: float

    @property
    def form(self) -> Form:
        return Scattering()

    @property
    def numbers(self) -> tuple[float, ...]:
        return (math.sqrt(self.share / (1.0 - self.share)),)

    @classmethod
    def read(cls, layer: Any, width: int) -> "GaussianDropout":
        require(layer.rate <= MAX_RATE, f"GaussianDropout of {layer.rate}")
        require(width < random_bits.MAX_UNITS, f"GaussianDropout on {width} units")
        return cls(float(layer.rate))

    @classmethod
    def variables(cls, layer: Any) -> dict[str, Any]:
        return {"generator": layer.seed_generator.state} if layer.rate > 0 else {}
