"""Which shape of program carries a trial: how far widths and depths are padded, how many slots.

A shape is a function of the trial's own model and of the machine, never of the other trials:
the number of slots, too, is fixed for each shape, and slots without a trial hold zeros. So a
trial meets the same arithmetic, to the last bit, alone or in company, before and after a
restart; and the number of programs to compile is bounded by the number of classes.

Widths are padded up to a class. Where all hidden layers are alike and not very wide, one program
carries them at any depth. On a CPU it holds one of them, in a loop that runs as often as the
deepest trial has layers: measured on two cores, that takes the time of the layers written out,
three quarters of the time to compile, and nothing for layers that are not there. On a GPU, where
each round of such a loop would wait for the host, depth is padded with layers that pass their
input on.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sweep.training.fused.description import Description, FusedLoss, Unit
from sweep.training.fused.layers.activation import Activating
from sweep.training.fused.layers.dropout import Dropping
from sweep.training.fused.program.shape import Chain, Depth, LossKind, RowCounts, Shape

_SMALL = 64
"""Units: up to this width arithmetic is cheap against compiling, so all layers are padded to the
widest, and on a GPU the depth to a multiple of 4."""
_MEDIUM = 128
"""Units: up to this width the depth is padded on a GPU, to a multiple of 2."""
_WIDEST_LOOP = 256
"""Units: wider layers are written out, as cutting 512×512 weights out of a stack and putting them
back takes a tenth of an epoch."""
_LOOP = 4
"""A loop's stack has room for a multiple of this many layers; those that no trial has take memory
only."""
FEWEST_MIXED = 64
WIDEST_MIXED = 512
"""Units of the narrowest and of the widest mixed program: between them powers of 2."""
MIXED_DEPTH = 4
"""The depth of mixed programs is a multiple of it."""
_VALUES = ("linear", "relu", "tanh", "sigmoid", "elu", "selu", "leaky_relu", "leaky_relu(0.3)",
           "leaky_relu(0.01)")  # fmt: skip
PALETTES = (
    _VALUES,
    (*_VALUES, "gelu", "silu", "softplus", "mish", "softsign", "exponential", "relu6",
     "hard_sigmoid"),
)  # fmt: skip
"""The activations of mixed programs: those whose values tell their slopes, and some more."""
_DROPPING = Dropping()
_NARROW = 32
"""Units: up to this width two trials share a program on a CPU, as each operation costs more than
its arithmetic."""
_FEWEST_UNITS = 32
"""Units of the narrowest program. In one half as wide an epoch takes 0.7 of the time, which pays
for compiling one program more (2 to 3 s of processor time) after some 800 epochs of such trials."""


@dataclass(frozen=True)
class Sharing:
    """How far trials that are unlike share programs: decided once for a sweep, and kept with it.

    A mixed program carries layers of unlike widths and activations. `width` and `depth` are those
    of the smallest, 0 if there are none: then each combination of widths has a program of its own.
    `steps` is in how many classes of width a mixed program computes. Unless `alone`, programs
    whose layers are written out are not compiled, and their trials are left to Keras; unless
    `fused`, all trials are.
    """

    width: int = 0
    depth: int = 0
    steps: int = 1
    alone: bool = True
    fused: bool = True

    def leaves(self, shape: Shape) -> bool:
        """Return whether trials of a program of that shape are left to Keras."""
        return not self.fused or (not self.alone and shape.depth == "exact")

    def __str__(self) -> str:
        """The sharing as it is kept: "mixed 128x8 in 2 steps, others alone"."""
        if not self.fused:
            return _BY_KERAS
        mixed = f"mixed {self.width}x{self.depth} in {self.steps} steps" if self.width else "alike"
        return f"{mixed}, others {'alone' if self.alone else 'by Keras'}"

    @classmethod
    def parsed(cls, text: str) -> "Sharing":
        """Return the sharing that `str` gave. Raises ValueError for any other text."""
        if text == _BY_KERAS:
            return cls(fused=False)
        found = _SHARING.fullmatch(text)
        if found is None:
            raise ValueError(f"unknown sharing {text[:60]!r}")
        width, depth, steps = (int(found[name] or 0) for name in ("width", "depth", "steps"))
        return cls(width, depth, steps or 1, found["others"] == "alone")


_BY_KERAS = "all by Keras"
_SHARING = re.compile(
    r"(alike|mixed (?P<width>\d{1,4})x(?P<depth>\d{1,3}) in (?P<steps>[12]) steps)"
    r", others (?P<others>alone|by Keras)"
)

ALIKE = Sharing()
"""Only trials whose layers are alike share a program."""


def shape_of(
    description: Description,
    rows: RowCounts,
    memory_bytes: int,
    on_gpu: bool,
    sharing: Sharing = ALIKE,
) -> Shape:
    """Return the shape of the program that carries the described trial.

    Its slots together take no more than `memory_bytes`, unless it has only one. Under `sharing` the
    trial shares its program with trials that are less or more like it.
    """
    units = (description.given, *description.hidden, description.output)
    widths, activations, depth, classes, of_hidden = _padded(description, on_gpu, sharing)
    slots = 1 if classes else _slots(max(widths, default=1), on_gpu)
    chains = (*of_hidden, description.given.forms)
    of_parts = chains if any(chains) else ()
    # the one or two outputs of two classes are one number a row
    outputs = description.output.width if description.loss.kind else 1
    while (
        slots > 1
        and slots * slot_bytes(rows, description.features, widths, of_parts, outputs) > memory_bytes
    ):
        slots //= 2
    return Shape(
        rows=rows,
        features=description.features,
        widths=widths,
        activations=activations,
        depth=depth,
        biased=(*_biased(description, len(widths)), description.output.biased),
        chains=of_parts,
        outputs=description.output.width,
        loss=_loss(description.loss),
        optimizer=description.optimizer.kind,
        clip=description.optimizer.clip,
        l1=any(one.l1 for unit in units for one in unit.penalties.values()),
        bias_penalty=any(set(unit.penalties) - {"kernel"} for unit in units),
        slots=slots,
        end=description.loss.end,
        classes=classes,
        scaled=description.scaling is not None,
    )


def rows_of(description: Description, rows: RowCounts) -> RowCounts:
    """Return the numbers of rows for a trial, whose own `fit` may say how many a batch has."""
    return rows if description.batch is None else replace(rows, batch=description.batch)


def slot_bytes(
    rows: RowCounts,
    features: int,
    widths: tuple[int, ...],
    chains: tuple[Chain, ...] = (),
    outputs: int = 1,
) -> int:
    """Return an upper estimate of the memory that one trial takes in a program, in bytes.

    It is that of all arrays that are alive at once. Weights count ten times (value, two slots and
    best before and after, gradients), a batch's activations four times (argument, value, mask,
    gradient), and twice more behind a layer that is not plain.
    """
    layers = [features, *widths, outputs]
    weights = sum((a + 1) * b for a, b in itertools.pairwise(layers))
    batch = max(rows.batch, rows.chunk) * sum(layers)
    # the input's chain is the last; dropout alone leaves nothing
    units = zip((*widths, features), chains, strict=False)
    normed = rows.batch * sum(width for width, chain in units if chain not in ((), (_DROPPING,)))
    return 4 * (10 * weights + 4 * batch + 2 * normed + 2 * outputs * rows.chunks * rows.chunk)


class _Layers(NamedTuple):
    """The hidden layers of a program."""

    widths: tuple[int, ...]
    activations: tuple[str, ...]
    depth: Depth
    classes: tuple[int, ...] = ()
    chains: tuple[Chain, ...] = ()


def _padded(description: Description, on_gpu: bool, sharing: Sharing) -> _Layers:
    mixed = None if on_gpu or not sharing.width else _mixed(description, sharing)
    if mixed is not None:
        return mixed
    widths = [width_class(unit.width) for unit in description.hidden]
    activations = [unit.activation for unit in description.hidden]
    widest = max(widths, default=0)
    alike = len({(unit.activation, unit.biased) for unit in description.hidden}) == 1
    chains = tuple(map(_chain, description.hidden))
    one_width = widest <= _SMALL or set(widths) == {widest}
    # the norm of all gradients must be known before the first weight moves
    at_once = description.optimizer.clip == "global_clipnorm"
    loops = not on_gpu and not at_once and widest <= _WIDEST_LOOP
    if not (alike and not any(chains) and one_width) or (widest > _MEDIUM and not loops):
        return _Layers(tuple(widths), tuple(activations), "exact", chains=chains)
    multiple = _LOOP if loops else 4 if widest <= _SMALL else 2
    layers = -(-len(widths) // multiple) * multiple
    depth: Depth = "looped" if loops else "padded"
    return _Layers((widest,) * layers, (activations[0],) * layers, depth, chains=((),) * layers)


def is_plain(unit: Unit) -> bool:
    """Return whether a hidden layer has nothing but an activation and dropout."""
    return not _chain(unit)


def _chain(unit: Unit) -> Chain:
    """The parts of a hidden layer in a program; () of a plain layer.

    A chain without dropout has it at its end, so that layers with and without share a program.
    """
    forms = unit.forms
    plain = [form for form in forms if isinstance(form, Activating)][:1]
    if forms in (tuple(plain), (*plain, _DROPPING)):
        return ()
    return forms if _DROPPING in forms else (*forms, _DROPPING)


def _mixed(description: Description, sharing: Sharing) -> _Layers | None:
    """The mixed program that carries a trial; None if none does."""
    hidden = description.hidden
    if not hidden or description.optimizer.clip == "global_clipnorm":
        return None
    if len({unit.biased for unit in hidden}) > 1:
        return None
    used = {unit.activation for unit in hidden}
    names = next((palette for palette in PALETTES if used <= {*palette}), None)
    widest = max(unit.width for unit in hidden)
    width = max(sharing.width, FEWEST_MIXED, 1 << (widest - 1).bit_length())
    if names is None or width > WIDEST_MIXED:
        return None
    chain = _common(hidden, names)
    if chain is None:
        return None
    depth = max(sharing.depth, MIXED_DEPTH * -(-len(hidden) // MIXED_DEPTH))
    classes = (width // 2, width)[-sharing.steps :]
    return _Layers((width,) * depth, names, "looped", classes, (chain,) * depth)


def _common(hidden: Sequence[Unit], names: tuple[str, ...]) -> Chain | None:
    """The chain of a mixed program's layers, in which each layer's parts stand in their order.

    () if all layers are plain, None if there is no such chain.
    """
    if not any(map(_chain, hidden)):
        return ()
    each = [mixed_forms(unit, names) for unit in hidden]
    longest = max(each, key=len)
    activations = sum(isinstance(form, Activating) for form in longest)
    if activations > 1 or any(places_in(longest, forms) is None for forms in each):
        return None
    return longest if _DROPPING in longest else (*longest, _DROPPING)


def mixed_forms(unit: Unit, names: tuple[str, ...]) -> Chain:
    """Return a layer's parts in a mixed program, whose activation is one of `names`."""
    return tuple(Activating(names) if isinstance(form, Activating) else form for form in unit.forms)


def places_in(chain: Chain, forms: Chain) -> list[int] | None:
    """Return where in a chain a layer's parts stand, in their order; None if they do not."""
    found, start = [], 0
    for form in forms:
        if form not in chain[start:]:
            return None
        start = chain.index(form, start) + 1
        found.append(start - 1)
    return found


def _loss(loss: FusedLoss) -> LossKind:
    if loss.kind:
        return f"{loss.kind} smoothed" if loss.smoothing else loss.kind
    if loss.squared:
        return "squared"
    return "metric" if loss.is_metric else "smoothed"


def _biased(description: Description, depth: int) -> list[bool]:
    """Whether each hidden layer has a bias; layers that pad the depth are as the last one."""
    own = [unit.biased for unit in description.hidden]
    return own + own[-1:] * (depth - len(own))


def width_class(width: int) -> int:
    """Return the least of 32, 64, 96, 128, 192, 256, 384, … (2ᵏ and 3·2ᵏ) that holds `width`."""
    power = max(_FEWEST_UNITS, 1 << (width - 1).bit_length())
    between = power * 3 // 4
    return between if between > 32 and width <= between and between != 48 else power


def _slots(widest: int, on_gpu: bool) -> int:
    """Number of trials in a program whose widest layer has `widest` units.

    On two cores the arithmetic of a trial costs the same however many trials share its program, and
    most slots are empty once the better half of the trials is left: a search of 81 epochs takes
    0.95 of the time with these slots that it took with up to four. Programs run beside each other.
    """
    if on_gpu:
        return max(1, min(64, 16_384 // max(widest, 1)))
    return 2 if widest <= _NARROW else 1
