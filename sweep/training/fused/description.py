"""What the fused trainer knows of a model: plain values, nothing of Keras."""

import itertools
from dataclasses import dataclass

from sweep.training.fused.program.optimizers import OptimizerRule

Role = tuple[str, int]
"""What a variable is: ("kernel", layer), and so bias, gamma, beta, mean, variance, generator."""


@dataclass(frozen=True)
class Penalty:
    """l1·Σ|w| + l2·Σw²."""

    l1: float = 0.0
    l2: float = 0.0

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.l1 or self.l2)


@dataclass(frozen=True)
class Norm:
    """A BatchNormalization, before or after the activation of its unit.

    `gamma` and `beta` are None where it does not scale or center.
    """

    after: bool
    momentum: float
    epsilon: float
    gamma: Penalty | None = Penalty()
    beta: Penalty | None = Penalty()


@dataclass(frozen=True)
class Unit:
    """A Dense layer with what follows it: activation, then dropout at `rate` (None: no layer).

    Or the model's input, with what follows that. `norm` stands before dropout.
    """

    width: int
    activation: str = "linear"
    rate: float | None = None
    biased: bool = True
    norm: Norm | None = None
    kernel: Penalty = Penalty()
    bias: Penalty = Penalty()

    @property
    def penalties(self) -> dict[str, Penalty]:
        """Of each kind of weight that has one."""
        every: dict[str, Penalty | None] = {"kernel": self.kernel, "bias": self.bias}
        if self.norm is not None:
            every |= {"gamma": self.norm.gamma, "beta": self.norm.beta}
        return {kind: one for kind, one in every.items() if one}


@dataclass(frozen=True)
class Loss:
    """Binary cross-entropy against labels y·(1 − s) + s/2, s the smoothing; or a mean square.

    `from_logits` is False when the model ends in a sigmoid or softmax, which cross-entropy undoes.
    """

    from_logits: bool
    smoothing: float = 0.0
    metric_smoothing: float = 0.0
    """Of the metric that is recorded of each epoch's fit."""
    squared: bool = False
    """Mean squared error of the model's output, instead of cross-entropy."""
    categorical: bool = False
    """Categorical cross-entropy of two outputs: the binary one of their difference."""

    @property
    def is_metric(self) -> bool:
        """Whether it is the very metric that is recorded."""
        return not (self.squared or self.smoothing or self.metric_smoothing)


@dataclass(frozen=True)
class Description:
    """A model the fused trainer can carry. The last unit is the output: width 1 or 2, linear."""

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
        dense = sum((a.width + b.biased) * b.width for a, b in itertools.pairwise(units))
        norms = ((unit.width, unit.norm) for unit in units if unit.norm is not None)
        return dense + sum(
            width * ((norm.gamma is not None) + (norm.beta is not None)) for width, norm in norms
        )
