"""How many rows or seeds would tell two configurations apart, if they differ as much as is seen.

With a difference d, a critical value c, an error r over n rows (paired) and an error s over a
single seed of each, they are told apart where d > c √(r² n/N + s²/K), with N rows and K seeds of
each. What is seen is uncertain itself: the numbers say how far away an answer is, no more.
"""

import math
from dataclasses import dataclass

from sweep.special_functions import ndtri
from sweep.statistics.confidence import CONFIDENCE

SEEDS_WITH_ROWS = 5
"""Seeds of each that go with more rows, where neither alone is enough."""
_MOST = 1e9
"""Beyond which nobody has so many."""


@dataclass(frozen=True)
class MoreNeeded:
    """What would tell two apart; None for what would not, however much of it there was."""

    rows: int | None
    """Validation rows, with one seed of each."""
    seeds: int | None
    """Seeds of each, on the rows that there are."""
    rows_with_seeds: int | None
    """Validation rows, with `SEEDS_WITH_ROWS` seeds of each."""


def more_needed(value: float, rows_error: float, n_rows: int, seeds_error: float) -> MoreNeeded:
    """Return what would tell apart two that differ by `value`.

    `rows_error` is the standard error over `n_rows`, `seeds_error` that over one seed of each.
    """
    reach = (value / float(ndtri((1 + CONFIDENCE) / 2))) ** 2
    return MoreNeeded(
        rows=_at_least(n_rows * rows_error**2, reach - seeds_error**2),
        seeds=_at_least(seeds_error**2, reach - rows_error**2),
        rows_with_seeds=_at_least(n_rows * rows_error**2, reach - seeds_error**2 / SEEDS_WITH_ROWS),
    )


def _at_least(numerator: float, room: float) -> int | None:
    if not room > 0 or not numerator / room < _MOST:
        return None
    return max(math.ceil(numerator / room), 1)
