"""Dropout: units are 0 with the rate's probability, and the others scaled up."""

from dataclasses import dataclass
from typing import Any

from sweep.training.fused.layers import random_bits
from sweep.training.fused.layers.part import At, Form, Gradients, Part
from sweep.training.fused.layers.refusal import require
from sweep.training.tensors import Tensor

MAX_RATE = 1 - 2**-20


@dataclass(frozen=True)
class Dropping(Form):
    """Dropout in a program: a trial without it has a rate of 0."""

    draws = True

    def forward(self, at: At, h: Tensor) -> tuple[Tensor, Tensor]:
        mask = random_bits.mask(h.shape[1], h.shape[2], at.keys, at.thresholds, at.scales)
        real = at.real() if at.masked else None
        mask = mask if real is None else mask * real
        return h * mask, mask

    def backward(self, at: At, left: Tensor, dh: Tensor) -> tuple[Tensor, Gradients]:
        return dh * left, {}


@dataclass(frozen=True)
class Dropout(Part):
    """Dropout at a rate."""

    keras = ("Dropout",)

    share: float

    @property
    def form(self) -> Form:
        return Dropping()

    @property
    def rate(self) -> float:
        return self.share

    @classmethod
    def read(cls, layer: Any, width: int) -> "Dropout":
        require(layer.noise_shape is None, "Dropout with a noise shape")
        require(layer.rate <= MAX_RATE, f"Dropout of {layer.rate}")
        require(width < random_bits.MAX_UNITS, f"Dropout of {width} units")
        return cls(float(layer.rate))

    @classmethod
    def variables(cls, layer: Any) -> dict[str, Any]:
        return {"generator": layer.seed_generator.state} if layer.rate > 0 else {}
