"""What a program depends on: the value `Shape`, and the rows, layers and arrays that it counts.

Which trials share a shape is decided in `shape_policy`.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sweep.training.fused.program.activations import activation
from sweep.training.fused.program.optimizers import second_slot

_EVALUATION_ROWS = 512


LossKind = Literal["metric", "smoothed", "squared probability", "squared logit"]
Depth = Literal["exact", "padded", "looped"]
INPUT = -1
"""The input's place among the layers."""


@dataclass(frozen=True)
class NormPlace:
    """A BatchNormalization: its layer, on which side of the activation, and what it has."""

    layer: int
    after: bool
    scale: bool
    center: bool


class Layer(NamedTuple):
    """A hidden layer in a program, or the input.

    In a loop over alike layers `index` is a tensor, and `like` one of those layers.
    """

    like: int
    index: Any


@dataclass(frozen=True)
class RowCounts:
    """What the data decide: rows, batches and the chunks in which logits are computed."""

    train: int
    validation: int
    batch: int

    @property
    def steps(self) -> int:
        """Batches an epoch, the last one perhaps smaller."""
        return -(-self.train // self.batch)

    @property
    def chunks(self) -> int:
        """Number of equal chunks that hold train and validation rows."""
        return -(-(self.train + self.validation) // _EVALUATION_ROWS)

    @property
    def chunk(self) -> int:
        """Rows in a chunk; the last one may end in padding."""
        return -(-(self.train + self.validation) // self.chunks)


@dataclass(frozen=True)
class Shape:
    """All that a program depends on; whatever else differs between trials is its input."""

    rows: RowCounts
    features: int
    widths: tuple[int, ...]
    """Padded widths of the hidden layers."""
    activations: tuple[str, ...]
    depth: Depth
    """Whether every trial has all the layers; or those beyond its own pass its values on; or all
    but the first stand in one stack, and a loop runs over as many as the deepest trial has."""
    biased: tuple[bool, ...]
    """Which layers, the output too, have a bias; elsewhere it is held at zero."""
    input_dropout: bool
    norms: tuple[NormPlace, ...]
    outputs: int
    """1, or 2 whose difference is the logit."""
    loss: LossKind
    """Cross-entropy, which is the metric too; with labels smoothed, for the loss or its metric; the
    squared error of the probability or of the logit."""
    optimizer: str
    clip: str
    l1: bool
    """Whether there is an L1 penalty."""
    bias_penalty: bool
    """Whether there is a penalty on anything but kernels."""
    slots: int
    """Trials in the program."""

    @property
    def masked(self) -> bool:
        """Whether padded units must be silenced, because f(0) ≠ 0."""
        return not all(activation(name).zero_at_zero for name in self.activations)

    @property
    def looped(self) -> bool:
        """Whether the hidden layers behind the first are a loop's."""
        return self.depth == "looped"

    @property
    def unrolled(self) -> range:
        """The hidden layers that are written out."""
        return range(1 if self.looped else len(self.widths))

    @property
    def gaps(self) -> bool:
        """Whether a layer may be computed that a trial in the program does not have."""
        return self.depth == "padded" or (self.looped and self.slots > 1)

    @property
    def masks(self) -> tuple[int, ...]:
        """Units that each dropout mask covers: the hidden layers', then the input's."""
        return (*self.widths, self.features) if self.input_dropout else self.widths

    @property
    def roles(self) -> tuple[tuple[str, int], ...]:
        """Kind and layer of each array of weights; of a loop's stack, the first layer in it.

        Kernel, bias, kernel, …, the output's; then γ and β.
        """
        layers = (0, 1, len(self.widths)) if self.looped else range(len(self.widths) + 1)
        dense = [(kind, layer) for layer in layers for kind in ("kernel", "bias")]
        return (*dense, *self._norm_weights)

    @property
    def weights(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of one trial's arrays of weights, as `roles` names them."""
        return tuple((*self.stack(role), *self._weight(*role)) for role in self.roles)

    @property
    def seconds(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of one trial's second slots."""
        return tuple(
            (*self.stack(role), *second_slot(self.optimizer, self._weight(*role)))
            for role in self.roles
        )

    def stack(self, role: tuple[str, int]) -> tuple[int, ...]:
        """(layers,) of a role's array that holds a loop's layers, else ()."""
        return (len(self.widths) - 1,) if self.row(*role) else ()

    def row(self, kind: str, layer: int) -> tuple[int, ...]:
        """(row,) of a weight in its array, where that holds a loop's layers, else ()."""
        inside = self.looped and kind in ("kernel", "bias") and 0 < layer < len(self.widths)
        return (layer - 1,) if inside else ()

    def _weight(self, kind: str, layer: int) -> tuple[int, ...]:
        if kind != "kernel":
            return (self._units(layer),)
        return (self._units(layer - 1), self._units(layer))

    @property
    def averages(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of one trial's moving averages, which follow its weights: mean, variance, …"""
        return tuple((self._units(norm.layer),) for norm in self.norms for _ in range(2))

    @property
    def _norm_weights(self) -> list[tuple[str, int]]:
        return [
            (kind, norm.layer)
            for norm in self.norms
            for kind, there in (("gamma", norm.scale), ("beta", norm.center))
            if there
        ]

    def _units(self, layer: int) -> int:
        return (*self.widths, self.outputs, self.features)[layer]

    def norm(self, layer: int) -> NormPlace | None:
        """The normalisation in `layer`, if it has one."""
        return next((norm for norm in self.norms if norm.layer == layer), None)

    def position(self, kind: str, layer: int) -> int:
        """The array that holds a weight or a moving average; the output is layer len(widths).

        `kind` is kernel, bias, gamma, beta, mean or variance.
        """
        averages = [(kind, norm.layer) for norm in self.norms for kind in ("mean", "variance")]
        return [*self.roles, *averages].index((kind, 1 if self.row(kind, layer) else layer))

    @property
    def ordinals(self) -> int:
        """How many weights a trial has, each of a loop's layers counted."""
        return 2 * len(self.widths) + 2 + len(self._norm_weights)

    def ordinal(self, kind: str, layer: Any) -> Any:
        """A weight's number among these; the layer of a kernel or a bias may be a tensor."""
        if kind in ("kernel", "bias"):
            return 2 * layer + (kind == "bias")
        return 2 * len(self.widths) + 2 + self._norm_weights.index((kind, layer))

    def penalised(self, kind: str) -> bool:
        """Whether weights of that kind may have a penalty."""
        return kind == "kernel" or self.bias_penalty
