"""The numbers of a chart's axes: ticks, their labels, ranges. Nothing is drawn here."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweep.analysis.frames.no_skill import NoSkill


class TooFewDataError(Exception):
    """A chart cannot be drawn from what there is; says what it needs."""


_APART = 0.08
"""Share of a logarithmic axis that a tick keeps free for its label."""


def log_ticks(first: float, last: float, ends: Sequence[float] = ()) -> list[float]:
    """Return 2 to about 9 ticks from `first` to `last`, some of them where the data end.

    The others are digits times powers of ten, or evenly spaced if just one of these fits; those
    too near to one of `ends` are left out.
    """
    room = _APART * np.log(last / first)
    kept: list[float] = []
    for end in sorted({end for end in ends if first <= end <= last}, reverse=True):
        if not _near(end, kept, room):
            kept.append(end)
    others = [tick for tick in _round_ticks(first, last) if not _near(tick, kept, room)]
    return sorted([*kept, *others])


def _near(tick: float, others: Sequence[float], room: float) -> bool:
    return any(abs(np.log(tick / other)) < room for other in others)


def _round_ticks(first: float, last: float) -> list[float]:
    powers = range(int(np.floor(np.log10(first))), int(np.ceil(np.log10(last))) + 1)
    for digits in ((1,), (1, 3), (1, 2, 5), range(1, 10)):
        ticks = [digit * 10.0**power for power in powers for digit in digits]
        ticks = [tick for tick in ticks if first <= tick <= last]
        if len(ticks) >= 3:
            return ticks
    if len(ticks) == 2:
        return ticks
    return even_ticks(first, last)


def even_ticks(first: float, last: float) -> list[float]:
    """Return about five ticks from `first` to `last`, evenly spaced."""
    from matplotlib.ticker import MaxNLocator  # not at the top: most axes need no matplotlib

    even = MaxNLocator(nbins=5).tick_values(first, last)
    return [float(tick) for tick in even if first <= tick <= last]


def magnitude(value: float, digits: int = 4) -> str:
    """Return a number in short form: 800, 1k, 300k, 2M; 0.001, 1e-05."""
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:.{digits}g}{name}"
    return f"{value:.{digits}g}"


def tick_label(tick: float, ends: Sequence[float] = ()) -> str:
    """Return the label of a tick of `log_ticks`; where the data end, three digits are enough."""
    return magnitude(tick, 3 if tick in ends else 4)


def score_range(
    values: NDArray[np.floating], val_score: NDArray[np.floating], level: NoSkill
) -> tuple[float, float]:
    """Return a range for an axis of scores that diverged and memorising trials cannot stretch.

    With d the distance from the best of `val_score` down from `no_skill`: at most d further down,
    at most d / 2 above no skill, and no further than the `values` go. Holds the best and no skill.
    What is off the chart, `outside` counts for a note.
    """
    no_skill, scale = level.validation, level.scale
    values, val_score = values[np.isfinite(values)], val_score[np.isfinite(val_score)]
    if len(val_score) == 0:
        return no_skill - 0.2 * scale, no_skill + 0.02 * scale
    best = float(val_score.min())
    distance = no_skill - best
    if distance > 0:
        low = max(float(values.min()), best - distance)
        high = min(max(float(values.max()), no_skill), no_skill + distance / 2)
    else:
        low, high = no_skill, max(float(np.quantile(values, 0.9)), no_skill)
    margin = 0.05 * max(high - low, 1e-3 * scale)
    return low - margin, high + margin


def colour_range(values: NDArray[np.floating], error: float, scale: float) -> tuple[float, float]:
    """Return the ends of a colour scale for `values`, four standard errors apart at least.

    So no difference within two errors gets the two ends. If the `error` is unknown (NaN), they
    are a thousandth of `scale` apart at least: of a nat, of a BCE.
    """
    low, high = float(values.min()), float(values.max())
    least = 4 * error if np.isfinite(error) else 1e-3 * scale  # two ends
    wider = max(least - (high - low), 0.0) / 2
    return low - wider, high + wider


def error_of_differences(trials: pd.DataFrame) -> float:
    """Return the median standard error of the trials' differences from the best; NaN if unknown."""
    errors = trials["difference_se"].to_numpy(dtype=float)
    errors = errors[np.isfinite(errors) & (errors > 0)]
    return float(np.median(errors)) if len(errors) else float("nan")


def outside(values: NDArray[np.floating], low: float, high: float) -> int:
    """Count the finite `values` that a chart from `low` to `high` does not show."""
    finite = values[np.isfinite(values)]
    return int(((finite < low) | (finite > high)).sum())
