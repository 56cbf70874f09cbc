"""What a program depends on: the value `Shape`, and the rows, layers and arrays that it counts.

Which trials share a shape is decided in `shape_policy`.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sweep.training.fused.program.activations import activation
from sweep.training.fused.program.optimizers import second_slot

_EVALUATION_ROWS = 512


LossKind = str
Depth = Literal["exact", "padded", "looped"]
INPUT = -1
"""The layer number of the model's input; hidden layers count from 0."""


@dataclass(frozen=True)
class NormPlace:
    """A BatchNormalization: its layer, whether after the activation, whether with γ and with β."""

    layer: int
    after: bool
    scale: bool
    center: bool


class Layer(NamedTuple):
    """A hidden layer in a program, or the input.

    `index` is the layer's number, in a loop over alike layers a tensor. `like` is the number of a
    layer of the same kind that is known when the program is traced: the same number, or the loop's
    first layer.
    """

    like: int
    index: Any


@dataclass(frozen=True)
class RowCounts:
    """Numbers of training rows, validation rows and rows in a batch.

    From them follow the batches of an epoch and the chunks in which logits are computed.
    """

    train: int
    validation: int
    batch: int

    @property
    def steps(self) -> int:
        """Number of batches in an epoch; the last one may be smaller."""
        return -(-self.train // self.batch)

    @property
    def chunks(self) -> int:
        """Number of equal chunks that hold train and validation rows."""
        return -(-(self.train + self.validation) // _EVALUATION_ROWS)

    @property
    def chunk(self) -> int:
        """Number of rows in a chunk; the last chunk may end in padding."""
        return -(-(self.train + self.validation) // self.chunks)


@dataclass(frozen=True)
class Shape:
    """All that a program depends on; what else differs between trials is the program's input."""

    rows: RowCounts
    features: int
    widths: tuple[int, ...]
    """Padded widths of the hidden layers."""
    activations: tuple[str, ...]
    """Of each hidden layer; of a mixed program, those that a layer may have."""
    depth: Depth
    """How trials of other depths share the program. exact: they do not. padded: layers that a trial
    does not have pass their input on. looped: all hidden layers but the first stand in one stack,
    and a loop runs over as many as the deepest trial has."""
    biased: tuple[bool, ...]
    """Whether each layer, the output last, has a bias; a bias that is not there is held at zero."""
    input_dropout: bool
    norms: tuple[NormPlace, ...]
    outputs: int
    """Units of the output. Of one of two classes: 1, the logit; or 2, whose difference is it."""
    loss: LossKind
    """One of two classes: metric is cross-entropy, which is the recorded metric as well; smoothed
    is cross-entropy with labels smoothed for the loss, for the metric or for both; squared is the
    squared error of the probability. The others are in `losses`."""
    optimizer: str
    clip: str
    l1: bool
    """Whether there is an L1 penalty."""
    bias_penalty: bool
    """Whether there is a penalty on anything but kernels."""
    slots: int
    """Number of trials that the program has room for."""
    end: str = "linear"
    """Of amounts: the activation behind the last layer."""
    classes: tuple[int, ...] = ()
    """Of a mixed program: the widths up to which it computes products, the greatest that of its
    layers; each layer takes the least that holds it. () of any other program."""
    scaled: bool = False
    """Whether features are shifted and divided first."""

    @property
    def several(self) -> bool:
        """Whether the loss takes several outputs of a row, so that they have an axis of their own.

        The two outputs of one of two classes become one: their difference.
        """
        return self.outputs > 1 and self.loss not in ("metric", "smoothed", "squared")

    @property
    def masked(self) -> bool:
        """Whether padded units must be silenced, because f(0) ≠ 0."""
        return not all(activation(name).zero_at_zero for name in self.activations)

    @property
    def mixed(self) -> bool:
        """Whether the hidden layers' widths and activations are known to the trial alone.

        Such a program is looped, and has one slot.
        """
        return bool(self.classes)

    def by_value(self, like: int) -> bool:
        """Return whether the slopes of a layer's activation are known from its values alone."""
        names = self.activations if self.mixed else (self.activations[like],)
        return all(activation(name).by_value for name in names)

    @property
    def looped(self) -> bool:
        """Whether the hidden layers behind the first are computed in a loop."""
        return self.depth == "looped"

    @property
    def unrolled(self) -> range:
        """The numbers of the hidden layers that are written out, not computed in a loop."""
        return range(1 if self.looped else len(self.widths))

    @property
    def gaps(self) -> bool:
        """Whether a layer may be computed that a trial in the program does not have."""
        return self.depth == "padded" or (self.looped and self.slots > 1)

    @property
    def masks(self) -> tuple[int, ...]:
        """Numbers of units that dropout masks cover: those of the hidden layers, then the input's.

        The input's mask is missing if no dropout follows the input.
        """
        return (*self.widths, self.features) if self.input_dropout else self.widths

    @property
    def roles(self) -> tuple[tuple[str, int], ...]:
        """Kind and layer of each array of weights.

        Kernel, bias, kernel, …, those of the output; then γ and β. A loop's stack has the role of
        the first layer in it.
        """
        layers = (0, 1, len(self.widths)) if self.looped else range(len(self.widths) + 1)
        dense = [(kind, layer) for layer in layers for kind in ("kernel", "bias")]
        return (*dense, *self._norm_weights)

    @property
    def weights(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of one trial's arrays of weights, in the order of `roles`."""
        return tuple((*self.stack(role), *self._weight(*role)) for role in self.roles)

    @property
    def seconds(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of one trial's second slots of its weights, in the order of `roles`."""
        return tuple(
            (*self.stack(role), *second_slot(self.optimizer, self._weight(*role)))
            for role in self.roles
        )

    def stack(self, role: tuple[str, int]) -> tuple[int, ...]:
        """Return the leading axis of a role's array: (layers,) of a loop's stack, else ()."""
        return (len(self.widths) - 1,) if self.row(*role) else ()

    def row(self, kind: str, layer: int) -> tuple[int, ...]:
        """Return where a weight stands in its array: (row,) in a loop's stack, else ()."""
        inside = self.looped and kind in ("kernel", "bias") and 0 < layer < len(self.widths)
        return (layer - 1,) if inside else ()

    def _weight(self, kind: str, layer: int) -> tuple[int, ...]:
        if kind != "kernel":
            return (self._units(layer),)
        return (self._units(layer - 1), self._units(layer))

    @property
    def averages(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of one trial's moving averages: mean and variance of each normalisation."""
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
        """Return the normalisation in `layer`, None if the layer has none."""
        return next((norm for norm in self.norms if norm.layer == layer), None)

    def position(self, kind: str, layer: int) -> int:
        """Return the number of the array that holds a weight or a moving average.

        `kind` is kernel, bias, gamma, beta, mean or variance; the output is layer len(widths). The
        moving averages stand behind the weights.
        """
        averages = [(kind, norm.layer) for norm in self.norms for kind in ("mean", "variance")]
        return [*self.roles, *averages].index((kind, 1 if self.row(kind, layer) else layer))

    @property
    def ordinals(self) -> int:
        """Number of a trial's weights: each layer in a loop's stack has weights of its own."""
        return 2 * len(self.widths) + 2 + len(self._norm_weights)

    def ordinal(self, kind: str, layer: Any) -> Any:
        """Return a weight's number among all of a trial's weights, from 0 to `ordinals` − 1.

        The layer of a kernel or of a bias may be a tensor.
        """
        if kind in ("kernel", "bias"):
            return 2 * layer + (kind == "bias")
        return 2 * len(self.widths) + 2 + self._norm_weights.index((kind, layer))

    def penalised(self, kind: str) -> bool:
        """Return whether weights of that kind may have a penalty."""
        return kind == "kernel" or self.bias_penalty
