"""How much too good a score is because its epoch was chosen: the lowest of many is a lucky one.

A trial's score is the lowest of its epochs on the validation rows. Part of what that epoch gains
over the others holds on new rows, the rest is the luck of these rows. To tell them apart, the rows
are divided into ten folds (row i is in fold i mod 10), and the score over each fold is kept at each
epoch. Then three folds are left out, the epoch is chosen on the seven others and scored on the
three; so for each of the 120 choices of three. What the epochs chosen so lose against the trial's
own epoch, on rows that did not choose them, is what the score is too good by: leave-p-out
cross-validation of the choice (M. Stone, "Cross-validatory choice and assessment of statistical
predictions", Journal of the Royal Statistical Society B 36 (1974) 111–147; J. Shao, Journal of the
American Statistical Association 88 (1993) 486–494).

It makes no assumption on how epochs depend on each other, only that rows are independent. A
smoothed curve would not do: the luck of neighbouring epochs is nearly the same (real networks: a
correlation of 0.77 to 0.99 from epoch to epoch), only the rows tell it. Choosing on seven tenths of
the rows makes the estimate about a sixth too large. Its own error is nearly as large as itself, 0.5
to 1.1 of it, and it is taken to be that large (`benchmarks/epochs.py`: real networks;
`benchmarks/trust.py`: simulated curves). With more folds left out it would err less and be larger.
"""

import itertools

import numpy as np
from numpy.typing import NDArray

FOLDS = 10
LEFT_OUT = 3
LEAST_ROWS = 5 * FOLDS
"""Validation rows below which no folds are kept: each has five at least."""
_AT_ONCE = 1_000_000
"""Sums in memory at a time: 8 MB."""

Floats = NDArray[np.float64]


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


def too_good(scores: NDArray[np.floating], n_rows: int) -> Floats:
    """Return what choosing its epoch makes each trial's score too good by: (trials,), 0 or more.

    `scores` has the shape (trials, epochs, folds), over `n_rows` rows in all. The standard error
    of each number is taken to be the number itself.
    """
    weights = np.bincount(np.arange(n_rows) % FOLDS, minlength=FOLDS)
    found = np.zeros(len(scores))
    at_once = max(1, _AT_ONCE // (scores.shape[1] * len(_OUT)))
    for start in range(0, len(scores), at_once):
        part = slice(start, start + at_once)
        found[part] = _lost(scores[part].astype(np.float64) * weights)
    return found / float((_OUT @ weights).sum())


def _lost(sums: Floats) -> Floats:
    """What the chosen epochs lose on the rows left out, all times together: (trials,)."""
    totals = sums.sum(axis=2)  # (trials, epochs)
    own = np.take_along_axis(sums, totals.argmin(axis=1)[:, None, None], axis=1)  # (trials, 1, ..)
    chosen = (totals[..., None] - sums @ _OUT.T).argmin(axis=1)  # (trials, times)
    there = np.take_along_axis(sums, chosen[..., None], axis=1)  # (trials, times, folds)
    lost: Floats = np.maximum(((there - own) * _OUT).sum(axis=(1, 2)), 0.0)  # below 0: rounding
    return lost
