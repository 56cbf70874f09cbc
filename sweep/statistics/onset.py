"""When overfitting sets in: after the minimum from which the validation score rises for good.

A level curve jitters too, and its lowest epochs lie below its last ones by luck. So a rise counts
only where it is beyond what the curve's own jitter explains.

The jitter is taken to be an autoregression of order 1 about a straight line in the second half of
the curve, where the first steep fall is over. Its correlation from epoch to epoch and its variance
are those of the highest restricted likelihood (H. D. Patterson, R. Thompson, Biometrika 58 (1971)
545–554), on a grid of correlations from 0 to 0.85. A bend of the curve is no jitter: the variance
is at most four times that which the median second difference gives.

Then the curve is compared with shapes of rises: a straight one and a step, that begin at one of
six places in all of the curve, its last three quarters, half or quarter. Each is weighted so that a
curve that only falls gives 0 or less. The largest such sum of the curve's epochs over its standard
error is compared with a critical value c: a scan (J. Glaz, J. Naus, S. Wallenstein, "Scan
statistics", 2001). c is larger in short curves, where the jitter is known badly; its numbers are
fitted by simulation. `benchmarks/trust.py` has the rates, beside the most that any test can find.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

HALF_WINDOW = 2
"""Epochs on either side that the smoothed curve averages: a window of five."""
TOLERANCE = 0.005
"""Of a BCE, the nats that the smoothed curve must end above its minimum; of any other score, so
many parts of what counts as a nat there. A smaller rise is no matter, however sure it is."""
_CRITICAL = (
    (1, 2, 3, 4, 5, 7, 12, 19, 28, 39, 300),
    (23.0, 6.8, 5.5, 5.0, 4.9, 4.5, 3.8, 3.3, 2.8, 2.7, 2.75),
)
"""c for a correlation of 0, by degrees of freedom of the jitter's variance: so that at most 5 % of
level curves of 5 to 600 epochs are found to rise, at correlations from 0 to 0.5."""
_BY_CORRELATION = 10.0
"""Times the correlation, over the root of the degrees of freedom: what c is larger by."""
_CORRELATIONS = np.arange(18) / 20
"""Those of jitter from epoch to epoch that are tried: beyond them jitter and trend are one."""
_LEAST_EPOCHS = 5
"""Of a curve whose jitter can be told from a straight line."""
_MEDIAN_TO_SPREAD = 1.4826
"""Spread of a normal distribution over the median size of its deviations."""
_AT_MOST = 4.0
"""Times the variance from the median bend that the variance of the jitter may be: what is more
is trend. It does not bind for normal jitter, nor for one with Student's t of three degrees."""
_ROUNDING = 1e-9
"""Least jitter, as a share of the score: below it is rounding."""

Floats = NDArray[np.float64]


def onset(val_score: Sequence[float], tolerance: float = TOLERANCE) -> int | None:
    """Return the epoch at which overfitting sets in, or None if training ended first ("> N").

    `val_score` is the validation score of epochs 1, 2, …; those that are not finite are left out.

    The rule: smooth the curve by a centred mean over five epochs (at either end, over those of
    the five that exist). The onset is the last epoch at which the smoothed curve attains its
    minimum, provided that the smoothed curve ends more than `tolerance` above that minimum, and
    that this is beyond the curve's jitter (see the top of this file).
    So one lucky epoch makes no minimum, one bad epoch makes no rise, and a curve that comes
    back down has no onset. Four epochs or fewer have none.
    """
    values = np.asarray(val_score, dtype=float)
    epochs = np.arange(1, len(values) + 1)
    (found,) = onsets(np.zeros(len(values), dtype=np.intp), epochs, values, 1, tolerance)
    return None if np.isnan(found) else int(found)


def onsets(
    trial: NDArray[np.intp],
    epoch: NDArray[np.integer],
    val_score: NDArray[np.floating],
    n_trials: int,
    tolerance: float = TOLERANCE,
) -> NDArray[np.float64]:
    """Return the onset of each of many trials at once; NaN for none.

    The three arrays have one item per epoch record, sorted by trial and epoch; `trial` counts
    from 0. The result has the shape (n_trials,).
    """
    result = np.full(n_trials, np.nan)
    finite = np.isfinite(val_score)
    trial, epoch, val_score = trial[finite], epoch[finite], val_score[finite]
    if len(trial) == 0:
        return result
    smooth = smoothed(trial, val_score, HALF_WINDOW)
    starts = np.flatnonzero(np.r_[True, trial[1:] != trial[:-1]])
    ends = np.r_[starts[1:], len(trial)] - 1
    lowest = np.minimum.reduceat(smooth, starts)
    is_lowest = smooth == np.repeat(lowest, ends - starts + 1)
    last_lowest = np.maximum.reduceat(np.where(is_lowest, np.arange(len(trial)), -1), starts)
    rises = smooth[ends] - lowest > tolerance
    rises &= _beyond_jitter(val_score, starts, ends, rises)
    result[trial[starts[rises]]] = epoch[last_lowest[rises]]
    return result


def smoothed(
    trial: NDArray[np.intp], values: NDArray[np.floating], half_window: int
) -> NDArray[np.float64]:
    """Return centred means over `2 * half_window + 1` records of a trial, fewer at its ends.

    Sums window by window instead of from a running total: what a trial's smoothed curve is
    must not depend, to the last bit, on which trials stand before it.
    """
    total = np.array(values, dtype=float)
    count = np.ones(len(values))
    for shift in range(1, min(half_window, len(values) - 1) + 1):
        same = trial[shift:] == trial[:-shift]
        total[shift:] += np.where(same, values[:-shift], 0.0)
        total[:-shift] += np.where(same, values[shift:], 0.0)
        count[shift:] += same
        count[:-shift] += same
    return total / count


def _beyond_jitter(
    values: NDArray[np.floating],
    starts: NDArray[np.intp],
    ends: NDArray[np.intp],
    asked: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Whether each curve that is asked for rises by more than its jitter explains.

    A curve is `values` from its start to its end.
    """
    found = np.zeros(len(starts), bool)
    lengths = ends - starts + 1
    for length in np.unique(lengths[asked & (lengths >= _LEAST_EPOCHS)]):
        of_length = np.flatnonzero(asked & (lengths == length))
        curves = np.asarray(values, float)[starts[of_length, None] + np.arange(length)]
        found[of_length] = scan(curves) > 1
    return found


def scan(curves: Floats) -> Floats:
    """Return the largest rise in each curve (curves, epochs), over what jitter explains."""
    n_epochs = curves.shape[1]
    shapes, errors = _shapes(n_epochs)
    variance, correlation = jitter(curves)
    # term by term: a product of matrices would differ, in the last bit, with the curves beside it
    sums = np.einsum("ce,se->cs", curves - curves[:, :1], shapes)
    largest: Floats = (sums / errors[correlation]).max(axis=1) / np.sqrt(variance)
    return largest / _critical(n_epochs, _CORRELATIONS[correlation])


def _critical(n_epochs: int, correlation: Floats) -> Floats:
    free = _free(n_epochs)
    found: Floats = np.interp(free, *_CRITICAL) + _BY_CORRELATION * correlation / np.sqrt(free)
    return found


def _free(n_epochs: int) -> int:
    """Degrees of freedom of the jitter's variance: those of half the curve less a line's."""
    return n_epochs - n_epochs // 2 - 2


@lru_cache(maxsize=64)
def _shapes(n_epochs: int) -> tuple[Floats, Floats]:
    """Return weights of a curve's epochs (shapes, epochs), and the standard errors of their sums.

    The errors (correlations, shapes) are those for jitter of variance 1.
    """
    shapes = []
    for first in sorted({round(n_epochs * part / 4) for part in range(4)}):
        length = n_epochs - first
        for rises_from in sorted({round(length * part / 6) for part in range(6)}):
            after = np.arange(length) - rises_from + 1
            if length - rises_from >= min(HALF_WINDOW * 2 + 1, length // 2):
                shapes += [np.r_[np.zeros(first), one - one.mean()]
                           for one in (np.clip(after, 0, None), np.clip(after, 0, 1))
                           if one.any() and not (one == one[0]).all()]  # fmt: skip
    weights = np.array(shapes)
    shared = np.fft.irfft(np.abs(np.fft.rfft(weights, 2 * n_epochs)) ** 2)[:, :n_epochs]
    shared[:, 1:] *= 2  # of an epoch with those before it and behind
    by_lag = _CORRELATIONS[:, None] ** np.arange(n_epochs)
    return weights, np.sqrt(by_lag @ shared.T)


def jitter(curves: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Return the variance of each curve's jitter, and which of `_CORRELATIONS` it has.

    `curves` has the shape (curves, epochs), with five epochs or more.
    """
    half, free = curves[:, curves.shape[1] // 2 :], _free(curves.shape[1])
    line = np.vander(np.linspace(-1, 1, half.shape[1]), 2).T
    half = half - half.mean(axis=1, keepdims=True)
    likelihoods, variances = np.empty((2, len(_CORRELATIONS), len(curves)))
    for number, correlation in enumerate(_CORRELATIONS):
        of_line, triangle = np.linalg.qr(_independent(line, correlation).T)
        values = _independent(half, correlation)
        values = values - np.einsum("ce,ei->ci", values, of_line) @ of_line.T
        squares = np.maximum((values**2).sum(axis=1), np.finfo(float).tiny)
        kept = np.log(np.abs(np.diag(triangle))).sum() - np.log(1 - correlation**2) / 2
        likelihoods[number] = -free / 2 * np.log(squares) - kept
        variances[number] = squares / free / (1 - correlation**2)
    best: NDArray[np.intp] = likelihoods.argmax(axis=0)
    found = np.take_along_axis(variances, best[None], axis=0)[0]
    least = (_ROUNDING * np.abs(curves).max(axis=1)) ** 2
    most = _AT_MOST * _of_bends(curves) / (1 - _CORRELATIONS[best])
    return np.maximum(np.minimum(found, most), least), best


def _independent(values: Floats, correlation: float) -> Floats:
    """Return what is new in each epoch (…, epochs), if they have this correlation."""
    found = values.copy()
    found[:, 1:] -= correlation * values[:, :-1]
    found[:, 0] *= np.sqrt(1 - correlation**2)
    return found


def _of_bends(curves: Floats) -> Floats:
    """Variance of jitter from the median bend, |second difference|: 0 for a smooth curve.

    Of an autoregression it is v (1 − φ)(1 − φ/3); a fast rise and a fall after it are not in it.
    """
    bends = np.abs(np.diff(curves, n=2, axis=1))
    found: Floats = (_MEDIAN_TO_SPREAD * np.median(bends, axis=1)) ** 2 / 6
    return found
