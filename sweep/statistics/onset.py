"""When overfitting sets in: after the minimum from which the validation score rises for good."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

HALF_WINDOW = 2
"""Epochs on either side that the smoothed curve averages: a window of five."""
TOLERANCE = 0.005
"""Of a BCE, the nats that the smoothed curve must end above its minimum; of any other score, so
many parts of what counts as a nat there. Epochs of one trial are compared on the same rows, so this
is above the jitter from epoch to epoch and below any rise that matters."""


def onset(val_score: Sequence[float], tolerance: float = TOLERANCE) -> int | None:
    """Return the epoch at which overfitting sets in, or None if training ended first ("> N").

    `val_score` is the validation score of epochs 1, 2, …; those that are not finite are left out.

    The rule: smooth the curve by a centred mean over five epochs (at either end, over those of
    the five that exist). The onset is the last epoch at which the smoothed curve attains its
    minimum, provided that the smoothed curve ends more than `tolerance` above that minimum.
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
