"""Gap and onset of overfitting against capacity."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sweep import words
from sweep.analysis.answers import regularisers
from sweep.analysis.charts import style
from sweep.analysis.charts.axes import TooFewDataError, outside
from sweep.analysis.charts.colours import BLACK, BLUE, GREY, VERMILLION
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.ranking import is_scored

MIN_TRIALS = 5


@dataclass(frozen=True)
class GapsAndOnsets:
    """The numbers of the chart of gap and onset."""

    points: pd.DataFrame
    """trial, params (at least 1), gap, onset_epoch (missing when training ended first), epochs,
    kind: what regularises it, as in the verdict."""
    gap: tuple[float, float]
    """Range of the axis; diverged trials do not stretch it."""
    n_outside: int


def overfitting(frames: SweepFrames) -> GapsAndOnsets:
    """Return gap and onset of each evaluated trial. Raises TooFewDataError below five trials."""
    trials = frames.trials
    known = is_scored(trials) & trials["params"].notna() & trials["gap"].notna()
    if known.sum() < MIN_TRIALS:
        raise TooFewDataError(f"fewer than {MIN_TRIALS} trials have a gap")
    points = trials.loc[known, ["trial", "params", "gap", "onset_epoch", "epochs"]].assign(
        kind=regularisers.kinds_of(frames)
    )
    points["params"] = points["params"].astype(float).clip(lower=1)
    gap = points["gap"].to_numpy(dtype=float)
    low, high = np.quantile(gap, 0.02), np.quantile(gap, 0.98)
    margin = 0.15 * max(high - low, 1e-3 * frames.no_skill.scale)
    ends = (float(min(low, 0) - margin), float(max(high, 0) + margin))
    return GapsAndOnsets(points, ends, outside(gap, *ends))


def draw_overfitting(frames: SweepFrames) -> Figure:
    """Draw `overfitting`: the gap above, the onset below."""
    data = overfitting(frames)
    shown = frames.score_words
    of = (shown.train, shown.validation) if shown.is_turned else (shown.validation, shown.train)
    notes = [f"Gap: {of[0]} minus {of[1]} in evaluation mode, at the best epoch."]
    if data.n_outside:
        notes.append(f"Gap off the chart: {words.trials(data.n_outside)}.")
    figure = style.page(frames, "Overfitting by capacity", notes)
    upper = figure.add_axes((0.1, 0.53, 0.64, 0.36))
    lower = figure.add_axes((0.1, 0.125, 0.64, 0.36))
    params = data.points["params"]
    for axes in (upper, lower):
        ends = (params.min(), params.max())
        style.log_axis(axes, ends[0] / 1.6, ends[1] * 1.6, ends=ends)
    upper.tick_params(labelbottom=False)
    upper.set_ylim(*data.gap)
    upper.set_ylabel(shown.with_unit("gap"))
    style.amount_axis(upper, shown)
    upper.axhline(0, color=BLACK, linewidth=0.8)
    lower.set_ylabel("onset, epoch (logarithmic)")
    lower.set_xlabel("trainable parameters (logarithmic)")
    last = float(data.points["epochs"].max())
    style.log_axis(lower, 0.85, max(last, 2) * 1.3, "y", ends=[last])
    kinds = data.points["kind"]
    is_on = ~kinds.isin((regularisers.NONE, regularisers.UNKNOWN))
    for chosen, (color, marker, _) in zip(_chosen(kinds, is_on), _LOOKS, strict=True):
        _draw(upper, lower, data.points[chosen], color, marker)
    figure.legend(handles=_legend(kinds), loc="upper left", bbox_to_anchor=(0.755, 0.895))
    return figure


_LOOKS = (
    (VERMILLION, "s", "not regularised"),
    (BLUE, "o", "regularised"),
    (GREY, "D", "regularisation unknown"),
)


def _chosen(kinds: "pd.Series[str]", is_on: "pd.Series[bool]") -> list["pd.Series[bool]"]:
    """Which trials have each of `_LOOKS`."""
    return [kinds == regularisers.NONE, is_on, kinds == regularisers.UNKNOWN]


def _draw(upper: Axes, lower: Axes, points: pd.DataFrame, color: str, marker: str) -> None:
    crowd: dict[str, Any] = {
        "s": 22,
        "alpha": 0.75,
        "linewidths": 0.8,
        "rasterized": len(points) > 800,
    }
    upper.scatter(points["params"], points["gap"], color=color, marker=marker, **crowd)
    seen = points["onset_epoch"].notna()
    rows = points[seen]
    onset = rows["onset_epoch"].astype(float)
    lower.scatter(rows["params"], onset, color=color, marker=marker, **crowd)
    rows = points[~seen]
    lower.scatter(
        rows["params"], rows["epochs"], facecolors="none", edgecolors=color, marker="^", **crowd
    )


def _legend(kinds: "pd.Series[str]") -> list[Line2D]:
    looks = _LOOKS if (kinds == regularisers.UNKNOWN).any() else _LOOKS[:2]
    return [
        *(
            Line2D([], [], color=color, marker=marker, linestyle="", label=label)
            for color, marker, label in looks
        ),
        Line2D(
            [], [], color=GREY, marker="^", markerfacecolor="none", linestyle="",
            label="no onset up to this epoch,\nthe trial's last",
        ),
    ]  # fmt: skip
