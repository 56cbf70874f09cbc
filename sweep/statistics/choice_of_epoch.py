"""How much too good a score is because its epoch was chosen: the lowest of many is a lucky one.

A trial's score is the lowest of its epochs on the validation rows. Part of what that epoch gains
over the others holds on new rows, the rest is the luck of these rows. To tell them apart, the rows
are divided into ten folds (row i is in fold i mod 10), and the score over each fold is kept at each
epoch. Then two folds are left out, the epoch is chosen on the eight others and scored on the two;
so for each of the 45 pairs of folds. What the epochs chosen so lose against the trial's own epoch,
on rows that did not choose them, is what the score is too good by: leave-p-out cross-validation of
the choice (M. Stone, "Cross-validatory choice and assessment of statistical predictions", Journal
of the Royal Statistical Society B 36 (1974) 111–147; J. Shao, Journal of the American Statistical
Association 88 (1993) 486–494).

It makes no assumption on how epochs depend on each other, only that rows are independent. Choosing
on eight tenths of the rows makes it a tenth too large. Its own error is about as large as itself:
measured, 0.6 to 1.3 of it, and that is what it is taken to be (`benchmarks/epochs.py`: real
networks; `benchmarks/trust.py`: simulated curves).
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FOLDS = 10
LEFT_OUT = 2
LEAST_ROWS = 5 * FOLDS
"""Validation rows below which no folds are kept: each has five at least."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TooGood:
    """What the choice of its epoch makes a score too good by, in the score's unit."""

    value: float
    """Never below 0: an epoch chosen on fewer rows is never better on those left out."""

    @property
    def error(self) -> float:
        """Standard error of `value`."""
        return self.value


def fold_means(losses: NDArray[np.floating] | None) -> tuple[float, ...]:
    """Return the mean of the rows' losses over each fold; none without rows, or with too few."""
    if losses is None or len(losses) < LEAST_ROWS:
        return ()
    return tuple(float(losses[fold::FOLDS].mean(dtype=np.float64)) for fold in range(FOLDS))


def _left_out() -> Floats:
    """Which folds are left out each time: (times, folds), 1 for those."""
    times = list(itertools.combinations(range(FOLDS), LEFT_OUT))
    out = np.zeros((len(times), FOLDS))
    out[np.arange(len(times))[:, None], times] = 1
    return out


_OUT = _left_out()


def too_good(scores: NDArray[np.floating], n_rows: int) -> TooGood:
    """Return what choosing the epoch adds; `scores` (epochs, folds) over `n_rows` rows in all."""
    weights = np.bincount(np.arange(n_rows) % FOLDS, minlength=FOLDS)
    sums = scores.astype(np.float64) * weights  # (epochs, folds)
    own = int(sums.sum(axis=1).argmin())
    chosen = (sums.sum(axis=1)[:, None] - sums @ _OUT.T).argmin(axis=0)  # (times,)
    lost = ((sums[chosen] - sums[own]) * _OUT).sum() / (_OUT @ weights).sum()
    return TooGood(max(float(lost), 0.0))
