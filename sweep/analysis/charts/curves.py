"""Learning curves of the best trials and of the baselines, train beside validation."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from sweep import words
from sweep.analysis.charts import style
from sweep.analysis.charts.axes import outside, score_range
from sweep.analysis.charts.colours import BLACK, MARKERS, SERIES
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.no_skill import NoSkill
from sweep.analysis.frames.ranking import is_scored
from sweep.statistics.onset import smoothed

N_BEST = 6


@dataclass(frozen=True)
class Curve:
    """One trial's curves. The arrays have one item per epoch trained."""

    label: str
    trial: int
    epoch: NDArray[np.integer]
    train_score: NDArray[np.floating]
    val_score: NDArray[np.floating]
    best_epoch: int
    val_best: float


@dataclass(frozen=True)
class CurvesData:
    """The numbers of the chart of learning curves."""

    best: list[Curve]
    baselines: list[Curve]
    y: tuple[float, float]
    n_outside: int
    """Trials with a curve that leaves the chart."""
    smoothing: int


def curves_data(frames: SweepFrames, smoothing: int = 0) -> CurvesData:
    """Return the curves of the best searched trials and of the baselines.

    `smoothing` is the number of epochs on either side over which the drawn curves are averaged;
    the best epoch is that of the curve as it was recorded.
    """
    trials = frames.trials[is_scored(frames.trials)]
    is_baseline = trials["baseline"].notna()
    best = _curves(frames, trials[~is_baseline].head(N_BEST), smoothing)
    named = trials[is_baseline].sort_values("trial").head(len(SERIES))
    baselines = _curves(frames, named, smoothing)
    every = [*best, *baselines]
    values = np.concatenate([np.r_[c.train_score, c.val_score] for c in every] or [np.array([])])
    low, high = score_range(values, np.array([c.val_best for c in every]), frames.no_skill)
    leaving = [c for c in every if outside(np.r_[c.train_score, c.val_score], low, high)]
    return CurvesData(best, baselines, (low, high), len(leaving), smoothing)


def _curves(frames: SweepFrames, trials: pd.DataFrame, smoothing: int) -> list[Curve]:
    records = frames.epochs[frames.epochs["trial"].isin(trials["trial"])]
    by_trial = dict(iter(records.groupby("trial")))
    return [
        _curve(frames, row, by_trial[row["trial"]], smoothing) for row in trials.to_dict("records")
    ]


def _curve(
    frames: SweepFrames, trial: dict[Hashable, Any], records: pd.DataFrame, smoothing: int
) -> Curve:
    train, val = (
        smoothed(np.zeros(len(records), np.intp), records[name].to_numpy(), smoothing)
        for name in ("train_score", "val_score")
    )
    name = trial["baseline"]
    what = f"trial {trial['trial']}" if name is None else words.plain(words.shortened(name, 20))
    return Curve(
        label=f"{what}: {frames.score_words.score(trial['val_score'])}, {_params(trial['params'])}",
        trial=int(trial["trial"]),
        epoch=records["epoch"].to_numpy(),
        train_score=train,
        val_score=val,
        best_epoch=int(trial["best_epoch"]),
        val_best=float(trial["val_score"]),
    )


def _params(params: Any) -> str:
    """A running trial's size is not known before its assignment ends."""
    return "still running" if pd.isna(params) else f"{words.counted(int(params), 'param')}"


def draw_curves(frames: SweepFrames, smoothing: int = 0) -> Figure:
    """Draw `curves_data`: the best searched trials on the left, the baselines on the right."""
    data = curves_data(frames, smoothing)
    figure = style.page(frames, "Learning curves", _notes(data))
    panels = [("Best searched trials", data.best), ("Baselines", data.baselines)]
    panels = [panel for panel in panels if panel[1]]
    if not panels:
        style.say_nothing(figure.add_axes((0.07, 0.1, 0.9, 0.78)))
        return figure
    width = 0.9 / len(panels) - 0.02
    last = max(int(curve.epoch[-1]) for _, curves in panels for curve in curves)
    for number, (title, curves) in enumerate(panels):
        axes = figure.add_axes((0.08 + number * (width + 0.03), 0.36, width, 0.505))
        axes.set_title(title)
        style.log_axis(axes, 0.93, max(last, 2) * 1.08, ends=[last])
        style.score_axis(axes, frames, data.y, frames.score_words.name if number == 0 else "")
        axes.set_xlabel("epoch (logarithmic)")
        if number:
            axes.tick_params(labelleft=False)
        _draw(axes, curves, frames.no_skill)
    return figure


def _notes(data: CurvesData) -> list[str]:
    if not data.best and not data.baselines:
        return []
    notes = [
        "Solid: validation; the large mark is the best epoch, the small one the last. "
        "Dashed: train, in evaluation mode."
    ]
    if data.smoothing:
        notes.append(f"Averaged over {2 * data.smoothing + 1} epochs.")
    if data.n_outside:
        notes.append(f"Partly off the chart: {words.trials(data.n_outside)}.")
    return notes


def _draw(axes: Axes, curves: list[Curve], no_skill: NoSkill) -> None:
    if no_skill.is_known:
        axes.axhline(no_skill.validation, color=BLACK, linewidth=0.8, linestyle=(0, (1, 2)))
        axes.annotate(
            no_skill.name, (1, no_skill.validation), xytext=(0, 3), textcoords="offset points",
            fontsize=8, ha="right", xycoords=("axes fraction", "data"),
        )  # fmt: skip
    handles = []
    looks = zip(SERIES, MARKERS, strict=True)
    for curve, (color, marker) in zip(curves, looks, strict=False):
        axes.plot(curve.epoch, curve.train_score, color=color, linewidth=1, linestyle=(0, (4, 2)))
        axes.plot(
            curve.epoch, curve.val_score, color=color, linewidth=1.6, marker=marker, markersize=4.5,
            markevery=[len(curve.epoch) - 1],
        )  # fmt: skip
        axes.plot(
            [curve.best_epoch], [curve.val_best], color=color, marker=marker, markersize=8,
            markeredgecolor="white", linestyle="", zorder=5,
        )  # fmt: skip
        handles.append(Line2D([], [], color=color, marker=marker, label=curve.label))
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(-0.02, -0.15), labelspacing=0.3)
