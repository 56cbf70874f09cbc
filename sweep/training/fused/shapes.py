"""The shape of the program that carries a trial.

A shape is a function of the trial's own model and of the machine, never of the other trials:
the number of slots, too, is fixed for each shape, and slots without a trial hold zeros. So a
trial meets the same arithmetic, to the last bit, alone or in company, before and after a
restart; and the number of programs to compile is bounded by the number of classes.

Widths are padded up to a class. Where all hidden layers are small and alike, depth is padded
too, with layers that pass their input on. Measured on two cores, that costs less than the
compilations it saves.
"""

import itertools
from dataclasses import dataclass
from typing import Literal

from sweep.training.fused.activations import activation
from sweep.training.fused.description import Description, Loss
from sweep.training.fused.optimizers import second_slot

_SMALL = 64
"""Up to this width arithmetic is cheap against compiling: pad the depth to a multiple of 4."""
_MEDIUM = 128
"""Up to this width, to a multiple of 2."""
_NARROW = 32
"""Up to this width two trials share a program on a CPU: there each operation costs more than its
arithmetic."""
_FEWEST_UNITS = 16
_EVALUATION_ROWS = 512


LossKind = Literal["metric", "smoothed", "squared probability", "squared logit"]
INPUT = -1
"""The input's place among the layers."""


@dataclass(frozen=True)
class NormPlace:
    """A BatchNormalization: its layer, on which side of the activation, and what it has."""

    layer: int
    after: bool
    scale: bool
    center: bool


@dataclass(frozen=True)
class Rows:
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

    rows: Rows
    features: int
    widths: tuple[int, ...]
    """Padded widths of the hidden layers."""
    activations: tuple[str, ...]
    exact_depth: bool
    """Whether every trial has all the layers; else each says how many it has."""
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
    def output(self) -> int:
        """The position of the output's kernel among the weights; its bias is the next."""
        return 2 * len(self.widths)

    @property
    def masks(self) -> tuple[int, ...]:
        """Units that each dropout mask covers: the hidden layers', then the input's."""
        return (*self.widths, self.features) if self.input_dropout else self.widths

    @property
    def weights(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of one trial's weights: kernel, bias, kernel, …, the output's; then γ and β."""
        widths = [self.features, *self.widths, self.outputs]
        pairs = itertools.pairwise(widths)
        dense = [shape for a, b in pairs for shape in ((a, b), (b,))]
        return (*dense, *((self._units(layer),) for _, layer in self._norm_weights))

    @property
    def seconds(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of one trial's second slots."""
        return tuple(second_slot(self.optimizer, weight) for weight in self.weights)

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
        return self.features if layer == INPUT else self.widths[layer]

    def norm(self, layer: int) -> NormPlace | None:
        """The normalisation in `layer`, if it has one."""
        return next((norm for norm in self.norms if norm.layer == layer), None)

    def position(self, kind: str, layer: int) -> int:
        """Where a weight or a moving average stands; `layer` is len(widths) for the output.

        `kind` is kernel, bias, gamma, beta, mean or variance.
        """
        if kind in ("kernel", "bias"):
            return 2 * layer + (kind == "bias")
        averages = [(kind, norm.layer) for norm in self.norms for kind in ("mean", "variance")]
        return self.output + 2 + [*self._norm_weights, *averages].index((kind, layer))

    def penalised(self, position: int) -> bool:
        """Whether the weight at `position` may have a penalty."""
        kernel = position % 2 == 0 and position <= self.output
        return kernel or self.bias_penalty


def shape_of(description: Description, rows: Rows, memory_bytes: int, on_gpu: bool) -> Shape:
    """The shape that carries the described trial, its slots within `memory_bytes`."""
    units = (description.given, *description.hidden, description.output)
    widths, activations, exact_depth = _padded(description)
    slots = _slots(max(widths, default=1), on_gpu)
    norms = _norms(description)
    while (
        slots > 1 and slots * slot_bytes(rows, description.features, widths, norms) > memory_bytes
    ):
        slots //= 2
    return Shape(
        rows=rows,
        features=description.features,
        widths=widths,
        activations=activations,
        exact_depth=exact_depth,
        biased=(*_biased(description, len(widths)), description.output.biased),
        input_dropout=bool(description.given.rate),
        norms=norms,
        outputs=description.output.width,
        loss=_loss(description.loss),
        optimizer=description.optimizer.kind,
        clip=description.optimizer.clip,
        l1=any(one.l1 for unit in units for one in unit.penalties.values()),
        bias_penalty=any(set(unit.penalties) - {"kernel"} for unit in units),
        slots=slots,
    )


def slot_bytes(
    rows: Rows, features: int, widths: tuple[int, ...], norms: tuple[NormPlace, ...] = ()
) -> int:
    """Memory one trial takes in a program, with what is alive at once: an upper estimate.

    Weights count ten times (value, two slots and best before and after, gradients), a batch's
    activations four times (argument, value, mask, gradient), and twice more where they are
    normalised.
    """
    layers = [features, *widths, 1]
    weights = sum((a + 1) * b for a, b in itertools.pairwise(layers))
    batch = max(rows.batch, rows.chunk) * sum(layers)
    normed = rows.batch * sum(layers[norm.layer + 1] for norm in norms)
    return 4 * (10 * weights + 4 * batch + 2 * normed + 2 * rows.chunks * rows.chunk)


def _padded(description: Description) -> tuple[tuple[int, ...], tuple[str, ...], bool]:
    widths = [width_class(unit.width) for unit in description.hidden]
    activations = [unit.activation for unit in description.hidden]
    widest = max(widths, default=0)
    alike = len({(unit.activation, unit.biased) for unit in description.hidden}) == 1
    normed = any(unit.norm is not None for unit in description.hidden)
    if alike and not normed and (widest <= _SMALL or set(widths) == {_MEDIUM}):
        multiple = 4 if widest <= _SMALL else 2
        depth = -(-len(widths) // multiple) * multiple
        return (widest,) * depth, (activations[0],) * depth, False
    return tuple(widths), tuple(activations), True


def _loss(loss: Loss) -> LossKind:
    if loss.squared:
        return "squared logit" if loss.from_logits else "squared probability"
    return "metric" if loss.is_metric else "smoothed"


def _norms(description: Description) -> tuple[NormPlace, ...]:
    units = (description.given, *description.hidden)
    return tuple(
        NormPlace(layer, norm.after, norm.gamma is not None, norm.beta is not None)
        for layer, norm in enumerate((unit.norm for unit in units), start=INPUT)
        if norm is not None
    )


def _biased(description: Description, depth: int) -> list[bool]:
    """Of the hidden layers; layers that pad the depth are as the others."""
    own = [unit.biased for unit in description.hidden]
    return own + own[-1:] * (depth - len(own))


def width_class(width: int) -> int:
    """The least of 16, 32, 64, 96, 128, 192, 256, 384, … (2ᵏ and 3·2ᵏ) that holds `width`."""
    power = max(_FEWEST_UNITS, 1 << (width - 1).bit_length())
    between = power * 3 // 4
    return between if between > 32 and width <= between and between != 48 else power


def _slots(widest: int, on_gpu: bool) -> int:
    """Trials in a program.

    On two cores the arithmetic of a trial costs the same however many stand beside it, and most
    slots are empty once the better half of the trials is left: a search of 81 epochs takes 0.95
    of the time with these slots that it took with up to four. Programs run beside each other.
    """
    if on_gpu:
        return max(1, min(64, 16_384 // max(widest, 1)))
    return 2 if widest <= _NARROW else 1
