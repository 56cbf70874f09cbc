"""Which trials may be the best: a model confidence set.

After Hansen, Lunde and Nason, "The model confidence set", Econometrica 79 (2011) 453–497, for
losses that are independent from row to row. With probability 95 % (as the number of rows grows)
the set holds *every* trial whose expected loss is the lowest: equal trials are told apart at most
5 % of the time, however many are compared.

Start with all trials and two statistics. That of a *pair* is its mean paired difference over its
standard error (their T_R is the largest). The *excess* of a trial is its mean loss less that of
the better half of the set, over a standard error (their T_max, but with the better half in place
of all: many bad trials would raise the mean and hide each other). Pairs tell nearly equal models
apart, whose difference is small but sure; the excess finds a trial that many others outdo, which
no single pair shows when a hundred are compared. Where one of the two exceeds its critical value,
all trials that do so leave, and the set that is left is looked at again: its critical values are
lower (step-down; Romano and Wolf, Econometrica 73 (2005) 1237–1282).

The critical values are the quantiles of the largest of each when all trials of the set are equal,
at the one level at which either is exceeded 4 % of the time (the least of the p-values; Westfall
and Young, "Resampling-based multiple testing", 1993). They are had by drawing rows with
replacement. The excess is divided by the draw's own standard error (bootstrap-t; Hall, Annals of
Statistics 16 (1988) 927–953), as losses are skewed; that of the pairs, which are symmetric, is
moved from the normal to Student's t. Two trials are told apart by the paired t test. From three
on the level is 4 %, so that what the draws are wrong by, up to 1 % with skewed losses, stays within
the 5 % (`benchmarks/trust.py`).

Seeded, so the same losses give the same set, in whatever order the trials come.
`benchmarks/ties.py` shows how often it errs and what it finds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sweep.special_functions import ndtr, stdtrit
from sweep.statistics.confidence import CONFIDENCE
from sweep.statistics.paired import differences

_DRAWS = 2000
_LEVEL = 0.04
"""Of the critical values that are drawn: 5 % less a margin for the error of the draws."""
_DRAWN_AT_ONCE = 4_000_000
"""Numbers in the weights of the rows that are in memory at a time: 32 MB."""
_SIMULATED = 300
"""Trials up to which critical values are simulated. Bonferroni's bound thins them out first."""
_SURELY = 0.995
"""Confidence of Bonferroni's bound if a simulation follows. It may spend a tenth of the 5 % at
most, and spends nearly none: the trials that it removes would be removed later, too."""
_NEARLY_EQUAL = 1e-12
"""Least variance of a difference, as a share of the trials' own: below it is rounding."""

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]


def confidence_set(losses: NDArray[np.floating], seeds: Floats | None = None) -> NDArray[np.bool_]:
    """Return which trials may be the best: losses (trials, rows) → (trials,).

    With `seeds`, the spread (trials,) of each mean from seed to seed, it is a set of
    configurations: under another seed, a mean is taken to differ by a normal deviate of it.
    The trial with the lowest mean always may. Raises ValueError with fewer than two rows.
    """
    n_trials, n_rows = losses.shape
    seeds = np.zeros(n_trials) if seeds is None else np.asarray(seeds, float)
    if n_rows < 2:
        raise ValueError(f"{n_rows} rows: a standard error takes two at least")
    statistics = _against_the_best(losses, seeds)
    left = np.flatnonzero(_thinned(statistics, n_rows, _SURELY))
    if len(left) > _SIMULATED:  # equal trials by the hundred: a few too many may stay
        return _thinned(statistics, n_rows, CONFIDENCE)
    members = np.zeros(n_trials, bool)
    members[left[_stepped_down(losses[left].astype(np.float64), seeds[left])]] = True
    return members


def _against_the_best(losses: NDArray[np.floating], seeds: Floats) -> Floats:
    """Return each trial's paired difference to the best, over its standard error: (trials,)."""
    best = int(np.argmin(losses.mean(axis=1, dtype=np.float64)))
    values, errors = differences(losses, losses[best])
    errors = np.hypot(errors, np.hypot(seeds, seeds[best]))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(values > 0, values / errors, 0.0)


def _thinned(statistics: Floats, n_rows: int, confidence: float) -> NDArray[np.bool_]:
    """Return which trials stay after stepping down with Bonferroni's bound over all pairs."""
    members = np.ones(len(statistics), bool)
    while True:
        n_left = int(members.sum())
        share = (1 - confidence) / max(n_left * (n_left - 1), 1)
        left: NDArray[np.bool_] = members & (statistics <= -stdtrit(n_rows - 1, share))
        if left.sum() == n_left:
            return left
        members = left


@dataclass(frozen=True)
class _Drawn:
    """Trials' mean losses and their errors, as observed and drawn when all are equal."""

    n_rows: int
    means: Floats  # (trials,)
    errors: Floats  # (trials,), of the difference to the mean of all
    inverse_errors: Floats  # (trials, trials), of pairs; 0 for a trial and itself
    drawn_means: Floats  # (trials, draws)
    drawn_errors: Floats  # (trials, draws)

    def pairs(self, left: Positions) -> Floats:
        """Return the largest statistic of each trial's pairs: (trials left,)."""
        means = self.means[left]
        scaled = (means[:, None] - means[None, :]) * self.inverse_errors[np.ix_(left, left)]
        worst: Floats = scaled.max(axis=1)
        return worst

    def drawn_pairs(self, left: Positions) -> Floats:
        """Return the largest statistic of any pair in each draw: (draws,)."""
        means = self.drawn_means[left].astype(np.float32)
        scale = self.inverse_errors[np.ix_(left, left)].astype(np.float32)
        largest = np.zeros(means.shape[1], np.float32)
        for i in range(1, len(left)):  # against those before it: all at once take gigabytes
            statistics = means[:i] - means[i]
            np.abs(statistics, out=statistics)
            statistics *= scale[i, :i, None]
            np.maximum(largest, statistics.max(axis=0), out=largest)
        return largest.astype(np.float64)

    def excess(self, left: Positions) -> Floats:
        """Return each trial's excess over the mean of the better half: (trials left,)."""
        means = self.means[left]
        return (means - _better_half(means)) / self.errors[left]

    def drawn_excess(self, left: Positions) -> Floats:
        """Return the largest excess of any trial in each draw: (draws,)."""
        means = self.drawn_means[left]
        largest: Floats = ((means - _better_half(means)) / self.drawn_errors[left]).max(axis=0)
        return largest


def _better_half(means: Floats) -> Floats:
    """Mean over the half of the trials with the lowest means, along the first axis."""
    size = -(-len(means) // 2)
    lowest: Floats = np.partition(means, size - 1, axis=0)[:size].mean(axis=0)
    return lowest


def _stepped_down(losses: Floats, seeds: Floats) -> Positions:
    """Return the positions of the trials in the confidence set."""
    n_rows, left = losses.shape[1], np.arange(len(losses))
    drawn = _draw(losses, seeds) if len(left) > 2 else None
    while drawn is not None and len(left) > 2:
        pair, excess = _critical(drawn, left)
        stays = (drawn.pairs(left) <= pair) & (drawn.excess(left) <= excess)
        if stays.all():
            return left
        left = left[stays]
    paired = -stdtrit(n_rows - 1, (1 - CONFIDENCE) / 2)
    return left[_against_the_best(losses[left], seeds[left]) <= paired] if len(left) else left


def _critical(drawn: _Drawn, left: Positions) -> tuple[float, float]:
    """Critical values of the pairs' statistic and of the excess, for the trials left."""
    pairs, excess = drawn.drawn_pairs(left), drawn.drawn_excess(left)
    least = np.minimum(_p_values(pairs), _p_values(excess))
    level = 1 - np.quantile(least, _LEVEL)
    normal = np.quantile(pairs, level)
    return float(-stdtrit(drawn.n_rows - 1, ndtr(-normal))), float(np.quantile(excess, level))


def _p_values(values: Floats) -> Floats:
    """Return, for each value, the share of `values` that are as large."""
    return 1 - values.argsort().argsort() / len(values)


def _draw(losses: Floats, seeds: Floats) -> _Drawn:
    n_trials, n_rows = losses.shape
    losses = losses - losses.mean(axis=0)  # what all share cancels in every difference
    means = losses.mean(axis=1)
    deviations = losses - means[:, None]
    covariance = np.atleast_2d(np.cov(losses)) / n_rows
    least = np.maximum(_NEARLY_EQUAL * np.diag(covariance).max(), np.finfo(float).tiny)
    drawn, errors = np.empty((2, n_trials, _DRAWS))
    squares, random = deviations**2, np.random.default_rng(0)
    at_once = max(1, _DRAWN_AT_ONCE // n_rows)
    for start in range(0, _DRAWS, at_once):
        chosen = slice(start, min(start + at_once, _DRAWS))
        weights = _weights(random, n_rows, chosen.stop - start)
        drawn[:, chosen] = deviations @ weights
        variance = squares @ weights - drawn[:, chosen] ** 2
        errors[:, chosen] = np.sqrt(np.maximum(variance / (n_rows - 1), least))
    if seeds.any():
        covariance = covariance + np.diag(seeds**2)
        drawn += _of_seeds(means, seeds)
        errors = np.hypot(errors, seeds[:, None])
    return _Drawn(
        n_rows=n_rows,
        means=means,
        errors=np.sqrt(np.maximum(np.diag(covariance), least)),
        inverse_errors=_inverse_errors(covariance),
        drawn_means=drawn,
        drawn_errors=errors,
    )


def _weights(random: np.random.Generator, n_rows: int, draws: int) -> Floats:
    """How often each row is drawn, as a share: (rows, draws)."""
    weights = np.empty((draws, n_rows))
    for draw in weights:
        draw[:] = np.bincount(
            random.integers(n_rows, size=n_rows, dtype=np.int32), minlength=n_rows
        )
    weights /= n_rows
    return weights.T


def _of_seeds(means: Floats, seeds: Floats) -> Floats:
    """Return what other seeds add to each mean in each draw: (trials, draws).

    By rank, so that it is the same in whatever order the trials come.
    """
    deviates = np.random.default_rng(1).standard_normal((len(means), _DRAWS))
    found: Floats = seeds[:, None] * deviates[means.argsort(kind="stable").argsort()]
    return found


def _inverse_errors(covariance: Floats) -> Floats:
    """1 / standard error of each pair's difference; 0 for a trial and itself."""
    variance = np.diag(covariance)
    both = variance[:, None] + variance[None, :]
    squared = np.maximum(both - 2 * covariance, _NEARLY_EQUAL * both)
    np.fill_diagonal(squared, 0.0)
    inverse = np.zeros_like(squared)
    np.divide(1.0, np.sqrt(squared), out=inverse, where=squared > 0)
    return inverse
