"""When overfitting sets in: after the minimum from which the validation score rises for good.

A level curve jitters too, and its lowest epochs lie below its last ones by luck. So a rise counts
only where it is beyond what the curve's own jitter explains. The jitter is estimated from the part
of the curve after its minimum (at least its second half), where the first steep fall is over, and
from differences of epochs, in which a slow rise nearly cancels. With v₁ and v₂ half the variance of
differences one and two epochs apart, an autoregression of order 1 has

    correlation φ = v₂ / v₁ − 1    variance σ² = v₁ / (1 − φ)

The mean over the last w epochs less the lowest mean over any w epochs, over the standard error of
such a mean (with that correlation), is compared with a critical value c, for w of 5 epochs, a
tenth, a fifth and a third of the curve: narrow windows find a steep rise, wide ones a slight one in
much jitter.
c grows with the number of windows that the lowest is chosen among, and in short curves and with
correlation, where the jitter is known badly; its numbers are fitted by simulation.
`benchmarks/trust.py` has the rates.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

HALF_WINDOW = 2
"""Epochs on either side that the smoothed curve averages: a window of five."""
TOLERANCE = 0.005
"""Of a BCE, the nats that the smoothed curve must end above its minimum; of any other score, so
many parts of what counts as a nat there. A smaller rise is no matter, however sure it is."""
_CRITICAL, _BY_WINDOWS, _BY_EPOCHS, _BY_CORRELATION = 3.3, 0.6, 3.0, 4.0
"""c = (3.3 + 0.6 ln(epochs / w)) (1 + 3 / m) (1 + 4 φ / √m), with m the epochs that the jitter is
estimated from. Fitted so that at most 5 % of level curves of 5 to 600 epochs are found to rise, at
correlations to 0.5."""
_WINDOWS = (10, 5, 3)
"""Parts of the curve that the wider windows are."""
_MOST_CORRELATED = 0.85
"""The largest correlation that is believed: beyond it jitter and trend are one."""
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
    back down has no onset. Three epochs or fewer average to the same value: they have none.
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
    rises &= _beyond_jitter(val_score, starts, ends, last_lowest, rises)
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
    lowest: NDArray[np.intp],
    asked: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Whether each curve that is asked for ends above its lowest part by more than its jitter.

    A curve is `values` from its start to its end; `lowest` is where its smoothed minimum lies.
    """
    found = np.zeros(len(starts), bool)
    lengths = ends - starts + 1
    for length in np.unique(lengths[asked]):
        of_length = np.flatnonzero(asked & (lengths == length))
        curves = np.asarray(values, float)[starts[of_length, None] + np.arange(length)]
        found[of_length] = _rise(curves, lowest[of_length] - starts[of_length])
    return found


def _rise(curves: Floats, lowest: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether each curve (curves, epochs) rises; `lowest` is the position of its minimum."""
    n_epochs = curves.shape[1]
    least = min(HALF_WINDOW * 2 + 1, max(n_epochs // 2, 1))
    first = np.minimum(lowest, n_epochs // 2)
    variance, correlation = jitter(curves, first)
    used = n_epochs - first
    allowance = (1 + _BY_EPOCHS / used) * (1 + _BY_CORRELATION * correlation / np.sqrt(used))
    found = np.zeros(len(curves), bool)
    for width in sorted({least, *(max(least, n_epochs // part) for part in _WINDOWS)}):
        means = np.lib.stride_tricks.sliding_window_view(curves, width, axis=1).mean(axis=2)
        lag = np.arange(1, width)
        shared = (1 - lag / width) * correlation[:, None] ** lag
        error = np.sqrt(variance * (1 + 2 * shared.sum(axis=1)) / width)
        critical = (_CRITICAL + _BY_WINDOWS * np.log(n_epochs / width)) * allowance
        found |= means[:, -1] - means.min(axis=1) > critical * error
    return found


def jitter(curves: Floats, first: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return the variance of each curve's jitter and its correlation from epoch to epoch.

    `curves` has the shape (curves, epochs); those from position `first` (curves,) on are used.
    """
    least = (_ROUNDING * np.abs(curves).max(axis=1)) ** 2
    one, two = (np.maximum(_half_variance(curves, first, lag), least) for lag in (1, 2))
    correlation = np.clip(two / one - 1, 0, _MOST_CORRELATED)
    one = np.maximum(np.minimum(one, _AT_MOST * _of_bends(curves, first)), least)
    return one / (1 - correlation), correlation


def _of_bends(curves: Floats, first: NDArray[np.intp]) -> Floats:
    """Variance of jitter from the median bend, |second difference|: 0 for a smooth curve.

    Of an autoregression it is v₁ (1 − φ/3); a fast rise and a fall after it are not in it.
    """
    bends = np.abs(np.diff(curves, n=2, axis=1))
    used = np.arange(bends.shape[1]) >= first[:, None]
    used[~used.any(axis=1)] = True
    if bends.shape[1] == 0:
        return np.full(len(curves), np.inf)
    median = np.nanmedian(np.where(used, bends, np.nan), axis=1)
    found: Floats = (_MEDIAN_TO_SPREAD * median) ** 2 / 6
    return found


def _half_variance(curves: Floats, first: NDArray[np.intp], lag: int) -> Floats:
    """Half the variance of differences `lag` epochs apart, about their mean: 0 for fewer than 2."""
    change = curves[:, lag:] - curves[:, :-lag]
    used = np.arange(change.shape[1]) >= first[:, None]
    count = used.sum(axis=1)
    mean = np.where(used, change, 0.0).sum(axis=1) / np.maximum(count, 1)
    squares = np.where(used, (change - mean[:, None]) ** 2, 0.0).sum(axis=1)
    half: Floats = squares / np.maximum(count - 1, 1) / 2
    return half
