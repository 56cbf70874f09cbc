"""What the fused trainer knows of a model, in plain values without Keras."""

import itertools
from dataclasses import dataclass

from sweep.training.fused.program.optimizers import OptimizerRule

Role = tuple[str, int]
"""Kind and layer of a variable. The kind is kernel, bias, gamma, beta, mean, variance or generator
(of dropout), or constant, and then the layer is its number; in an optimizer it is iteration, rate,
product, or a slot and a kind, "first kernel"."""


@dataclass(frozen=True)
class Penalty:
    """The penalty l1·Σ|w| + l2·Σw² on a variable's weights w."""

    l1: float = 0.0
    l2: float = 0.0

    def __bool__(self) -> bool:
        """Return whether the penalty is not always 0."""
        return bool(self.l1 or self.l2)


@dataclass(frozen=True)
class Norm:
    """A BatchNormalization, before or after the activation of its unit.

    `gamma` and `beta` are the penalties on γ and β; None if it does not scale or does not center.
    """

    after: bool
    momentum: float
    epsilon: float
    gamma: Penalty | None = Penalty()
    beta: Penalty | None = Penalty()


@dataclass(frozen=True)
class Unit:
    """A Dense layer or the model's input, with what follows: activation, then dropout at `rate`.

    `rate` is None if no Dropout layer follows. `norm` stands before the dropout. `kernel` and
    `bias` are the penalties on the Dense layer's variables.
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
        """The unit's penalties that are not 0, by kind of weight."""
        every: dict[str, Penalty | None] = {"kernel": self.kernel, "bias": self.bias}
        if self.norm is not None:
            every |= {"gamma": self.norm.gamma, "beta": self.norm.beta}
        return {kind: one for kind, one in every.items() if one}


@dataclass(frozen=True)
class FusedLoss:
    """A model's loss: cross-entropy against labels y·(1 − s) + s/2, or a mean squared error.

    s is the smoothing. `from_logits` is False if the model ends in a sigmoid or softmax, which
    cross-entropy undoes.
    """

    from_logits: bool
    smoothing: float = 0.0
    metric_smoothing: float = 0.0
    """Smoothing of the labels in the metric that is recorded of each epoch's fit."""
    squared: bool = False
    """Mean squared error of the model's probability, instead of cross-entropy."""
    categorical: bool = False
    """Categorical cross-entropy of two outputs: the binary one of their difference."""
    kind: str = ""
    """Of tasks other than one of two classes: `classes`, `labels`, or the loss of amounts by the
    name that `sweep.tasks.losses` has for it; the three fields above are then false."""
    delta: float = 1.0
    """Of `huber`."""
    end: str = "linear"
    """Of amounts: the activation that the last layer's values pass."""

    @property
    def is_metric(self) -> bool:
        """Whether the loss is the same as the recorded metric."""
        return not (self.squared or self.smoothing or self.metric_smoothing)


@dataclass(frozen=True)
class Description:
    """A model that the fused trainer can carry. Its output is linear: what follows is the loss'.

    The roles are those of the model's and of the optimizer's variables, in Keras' order.
    """

    given: Unit
    """The input, flattened."""
    hidden: tuple[Unit, ...]
    output: Unit
    loss: FusedLoss
    optimizer: OptimizerRule
    model_roles: tuple[Role, ...]
    optimizer_roles: tuple[Role, ...]
    scaling: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    """What is subtracted from each feature, and what it is then divided by; None for nothing."""
    batch: int | None = None
    """Rows in a batch if the trial's own `fit` says so; None for those of the settings."""
    metrics: tuple[tuple[str, str], ...] = ()
    """Names of the metrics that the model is compiled with, each with what it is called here: see
    `reading.metrics`."""

    @property
    def features(self) -> int:
        """Number of the input's features."""
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
