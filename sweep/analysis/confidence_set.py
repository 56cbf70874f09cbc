"""Which trials may be the best: a model confidence set.

Hansen, Lunde and Nason, "The model confidence set", Econometrica 79 (2011) 453–497, with the
range statistic T_R, for losses that are independent from row to row. With probability 95 % (as
the number of rows grows) the set holds *every* trial whose expected loss is the lowest: equal
trials are told apart at most 5 % of the time, however many are compared.

Start with all trials. The statistic of a pair is its mean paired difference over its standard
error. Where the largest statistic of the set exceeds the critical value, that is the 95 %
quantile of the same maximum when all trials of the set are equal, all trials that another one
exceeds by so much leave, and the set that is left is looked at again: its critical value is
lower (step-down; Romano and Wolf, Econometrica 73 (2005) 1237–1282).

The quantile is simulated: means of many rows are normal, with the covariance that the losses
have (the Gaussian multiplier bootstrap; Chernozhukov, Chetverikov and Kato, Annals of Statistics
41 (2013) 2786–2819), then moved from the normal to Student's t, which is exact for two trials.
Seeded, so the same losses give the same set.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from sweep.analysis.paired import CONFIDENCE, differences

_DRAWS = 2000
_SIMULATED = 300
"""Trials up to which the critical value is simulated. Bonferroni's bound, which exceeds it, thins
them out first; where more are left than this, it decides alone and keeps a few too many."""
_NEARLY_EQUAL = 1e-12
"""Least variance of a difference, as a share of the two trials': below it is rounding."""

Floats = NDArray[np.float64]


def confidence_set(losses: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which trials may be the best: losses (trials, rows) → (trials,).

    The trial with the lowest mean always may. Raises ValueError with fewer than two rows.
    """
    n_trials, n_rows = losses.shape
    if n_rows < 2:
        raise ValueError(f"{n_rows} rows: a standard error takes two at least")
    members = _thinned(losses)
    left = np.flatnonzero(members)
    if len(left) <= _SIMULATED:
        members = np.zeros(n_trials, bool)
        members[left[_stepped_down(losses[left].astype(np.float64))]] = True
    return members


def _thinned(losses: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Step-down against the trial with the lowest mean, with Bonferroni's bound over all pairs."""
    n_trials, n_rows = losses.shape
    best = int(np.argmin(losses.mean(axis=1, dtype=np.float64)))
    values, errors = differences(losses, losses[best])
    with np.errstate(divide="ignore", invalid="ignore"):
        statistics = np.where(values > 0, values / errors, 0.0)
    members = np.ones(n_trials, bool)
    while True:
        n_left = int(members.sum())
        share = (1 - CONFIDENCE) / max(n_left * (n_left - 1), 1)
        left: NDArray[np.bool_] = members & (statistics <= -stdtrit(n_rows - 1, share))
        if left.sum() == n_left:
            return left
        members = left


def _stepped_down(losses: Floats) -> NDArray[np.intp]:
    """Positions of the trials in the set."""
    n_trials, n_rows = losses.shape
    losses = losses - losses.mean(axis=0)  # what all share cancels in every difference
    means = losses.mean(axis=1)
    covariance = np.atleast_2d(np.cov(losses)) / n_rows
    inverse_se = _inverse_errors(covariance)
    statistics = (means[:, None] - means[None, :]) * inverse_se  # (trials, trials)
    random = np.random.default_rng(0)
    draws = _root(covariance) @ random.standard_normal((n_trials, _DRAWS))  # (trials, draws)
    left = np.arange(n_trials)
    while True:
        critical = _critical(draws[left], inverse_se[np.ix_(left, left)], n_rows)
        worst = statistics[np.ix_(left, left)].max(axis=1)
        if (worst <= critical).all():
            return left
        left = left[worst <= critical]


def _inverse_errors(covariance: Floats) -> Floats:
    """1 / standard error of each pair's difference; 0 for a trial and itself."""
    variance = np.diag(covariance)
    both = variance[:, None] + variance[None, :]
    squared = np.maximum(both - 2 * covariance, _NEARLY_EQUAL * both)
    np.fill_diagonal(squared, 0.0)
    inverse = np.zeros_like(squared)
    np.divide(1.0, np.sqrt(squared), out=inverse, where=squared > 0)
    return inverse


def _root(covariance: Floats) -> Floats:
    """The symmetric square root: the one that does not depend on the choice of eigenvectors."""
    values, vectors = np.linalg.eigh(covariance)
    root: Floats = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return root


def _critical(draws: Floats, inverse_se: Floats, n_rows: int) -> float:
    """Quantile of the largest statistic of any pair when all are equal."""
    z, scale = draws.astype(np.float32), inverse_se.astype(np.float32)
    largest = np.zeros(z.shape[1], np.float32)
    for i in range(1, len(z)):  # a trial against those before it: all pairs at once take gigabytes
        statistics = z[:i] - z[i]
        np.abs(statistics, out=statistics)
        statistics *= scale[i, :i, None]
        np.maximum(largest, statistics.max(axis=0), out=largest)
    normal = np.quantile(largest, CONFIDENCE)
    return float(-stdtrit(n_rows - 1, ndtr(-normal)))
