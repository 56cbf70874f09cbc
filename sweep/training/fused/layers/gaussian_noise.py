"""GaussianNoise: a normal number of the given spread is added to each unit."""

from dataclasses import dataclass
from typing import Any

from sweep.training.fused.layers import random_bits
from sweep.training.fused.layers.part import At, Form, Gradients, Part
from sweep.training.fused.layers.refusal import require
from sweep.training.tensors import Tensor


@dataclass(frozen=True)
class Noising(Form):
    """Noise in a program; its number is the standard deviation."""

    absent = (0.0,)
    draws = True

    def forward(self, at: At, h: Tensor) -> tuple[Tensor, None]:
        return h + at.silenced(at.number(0) * random_bits.normal(at.bits(h))), None

    def backward(self, at: At, left: None, dh: Tensor) -> tuple[Tensor, Gradients]:
        return dh, {}


@dataclass(frozen=True)
class GaussianNoise(Part):
    """Normal noise of a standard deviation."""

    keras = ("GaussianNoise",)

    deviation: float

    @property
    def form(self) -> Form:
        return Noising()

    @property
    def numbers(self) -> tuple[float, ...]:
        return (self.deviation,)

    @classmethod
    def read(cls, layer: Any, width: int) -> "GaussianNoise":
        require(width < random_bits.MAX_UNITS, f"GaussianNoise on {width} units")
        return cls(float(layer.stddev))

    @classmethod
    def variables(cls, layer: Any) -> dict[str, Any]:
        return {"generator": layer.seed_generator.state} if layer.stddev > 0 else {}
