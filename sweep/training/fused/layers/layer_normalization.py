"""LayerNormalization over stacked trials, with its gradient written out.

Mean and variance are those of a row's own units; padding does not count. The variance is the
biased one.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from keras import ops

from sweep.training.fused.layers.part import At, Form, Gradients
from sweep.training.fused.layers.penalty import NO_PENALTY, Penalty
from sweep.training.fused.layers.refusal import name_of, require
from sweep.training.fused.layers.scaling import ScalingForm, ScalingPart, read_scaling
from sweep.training.tensors import Tensor


class NormedRows(NamedTuple):
    """What the normalisation leaves for its gradient."""

    value: Tensor  # (slots, batch, units): before γ and β
    inverse: Tensor  # (slots, batch, 1): 1/√(variance + ε)


@dataclass(frozen=True)
class RowNormalising(ScalingForm):
    """LayerNormalization in a program; its numbers are ε and one over the count of units."""

    absent = (1.0, 0.0)

    def forward(self, at: At, h: Tensor) -> tuple[Tensor, NormedRows]:
        centred = at.silenced(h - self._mean(at, h))
        inverse = ops.rsqrt(self._mean(at, centred * centred) + at.number(0))
        value = centred * inverse
        return self.scaled(at, value), NormedRows(value, inverse)

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


@dataclass(frozen=True)
class LayerNormalization(ScalingPart):
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

    @classmethod
    def read(cls, layer: Any, width: int) -> "LayerNormalization":
        name = name_of(layer)
        axes = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
        require(list(axes) in ([-1], [1]), f"{name} over axis {layer.axis}")
        require(not layer.rms_scaling, f"{name} with rms_scaling")
        require(layer.epsilon > 0, f"{name} with epsilon {layer.epsilon}")
        return cls(
            width=width,
            epsilon=float(layer.epsilon),
            **read_scaling(layer),
        )

    @classmethod
    def variables(cls, layer: Any) -> dict[str, Any]:
        found = {"gamma": layer.gamma, "beta": layer.beta}
        return {kind: one for kind, one in found.items() if one is not None}
