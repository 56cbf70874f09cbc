"""What the fused trainer knows of a model, in plain values without Keras."""

import itertools
from dataclasses import dataclass

from sweep.training.fused.layers.activation import Activation
from sweep.training.fused.layers.part import Form, Part
from sweep.training.fused.layers.penalty import NO_PENALTY, Penalty
from sweep.training.fused.layers.registry import kinds_of
from sweep.training.fused.program.optimizers import OptimizerRule

Role = tuple[str, int]
"""Kind and layer of a variable. The kind is kernel or bias, one that a part has for its variables
(such as gamma, mean or generator; "gamma 2" of the second of its kind behind a Dense), or constant,
and then the layer is its number; in an optimizer it is iteration, rate, product, or a slot and a
kind, "first kernel"."""


@dataclass(frozen=True)
class Unit:
    """A Dense layer or the model's input, and the parts that follow, in their order.

    `kernel` and `bias` are the penalties on the Dense layer's variables.
    """

    width: int
    parts: tuple[Part, ...] = ()
    biased: bool = True
    kernel: Penalty = NO_PENALTY
    bias: Penalty = NO_PENALTY

    @property
    def activation(self) -> str:
        """The first activation; "linear" if there is none."""
        names = (part.name for part in self.parts if isinstance(part, Activation))
        return next(names, "linear")

    @property
    def penalties(self) -> dict[str, Penalty]:
        """The unit's penalties that are not 0, by kind of weight."""
        every = {"kernel": self.kernel, "bias": self.bias}
        for part, kinds in zip(self.parts, kinds_of(self.forms), strict=True):
            every |= {kinds[kind]: one for kind, one in part.penalties.items()}
        return {kind: one for kind, one in every.items() if one}

    @property
    def forms(self) -> tuple[Form, ...]:
        """What a program depends on of each part."""
        return tuple(part.form for part in self.parts)

    @property
    def generators(self) -> tuple[Part, ...]:
        """The parts that take random bits, in their order."""
        return tuple(part for part in self.parts if part.form.draws)


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
        of_parts = (unit.width * len(form.weights) for unit in units for form in unit.forms)
        return dense + sum(of_parts)
