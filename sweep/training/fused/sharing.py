"""Which trials of a search share programs, and which are left to Keras: what takes the least time.

Decided once, before a search begins, from its plan and a few of its models; from nothing that is
measured on this machine, so that the same search is always shared out in the same way. The result
is kept with the sweep, and a sweep that is resumed, extended or confirmed goes on with it.

Programs are made as if none had been kept on disk. The seconds below are of processor time, on a
machine of 2024 with AVX-512; what counts are their ratios.

    a program        2.8 s to compile; 1.5 s and 0.6 s a layer if its layers are written out,
                     3.4 s if it is mixed, 8.3 s in two classes of width, 3 s more if its
                     layers are normalised or have other parts
    an epoch of it   0.1 ms a step and layer, and its products at 120 GFLOP/s, padding included;
                     1.45 times that where a mixed program's layers have parts
    by Keras         0.5 s an assignment, 3.3 ms a step, its products at 80 GFLOP/s
    reading a model  0.01 s a trial, as most differ in numbers only; 0.1 s if it is refused, and
                     Keras makes it once more
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sweep.training.fused.description import Description
from sweep.training.fused.program.shape import RowCounts, Shape
from sweep.training.fused.program.shape_policy import (
    ALIKE,
    FEWEST_MIXED,
    MIXED_DEPTH,
    WIDEST_MIXED,
    Sharing,
    is_plain,
    rows_of,
    shape_of,
)

_MARGIN = 0.8
"""Trials are fused if that takes at most this part of the time that Keras takes."""
_READING_REFUSED = 0.1
"""Seconds of a model that is read in vain."""
_WIDEST_IN_STEPS = 128
"""Units of the widest mixed program with two classes: at 512 it takes a minute to compile."""
_NO_LIMIT = 1 << 60


@dataclass(frozen=True)
class SearchWork:
    """What a search will train, in all."""

    trials: int
    assignments: int
    epochs: int


def best_sharing(
    described: Sequence[Description],
    looked_at: int,
    rows: RowCounts,
    work: SearchWork,
    *,
    own_rows: bool = False,
) -> Sharing:
    """Return how the trials of a search share programs in the least time on a CPU.

    `described` are those of the `looked_at` models, taken evenly from the search, that the fused
    trainer can carry. Where no model has layers that are unlike, or parts behind them such as
    normalisation, trials share programs with those alike, and nothing is estimated; but for
    `own_rows`, of other data than HIGGS, which may be so few that no program pays.
    """
    if not described or not (own_rows or any(_is_unlike(one) for one in described)):
        return ALIKE
    costs = {
        sharing: _cost(described, looked_at, rows, work, sharing) for sharing in _all(described)
    }
    best = min(costs, key=lambda sharing: costs[sharing])
    refused = work.trials / looked_at * (looked_at - len(described)) * _READING_REFUSED
    by_keras = (
        work.trials / looked_at * sum(_by_keras(one, rows_of(one, rows), work) for one in described)
    )
    fused = costs[best] + refused
    return best if fused < _MARGIN * by_keras else Sharing(fused=False)


def _is_unlike(description: Description) -> bool:
    kinds = {(unit.width, unit.activation) for unit in description.hidden}
    return len(kinds) > 1 or not all(map(is_plain, description.hidden))


def _all(described: Sequence[Description]) -> Iterator[Sharing]:
    """Every way to share that is considered, the plainest first."""
    hidden = [unit for one in described for unit in one.hidden]
    if not hidden:
        yield ALIKE
        return
    widest = 1 << (max(unit.width for unit in hidden) - 1).bit_length()
    deepest = max(len(one.hidden) for one in described)
    depth = MIXED_DEPTH * -(-deepest // MIXED_DEPTH)
    widths = {FEWEST_MIXED, max(FEWEST_MIXED, min(WIDEST_MIXED, widest))}
    mixed = [
        Sharing(width, depth, steps)
        for width in sorted(widths)
        for steps in (1, 2)
        if steps == 1 or max(width, widest) <= _WIDEST_IN_STEPS
    ]
    for sharing in (ALIKE, *mixed):
        yield sharing
        yield replace(sharing, alone=False)


def _cost(
    described: Sequence[Description],
    looked_at: int,
    rows: RowCounts,
    work: SearchWork,
    sharing: Sharing,
) -> float:
    """Seconds of all trials that can be fused, if they are shared like this."""
    scale, total = work.trials / looked_at, 0.0
    programs = Counter[Shape]()
    for one in described:
        shape = shape_of(one, rows_of(one, rows), _NO_LIMIT, False, sharing)
        if sharing.leaves(shape):
            total += scale * _by_keras(one, rows_of(one, rows), work)
            continue
        programs[shape] += 1
        epochs = work.epochs / work.trials
        total += scale * (0.01 + epochs * _epoch(one, shape, shape.rows))
    return total + _more(programs, scale) * sum(_compiling(shape) for shape in programs)


def _more(programs: Counter[Shape], scale: float) -> float:
    """How many times as many programs all trials need as those that were looked at.

    A trial that was not looked at has a new program as probably as one that was is alone in its
    own (Good and Turing), and the less, the more are known.
    """
    looked_at = programs.total()
    if scale <= 1.0 or not looked_at:
        return 1.0
    alone = sum(count == 1 for count in programs.values()) / looked_at
    unseen = (scale - 1.0) * looked_at
    new = unseen * alone / (1.0 + (scale - 1.0) * (1.0 - alone))
    return 1.0 + new / len(programs)


def _compiling(shape: Shape) -> float:
    if shape.mixed:
        return (3.4 if len(shape.classes) == 1 else 8.3) + 3.0 * bool(shape.chain(0))
    if shape.depth == "exact":
        return 1.5 + 0.6 * len(shape.widths) + 0.3 * sum(chain != () for chain in shape.chains)
    return 2.8


def _epoch(description: Description, shape: Shape, rows: RowCounts) -> float:
    if shape.mixed:
        padded = [
            next(size for size in shape.classes if unit.width <= size)
            for unit in description.hidden
        ]
    else:
        padded = list(shape.widths[: len(description.hidden)])
    layers = [description.features, *padded, description.output.width]
    seconds = rows.steps * 1e-4 * len(layers) + _operations(layers, rows) / 120e9
    return seconds * (1.45 if shape.mixed and shape.chain(0) else 1.0)


def _by_keras(description: Description, rows: RowCounts, work: SearchWork) -> float:
    """Seconds of a trial of the search, on average, if Keras trains it."""
    widths = [unit.width for unit in description.hidden]
    layers = [description.features, *widths, description.output.width]
    epoch = rows.steps * 3.3e-3 + _operations(layers, rows) / 80e9
    return (0.5 * work.assignments + epoch * work.epochs) / work.trials


def _operations(layers: Sequence[int], rows: RowCounts) -> int:
    """Floating-point operations of an epoch's products, forward, backward and in evaluation."""
    weights = sum(a * b for a, b in itertools.pairwise(layers))
    return weights * (6 * rows.train + 2 * (rows.train + rows.validation))
