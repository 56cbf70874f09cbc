"""What a program depends on: the value `Shape`, and the rows, layers and arrays that it counts.

Which trials share a shape is decided in `shape_policy`.
"""

import itertools
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sweep.training.fused.layers.activation import Activating
from sweep.training.fused.layers.activations import activation
from sweep.training.fused.layers.part import Form
from sweep.training.fused.layers.registry import kinds_of
from sweep.training.fused.program.optimizers import second_slot

_EVALUATION_ROWS = 512


LossKind = str
Depth = Literal["exact", "padded", "looped"]
INPUT = -1
"""The layer number of the model's input; hidden layers count from 0."""


Chain = tuple[Form, ...]
"""The parts behind a Dense, or on the input, in their order."""


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
    `unscored` training rows, which stand first, have no logits computed.
    """

    train: int
    validation: int
    batch: int
    unscored: int = 0

    @property
    def steps(self) -> int:
        """Number of batches in an epoch; the last one may be smaller."""
        return -(-self.train // self.batch)

    @property
    def chunks(self) -> int:
        """Number of equal chunks that hold the rows whose logits are computed."""
        return -(-self.evaluated // _EVALUATION_ROWS)

    @property
    def chunk(self) -> int:
        """Number of rows in a chunk; the last chunk may end in padding."""
        return -(-self.evaluated // self.chunks)

    @property
    def scored(self) -> int:
        """Number of training rows whose logits are computed."""
        return self.train - self.unscored

    @property
    def evaluated(self) -> int:
        """Number of rows whose logits are computed: training rows, then validation rows."""
        return self.scored + self.validation


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
    chains: tuple[Chain, ...]
    """Of each hidden layer, the input's last, if any of them is not plain; () of one that is. A
    plain layer has its activation and dropout, a plain input nothing."""
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
        plain = all(activation(name).zero_at_zero for name in self.activations)
        forms = itertools.chain(*self.chains)
        return not plain or any(
            isinstance(form, Activating) and not form.zero_at_zero for form in forms
        )

    def chain(self, layer: int) -> Chain:
        """Return the parts of a hidden layer or of the input; () of a plain one, and the output."""
        return self.chains[layer] if self.chains and layer < len(self.widths) else ()

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

    def learns(self, layer: int) -> bool:
        """Return whether a part of the layer, or of the input, has weights."""
        return any(form.weights for form in self.chain(layer))

    def optional(self, layer: int) -> bool:
        """Return whether a trial's layer may be without a part of the program's."""
        return self.mixed and layer != INPUT

    @property
    def part_numbers(self) -> int:
        """Numbers that a layer's parts have together, in the layer that has most."""
        return max((len(self.absent(layer)) for layer in (*self._hidden, INPUT)), default=0)

    def absent(self, layer: int) -> tuple[float, ...]:
        """Return the numbers of a layer's parts in a trial that has none of them."""
        optional = (0.0,) * self.optional(layer)
        parts = ((*optional, *form.absent) for form in self.chain(layer))
        return tuple(itertools.chain(*parts))

    @property
    def _hidden(self) -> range:
        return range(len(self.widths))

    @property
    def draws(self) -> int:
        """Number of times that a step takes random bits.

        Those of the hidden layers come first, then the input's, if it takes any; then the second
        ones of all layers and of the input, if some part behind another takes bits, and so on.
        """
        most = max((_draws(chain) for chain in self.chains), default=0)
        if most < 2:
            return len(self.widths) + (_draws(self.chain(INPUT)) > 0)
        return most * (len(self.widths) + 1)

    def draw(self, layer: Any, which: int = 0) -> Any:
        """Return the number of a draw: which of the layer's, from 0. The layer may be a tensor."""
        hidden = len(self.widths)
        number = hidden if isinstance(layer, int) and layer == INPUT else layer
        return number + which * (hidden + 1)

    @property
    def roles(self) -> tuple[tuple[str, int], ...]:
        """Kind and layer of each array of weights.

        Kernel, bias, kernel, …, those of the output; then those of the parts. A loop's stack has
        the role of the first layer in it.
        """
        layers = (0, 1, len(self.widths)) if self.looped else range(len(self.widths) + 1)
        dense = [(kind, layer) for layer in layers for kind in ("kernel", "bias")]
        return (*dense, *self._of_parts("weights"))

    def _of_parts(self, which: Literal["weights", "averages"]) -> list[tuple[str, int]]:
        """Kind and layer of each array of the parts' weights or averages, the input's first."""
        if not self.chains:
            return []
        layers = range(min(2, len(self.widths)) if self.looped else len(self.widths))
        return [
            (kinds[kind], layer)
            for layer in (INPUT, *layers)
            for form, kinds in zip(self.chain(layer), kinds_of(self.chain(layer)), strict=True)
            for kind in getattr(form, which)
        ]

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
        return (layer - 1,) if self.looped and 0 < layer < len(self.widths) else ()

    def _weight(self, kind: str, layer: int) -> tuple[int, ...]:
        if kind != "kernel":
            return (self._units(layer),)
        return (self._units(layer - 1), self._units(layer))

    @property
    def averages(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of one trial's averages, such as the moving ones of normalisations."""
        return tuple((*self.stack(role), self._units(role[1])) for role in self.averaged)

    @property
    def averaged(self) -> tuple[tuple[str, int], ...]:
        """Kind and layer of each array of averages, as `roles`."""
        return tuple(self._of_parts("averages"))

    def _units(self, layer: int) -> int:
        return (*self.widths, self.outputs, self.features)[layer]

    def position(self, kind: str, layer: int) -> int:
        """Return the number of the array that holds a weight or an average.

        The output is layer len(widths). The averages stand behind the weights.
        """
        found = [*self.roles, *self.averaged]
        return found.index((kind, 1 if self.row(kind, layer) else layer))

    @property
    def ordinals(self) -> int:
        """Number of a trial's weights: each layer in a loop's stack has weights of its own."""
        return 2 * len(self.widths) + 2 + len(self._part_weights)

    @property
    def _part_weights(self) -> list[tuple[str, int]]:
        """Kind and layer of each weight of the parts, those in a loop's stack one by one."""
        found = self._of_parts("weights")
        if not self.looped:
            return found
        first = [role for role in found if role[1] < 1]
        of_layer = [kind for kind, layer in found if layer == 1]
        return first + [(kind, layer) for layer in range(1, len(self.widths)) for kind in of_layer]

    def ordinal(self, kind: str, layer: Any) -> Any:
        """Return a weight's number among all of a trial's weights, from 0 to `ordinals` − 1.

        The layer of a hidden layer's weight may be a tensor in a loop.
        """
        if kind in ("kernel", "bias"):
            return 2 * layer + (kind == "bias")
        first = 2 * len(self.widths) + 2
        if isinstance(layer, int):
            return first + self._part_weights.index((kind, layer))
        return first + self._part_weights.index((kind, 1)) + (layer - 1) * self.stride(kind)

    def stride(self, kind: str) -> int:
        """Return how far the numbers of a weight of one kind are apart in a loop's stack."""
        if kind in ("kernel", "bias"):
            return 2
        return sum(layer == 1 for _, layer in self._of_parts("weights"))

    def penalised(self, kind: str) -> bool:
        """Return whether weights of that kind may have a penalty."""
        return kind == "kernel" or self.bias_penalty


def _draws(chain: Chain) -> int:
    return sum(form.draws for form in chain)
