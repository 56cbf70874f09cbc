"""When overfitting sets in: after the minimum from which the validation score rises for good.

A level curve jitters too, and its lowest epochs lie below its last ones by luck. So a rise counts
only where it is beyond what the curve's own jitter explains.

The jitter is taken to be an autoregression of order 1 about a straight line in the second half of
the curve, where the first steep fall is over. Its correlation from epoch to epoch and its variance
are those of the highest restricted likelihood (H. D. Patterson, R. Thompson, Biometrika 58 (1971)
545–554), on a grid of correlations from 0 to 0.95. A bend of the curve is no jitter: the variance
is at most four times that which the median second difference gives.

Then the curve is compared with shapes of rises: a straight one and a step, that begin at one of
six places in all of the curve, its last three quarters, half or quarter. Each is weighted so that a
curve that only falls gives 0 or less. The largest such sum of the curve's epochs over its standard
error is compared with a critical value c: a scan (J. Glaz, J. Naus, S. Wallenstein, "Scan
statistics", 2001).

A short curve does not tell its correlation: of curves of 27 epochs whose jitter has one of 0.9,
half are estimated at 0.75 or below. So c is that of the worst true correlation up to 0.9, by the
number of epochs and by the estimate: large in short curves, and largest, in longer ones, where the
estimate is 0.4 to 0.6, as that may still be 0.9. Its numbers are fitted by simulation: at most 5 %
of level curves rise, at any correlation up to 0.9, and as many as possible of those that do rise
by 0.02 are found, with jitter that is independent or correlated by 0.5. `benchmarks/trust.py` has
the rates, beside the most that any test can find. `too_jittery` says which curves could not show
such a rise.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

HALF_WINDOW = 2
"""Epochs on either side that the smoothed curve averages: a window of five."""
TOLERANCE = 0.005
"""Of a BCE, the nats that the smoothed curve must end above its minimum; of any other score, so
many parts of what counts as a nat there. A smaller rise is no matter, however sure it is."""
_CRITICAL = {
    1: (25.0, 30.0, 25.0, 20.0),
    2: (13.6, 8.5, 8.0, 7.0),
    3: (11.0, 7.2, 6.8, 4.4),
    4: (10.4, 6.8, 6.4, 3.6),
    6: (10.0, 7.8, 6.4, 3.5),
    8: (9.2, 8.1, 6.8, 3.8),
    12: (8.3, 7.3, 6.8, 5.0),
    19: (3.8, 3.8, 9.2, 3.8),
    28: (3.4, 4.1, 7.1, 3.4),
    39: (3.1, 4.2, 5.2, 4.5),
    58: (2.7, 3.0, 3.0, 5.6),
    120: (2.75, 2.75, 3.4, 3.4),
    300: (2.75, 2.75, 3.0, 3.0),
}
"""c by degrees of freedom of the jitter's variance, at the estimated correlations `_KNOTS`; linear
between. At most 5 % of level curves of 5 to 600 epochs are found to rise, at true correlations
from 0 to 0.9: a short curve does not tell which."""
_KNOTS = (0.0, 0.3, 0.45, 0.95)
_CORRELATIONS = np.arange(20) / 20
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
    rises &= _beyond_jitter(val_score, starts, rises)
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


def too_jittery(
    trial: NDArray[np.intp],
    val_score: NDArray[np.floating],
    n_trials: int,
    rise: float = 4 * TOLERANCE,
) -> NDArray[np.bool_]:
    """Return which curves may not show a straight `rise` over their second half: (n_trials,).

    Of such rises a fifth or more are not found in such jitter. Arrays as in `onsets`. A curve of
    fewer than five finite epochs shows none.
    """
    found = np.ones(n_trials, bool)
    finite = np.isfinite(val_score)
    trial, val_score = trial[finite], val_score[finite]
    starts = np.flatnonzero(np.r_[True, trial[1:] != trial[:-1]][: len(trial)])
    for of_length, curves in _by_length(val_score, starts, np.ones(len(starts), bool)):
        found[trial[starts[of_length]]] = least_rises(curves) > rise
    return found


def _beyond_jitter(
    values: NDArray[np.floating], starts: NDArray[np.intp], asked: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether each curve that is asked for rises by more than its jitter explains."""
    found = np.zeros(len(starts), bool)
    for of_length, curves in _by_length(values, starts, asked):
        found[of_length] = scan(curves) > 1
    return found


def _by_length(
    values: NDArray[np.floating], starts: NDArray[np.intp], asked: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.intp], Floats]]:
    """Yield the curves asked for that are long enough, by length: positions, (curves, epochs).

    A curve is `values` from its start to the next one's.
    """
    lengths = np.diff(np.r_[starts, len(values)])
    for length in np.unique(lengths[asked & (lengths >= _LEAST_EPOCHS)]):
        of_length = np.flatnonzero(asked & (lengths == length))
        yield of_length, np.asarray(values, float)[starts[of_length, None] + np.arange(length)]


def scan(curves: Floats) -> Floats:
    """Return the largest rise in each curve (curves, epochs), over what jitter explains."""
    n_epochs = curves.shape[1]
    shapes, errors = _shapes(n_epochs)
    variance, correlation = jitter(curves)
    # term by term: a product of matrices would differ, in the last bit, with the curves beside it
    sums = np.einsum("ce,se->cs", curves - curves[:, :1], shapes)
    largest: Floats = (sums / errors[correlation]).max(axis=1) / np.sqrt(variance)
    return largest / _critical(n_epochs, _CORRELATIONS[correlation])


def least_rises(curves: Floats) -> Floats:
    """Return the straight rise over the second half that just shows in each curve's jitter.

    By the shapes that begin in that half: the first is taken to fall.
    """
    n_epochs = curves.shape[1]
    shapes, errors = _shapes(n_epochs)
    variance, correlation = jitter(curves)
    middle = n_epochs / 2
    rise = np.clip((np.arange(1, n_epochs + 1) - middle) / (n_epochs - middle), 0, None)
    late = ~shapes[:, : n_epochs // 2].any(axis=1)
    of_one = (np.einsum("e,se->s", rise, shapes[late]) / errors[:, late]).max(axis=1)
    least = _critical(n_epochs, _CORRELATIONS[correlation]) * np.sqrt(variance)
    found: Floats = least / of_one[correlation]
    return found


def _critical(n_epochs: int, correlation: Floats) -> Floats:
    free, table = list(_CRITICAL), np.array(list(_CRITICAL.values()))
    knots = [np.interp(_free(n_epochs), free, column) for column in table.T]
    found: Floats = np.interp(correlation, _KNOTS, knots)
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
