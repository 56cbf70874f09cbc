"""Scores at each rung, and whether the ranking there lasted to the next rung."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sweep import words
from sweep.analysis.charts import style
from sweep.analysis.charts.axes import TooFewDataError, score_range
from sweep.analysis.charts.colours import BLACK, BLUE, GREY
from sweep.analysis.frames.load import SweepFrames
from sweep.statistics.confidence import Z

ENOUGH = 5
"""Trials that a correlation needs."""
_MAX_LINES = 600


@dataclass(frozen=True)
class Step:
    """Trials promoted from `first` to `last` epochs, all brackets together."""

    first: int
    last: int
    n_trials: int
    correlation: float
    """Spearman's, between the scores before and after; NaN when there are too few."""
    low: float
    high: float
    """95 % interval: Fisher's z with the standard error of Bonett and Wright (2000),
    sqrt((1 + r²/2) / (n - 3)); NaN for too few trials or a perfect correlation."""


@dataclass(frozen=True)
class RungScores:
    """The numbers of the chart of rungs."""

    scores: pd.DataFrame
    """trial, last_epoch, score of each assignment of the search that has a score."""
    steps: list[Step]


def ladder(frames: SweepFrames) -> RungScores:
    """Return the scores by rung. Raises TooFewDataError if no trial has been promoted."""
    if not frames.sweep.settings.has_rungs:
        raise TooFewDataError(f"a {frames.sweep.settings.search} search promotes no trials")
    done = frames.assignments
    done = done[done["is_searched"] & np.isfinite(done["score"])]
    before = done[["trial", "last_epoch", "score"]]
    pairs = done.merge(
        before, left_on=["trial", "first_epoch"], right_on=["trial", "last_epoch"],
        suffixes=("", "_before"),
    )  # fmt: skip
    if pairs.empty:
        raise TooFewDataError("no trial has been promoted yet")
    steps = []
    for (first, last), group in pairs.groupby(["first_epoch", "last_epoch"]):
        found = _correlation(group["score_before"].to_numpy(), group["score"].to_numpy())
        steps.append(Step(int(first), int(last), len(group), *found))
    return RungScores(before, steps)


def _correlation(
    before: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    after: "np.ndarray[tuple[int], np.dtype[np.float64]]",
) -> tuple[float, float, float]:
    """Return Spearman's rank correlation with the ends of its 95 % interval."""
    from scipy.stats import spearmanr  # takes a second to import

    if len(before) < ENOUGH or np.ptp(before) == 0 or np.ptp(after) == 0:
        return math.nan, math.nan, math.nan
    r = float(spearmanr(before, after).statistic)
    if abs(r) > 1 - 1e-9:
        return r, math.nan, math.nan
    half = Z * math.sqrt((1 + r * r / 2) / (len(before) - 3))
    return r, math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)


def draw_ladder(frames: SweepFrames) -> Figure:
    """Draw `ladder`: a line for each trial, the correlations in a panel beside them."""
    data, shown = ladder(frames), frames.score_words
    notes = [
        "Spearman's rank correlation, 95 % interval (Fisher's z), over promoted trials only. "
        "Trials that were cut cannot be followed, which makes the correlation lower."
    ]
    figure = style.page(frames, "Rungs: did the ranking last?", notes)
    axes = figure.add_axes((0.08, 0.125, 0.5, 0.74))
    scores = data.scores
    last = float(scores["last_epoch"].max())
    style.log_axis(axes, 0.85, max(last, 2) * 1.2, ends=[last])
    finite = scores["score"].to_numpy(dtype=float)
    y = score_range(finite, finite, frames.no_skill)
    style.score_axis(axes, frames, y, f"{shown.best} {shown.validation} so far")
    axes.set_xlabel("epochs trained at the end of the rung (logarithmic)")
    style.no_skill_line(axes, frames.no_skill)
    climbed = scores[scores["trial"].duplicated(keep=False)].sort_values(["trial", "last_epoch"])
    lines = list(climbed.groupby("trial"))[:_MAX_LINES]
    for _, line in lines:
        axes.plot(
            line["last_epoch"], line["score"], color=BLUE, linewidth=0.9, alpha=0.6,
            marker="o", markersize=3, rasterized=len(lines) > 200,
        )  # fmt: skip
    cut = scores[~scores["trial"].isin(climbed["trial"])]
    axes.scatter(
        cut["last_epoch"], cut["score"], s=14, facecolors="none", edgecolors=GREY,
        linewidths=0.8, zorder=1, rasterized=len(cut) > 800,
    )  # fmt: skip
    handles = [
        Line2D([], [], color=BLUE, marker="o", markersize=3, label="promoted"),
        Line2D(
            [], [], color=GREY, marker="o", markerfacecolor="none", linestyle="",
            label="one rung only",
        ),
    ]  # fmt: skip
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    _draw_correlations(figure, data.steps)
    return figure


def _draw_correlations(figure: Figure, steps: list[Step]) -> None:
    axes = figure.add_axes((0.74, 0.125, 0.23, 0.74))
    axes.set_title("Rank correlation")
    axes.set_xlim(-1.05, 1.05)
    axes.set_ylim(len(steps) - 0.5, -0.5)
    axes.axvline(0, color=BLACK, linewidth=0.8)
    axes.set_xlabel("correlation of scores")
    labels = []
    for place, step in enumerate(steps):
        labels.append(f"{step.first} to {step.last} epochs\n{words.trials(step.n_trials)}")
        if math.isnan(step.correlation):
            axes.text(0.05, place, "too few trials", fontsize=8, va="center", color="#444444")
            continue
        axes.plot([step.low, step.high], [place, place], color=BLUE, linewidth=2)
        axes.plot([step.correlation], [place], "o", color=BLUE, markersize=7)
        axes.annotate(
            f"{step.correlation:.2f}", (step.correlation, place), xytext=(0, 8), fontsize=8.5,
            textcoords="offset points", ha="center",
        )  # fmt: skip
    axes.set_yticks(range(len(steps)), labels, fontsize=8)
