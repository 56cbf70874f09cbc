"""What the fused trainer knows of a model: plain values, nothing of Keras."""

import itertools
from dataclasses import dataclass

from sweep.training.fused.optimizers import OptimizerRule

Role = tuple[str, int]
"""What a variable is: ("kernel", layer), ("bias", layer), ("generator", layer)."""


@dataclass(frozen=True)
class Penalty:
    """l1·Σ|w| + l2·Σw²."""

    l1: float = 0.0
    l2: float = 0.0


@dataclass(frozen=True)
class Unit:
    """A Dense layer with what follows it: activation, then dropout at `rate` (None: no layer).

    Or the model's input, with what follows that.
    """

    width: int
    activation: str = "linear"
    rate: float | None = None
    biased: bool = True
    kernel: Penalty = Penalty()
    bias: Penalty = Penalty()


@dataclass(frozen=True)
class Loss:
    """Binary cross-entropy against labels y·(1 − s) + s/2, s the smoothing.

    `from_logits` is False when the model ends in a sigmoid, which the loss undoes.
    """

    from_logits: bool
    smoothing: float = 0.0
    metric_smoothing: float = 0.0
    """Of the metric that is recorded of each epoch's fit."""


@dataclass(frozen=True)
class Description:
    """A model the fused trainer can carry. The last unit is the output: width 1, linear."""

    given: Unit
    """The input."""
    hidden: tuple[Unit, ...]
    output: Unit
    loss: Loss
    optimizer: OptimizerRule
    model_roles: tuple[Role, ...]
    optimizer_roles: tuple[Role, ...]

    @property
    def features(self) -> int:
        return self.given.width

    @property
    def params(self) -> int:
        """Number of trainable parameters."""
        units = (self.given, *self.hidden, self.output)
        return sum((a.width + b.biased) * b.width for a, b in itertools.pairwise(units))
