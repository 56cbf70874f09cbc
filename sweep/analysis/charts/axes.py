"""The numbers of a chart's axes: ticks, their labels, ranges. Nothing is drawn here."""

import numpy as np
from numpy.typing import NDArray


class TooFewDataError(Exception):
    """A chart cannot be drawn from what there is; says what it needs."""


def log_ticks(first: float, last: float) -> list[float]:
    """Return 2 to about 9 ticks from `first` to `last`.

    They are digits times powers of ten, or evenly spaced if just one of these fits.
    """
    powers = range(int(np.floor(np.log10(first))), int(np.ceil(np.log10(last))) + 1)
    for digits in ((1,), (1, 3), (1, 2, 5), range(1, 10)):
        ticks = [digit * 10.0**power for power in powers for digit in digits]
        ticks = [tick for tick in ticks if first <= tick <= last]
        if len(ticks) >= 3:
            return ticks
    if len(ticks) == 2:
        return ticks
    from matplotlib.ticker import MaxNLocator  # not at the top: most axes need no matplotlib

    even = MaxNLocator(nbins=5).tick_values(first, last)
    return [float(tick) for tick in even if first <= tick <= last]


def magnitude(value: float) -> str:
    """Return a number in short form: 800, 1k, 300k, 2M; 0.001, 1e-05."""
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:.4g}{name}"
    return f"{value:.4g}"


def bce_range(
    values: NDArray[np.floating], val_bce: NDArray[np.floating], no_skill: float
) -> tuple[float, float]:
    """Return a range for an axis of BCE that diverged and memorising trials cannot stretch.

    With d the distance from the best of `val_bce` down from `no_skill`: at most d further down, at
    most d / 2 above no skill, and no further than the `values` go. Holds the best and no skill.
    What is off the chart, `outside` counts for a note.
    """
    values, val_bce = values[np.isfinite(values)], val_bce[np.isfinite(val_bce)]
    if len(val_bce) == 0:
        return no_skill - 0.2, no_skill + 0.02
    best = float(val_bce.min())
    distance = no_skill - best
    if distance > 0:
        low = max(float(values.min()), best - distance)
        high = min(max(float(values.max()), no_skill), no_skill + distance / 2)
    else:
        low, high = no_skill, float(np.quantile(values, 0.9))
    margin = 0.05 * max(high - low, 1e-3)
    return low - margin, high + margin


def outside(values: NDArray[np.floating], low: float, high: float) -> int:
    """Count the finite `values` that a chart from `low` to `high` does not show."""
    finite = values[np.isfinite(values)]
    return int(((finite < low) | (finite > high)).sum())
