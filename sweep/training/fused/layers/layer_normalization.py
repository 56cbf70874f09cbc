"""LayerNormalization over stacked trials, with its gradient written out.

Mean and variance are those of a row's own units; padding does not count. The variance is the
biased one.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from keras import ops

from sweep.training.fused.layers.part import At, Form, Gradients, Part, Tensor
from sweep.training.fused.layers.penalty import NO_PENALTY, Penalty, read_penalty
from sweep.training.fused.layers.refusal import name_of, require


class NormedRows(NamedTuple):
    """What the normalisation leaves for its gradient."""

    value: Tensor  # (slots, batch, units): before γ and β
    inverse: Tensor  # (slots, batch, 1): 1/√(variance + ε)


@dataclass(frozen=True)
class RowNormalising(Form):
    """LayerNormalization in a program; its numbers are ε and one over the count of units."""

    absent = (1.0, 0.0)

    scale: bool
    center: bool

    @property
    def weights(self) -> tuple[str, ...]:
        return ("gamma",) * self.scale + ("beta",) * self.center

    def forward(self, at: At, h: Tensor) -> tuple[Tensor, NormedRows]:
        centred = at.silenced(h - self._mean(at, h))
        inverse = ops.rsqrt(self._mean(at, centred * centred) + at.number(0))
        value = centred * inverse
        return self._applied(at, value), NormedRows(value, inverse)

    def backward(self, at: At, left: NormedRows, dh: Tensor) -> tuple[Tensor, Gradients]:
        found = {}
        if self.scale:
            found["gamma"] = ops.sum(dh * left.value, axis=1)
        if self.center:
            found["beta"] = ops.sum(dh, axis=1)
        if self.scale:
            dh = dh * at.weights["gamma"][:, None, :]
        along = self._mean(at, dh * left.value)
        return at.silenced(left.inverse * (dh - self._mean(at, dh) - left.value * along)), found

    def evaluated(self, at: At, h: Tensor) -> Tensor:
        return self.forward(at, h)[0]

    def _mean(self, at: At, h: Tensor) -> Tensor:
        """The mean over a row's own units, (slots, rows, 1); those that pad are 0 in h."""
        return at.number(1) * ops.sum(h, axis=2, keepdims=True)

    def _applied(self, at: At, value: Tensor) -> Tensor:
        if self.scale:
            value = value * at.weights["gamma"][:, None, :]
        if self.center:
            value = value + at.weights["beta"][:, None, :]
        return value


@dataclass(frozen=True)
class LayerNormalization(Part):
    """A LayerNormalization on `width` units; its other values are those of BatchNormalization."""

    keras = ("LayerNormalization",)

    width: int
    epsilon: float
    gamma: Penalty | None = NO_PENALTY
    beta: Penalty | None = NO_PENALTY

    @property
    def form(self) -> Form:
        return RowNormalising(self.gamma is not None, self.beta is not None)

    @property
    def numbers(self) -> tuple[float, ...]:
        return self.epsilon, 1 / self.width

    @property
    def penalties(self) -> dict[str, Penalty]:
        each = {"gamma": self.gamma, "beta": self.beta}
        return {kind: one for kind, one in each.items() if one is not None}

    @classmethod
    def read(cls, layer: Any, width: int) -> "LayerNormalization":
        name = name_of(layer)
        axes = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
        require(list(axes) in ([-1], [1]), f"{name} over axis {layer.axis}")
        require(not layer.rms_scaling, f"{name} with rms_scaling")
        require(layer.epsilon > 0, f"{name} with epsilon {layer.epsilon}")
        plain = layer.gamma_constraint is None and layer.beta_constraint is None
        require(plain, "a weight constraint")
        return cls(
            width=width,
            epsilon=float(layer.epsilon),
            gamma=read_penalty(layer.gamma_regularizer) if layer.scale else None,
            beta=read_penalty(layer.beta_regularizer) if layer.center else None,
        )

    @classmethod
    def variables(cls, layer: Any) -> dict[str, Any]:
        found = {"gamma": layer.gamma, "beta": layer.beta}
        return {kind: one for kind, one in found.items() if one is not None}
