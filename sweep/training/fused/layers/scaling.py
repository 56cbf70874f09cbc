"""The scale γ and the shift β of a normalisation, whatever its mean is taken over."""

from dataclasses import dataclass
from typing import Any

from sweep.training.fused.layers.part import At, Form, Part
from sweep.training.fused.layers.penalty import Penalty, read_penalty
from sweep.training.fused.layers.refusal import require
from sweep.training.tensors import Tensor


@dataclass(frozen=True)
class ScalingForm(Form):
    """A normalisation in a program, as far as γ and β go."""

    scale: bool
    center: bool

    @property
    def weights(self) -> tuple[str, ...]:
        return ("gamma",) * self.scale + ("beta",) * self.center

    def scaled(self, at: At, value: Tensor) -> Tensor:
        """Return value · γ + β, (slots, rows, units) as value; without what the layer lacks."""
        if self.scale:
            value = value * at.weights["gamma"][:, None, :]
        if self.center:
            value = value + at.weights["beta"][:, None, :]
        return value


class ScalingPart(Part):
    """A normalisation as a trial has it, as far as γ and β go.

    `gamma` and `beta` are the penalties on γ and β; None if it does not scale or does not center.
    """

    gamma: Penalty | None
    beta: Penalty | None

    @property
    def penalties(self) -> dict[str, Penalty]:
        each = {"gamma": self.gamma, "beta": self.beta}
        return {kind: one for kind, one in each.items() if one is not None}


def read_scaling(layer: Any) -> dict[str, Penalty | None]:
    """Return the penalties on a Keras layer's γ and β, None for what it does not have.

    Raises NotCarriedError.
    """
    plain = layer.gamma_constraint is None and layer.beta_constraint is None
    require(plain, "a weight constraint")
    return {
        "gamma": read_penalty(layer.gamma_regularizer) if layer.scale else None,
        "beta": read_penalty(layer.beta_regularizer) if layer.center else None,
    }
