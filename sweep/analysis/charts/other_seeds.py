"""The score of each trial in the search against the mean of its repeats under other seeds."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sweep import words
from sweep.analysis.charts import style
from sweep.analysis.charts.axes import TooFewDataError
from sweep.analysis.charts.colours import BLACK, BLUE, GREY, ORANGE
from sweep.analysis.charts.label_places import label
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.other_seeds import Bias, bias
from sweep.tasks.score_words import ScoreWords

_LABELLED = 12
"""Trials up to which each is labelled with its number or name."""


@dataclass(frozen=True)
class Confirmed:
    """The numbers of the chart of repeats."""

    points: pd.DataFrame
    """trial, baseline, search_val_score, val_score (the mean over other seeds), low and high (its
    95 % interval, over seeds and rows) and seed_se (its standard error over the seeds alone)."""
    bias: Bias | None
    span: tuple[float, float]
    """Range of both axes."""


def confirmed_data(frames: SweepFrames) -> Confirmed:
    """Return the score and the mean of repeats of each repeated trial.

    Raises TooFewDataError if no trial was repeated under other seeds.
    """
    rows = frames.confirmed
    rows = rows[rows["val_score"].notna() & rows["search_val_score"].notna()]
    if rows.empty:
        raise TooFewDataError("no trial was repeated under other seeds (sweep confirm does that)")
    points = pd.DataFrame(
        {
            "trial": rows["trial"],
            "baseline": rows["baseline"],
            "search_val_score": rows["search_val_score"].astype(float),
            "val_score": rows["val_score"].astype(float),
            "low": rows["val_score_low"].astype(float),
            "high": rows["val_score_high"].astype(float),
            "seed_se": [_seed_error(frames, int(trial)) for trial in rows["trial"]],
        }
    ).reset_index(drop=True)
    values = points[["search_val_score", "val_score", "low", "high"]].to_numpy().ravel()
    values = values[np.isfinite(values)]
    margin = 0.06 * max(float(np.ptp(values)), 1e-3 * frames.no_skill.scale)
    return Confirmed(points, bias(rows), (values.min() - margin, values.max() + margin))


def _seed_error(frames: SweepFrames, trial: int) -> float:
    losses = frames.seed_losses.get(trial)
    if losses is None or len(losses) < 2:
        return np.nan
    by_seed = losses.mean(axis=1, dtype=np.float64)
    return float(by_seed.std(ddof=1) / np.sqrt(len(by_seed)))


def draw_confirmed(frames: SweepFrames) -> Figure:
    """Draw `confirmed_data`: above the diagonal, repeats are worse than the score in the search."""
    data, shown = confirmed_data(frames), frames.score_words
    figure = style.page(frames, "Score in the search against repeats", [_note(data.bias, shown)])
    axes = figure.add_axes((0.09, 0.125, 0.62, 0.765))
    style.score_axis(axes, frames, data.span, f"{shown.val} of the trial's own run", "x")
    style.score_axis(axes, frames, data.span, f"mean {shown.val} over other seeds")
    axes.axline((data.span[0], data.span[0]), slope=1, color=BLACK, linewidth=1)
    axes.fill_between(data.span, data.span, data.span[1], color=ORANGE, alpha=0.08, linewidth=0)
    is_baseline = data.points["baseline"].notna()
    for chosen, (color, marker) in zip((~is_baseline, is_baseline), _LOOKS, strict=True):
        _draw(axes, data.points[chosen], color, marker)
    if len(data.points) <= _LABELLED:
        _label(figure, axes, data)
    figure.legend(
        handles=_legend(is_baseline, shown), loc="upper left", bbox_to_anchor=(0.725, 0.895)
    )
    return figure


_LOOKS = ((BLUE, "o"), (BLACK, "D"))
"""Of searched trials, and of baselines."""


def _note(found: Bias | None, shown: ScoreWords) -> str:
    if found is None:
        return (
            "Repeated were baselines only, or trials that the search had cut: no bias can be told."
        )
    if not found.is_sure:
        return (
            f"No difference found between a trial's own run and its repeats, on average over "
            f"{words.counted(found.trials, 'searched trial')} (95 % confidence)."
        )
    error = f" ± {shown.amount(found.error)}" if np.isfinite(found.error) else ""
    side = "better" if found.value < 0 else "worse"
    return (
        f"On average over {words.counted(found.trials, 'searched trial')}, the trial's own run was "
        f"{shown.amount(abs(found.value))}{error}{shown.of_unit} {side} than its repeats "
        "(± SE over the trials)."
    )


def _draw(axes: Axes, points: pd.DataFrame, color: str, marker: str) -> None:
    x, y = points["search_val_score"], points["val_score"].to_numpy()
    interval = np.abs(points[["low", "high"]].to_numpy().T - y)
    for reach, width in ((interval, 0.8), (points["seed_se"].to_numpy(), 3.0)):
        axes.errorbar(x, y, yerr=reach, fmt="none", ecolor=color, elinewidth=width, alpha=0.55)
    axes.scatter(
        x, y, s=34, marker=marker, color=color if marker == "o" else "white", edgecolors=color,
        linewidths=1.3, zorder=5,
    )  # fmt: skip


def _label(figure: Figure, axes: Axes, data: Confirmed) -> None:
    points = data.points
    names = [
        str(trial) if name is None else words.plain(words.shortened(name, 20))
        for trial, name in zip(points["trial"], points["baseline"], strict=True)
    ]
    bars = [
        np.column_stack((np.full(20, x), np.linspace(low, high, 20)))
        for x, low, high in points[["search_val_score", "low", "high"]].to_numpy(dtype=float)
        if np.isfinite(low)
    ]
    diagonal = np.linspace(*data.span, 100)[:, None].repeat(2, axis=1)
    anchors = points[["search_val_score", "val_score"]].to_numpy(dtype=float)
    label(figure, axes, names, anchors, np.concatenate([anchors, diagonal, *bars]))


_OWN = "the own run\nwas better than repeats"


def _legend(is_baseline: "pd.Series[bool]", shown: ScoreWords) -> list[Line2D]:
    kinds = (("searched trial", not is_baseline.all()), ("baseline", is_baseline.any()))
    handles = [
        _handle(label, color, linestyle="", marker=marker, **_filling(marker, color))
        for (label, is_there), (color, marker) in zip(kinds, _LOOKS, strict=True)
        if is_there
    ]
    return [
        *handles,
        _handle("± SE over the seeds", GREY, linewidth=3),
        _handle("95 % interval, over\nseeds and rows", GREY, linewidth=0.8),
        _handle(
            f"equal; {shown.above} it, the own run\nwas better than repeats", BLACK, linewidth=1
        ),
    ]


def _filling(marker: str, color: str) -> dict[str, Any]:
    return {"markerfacecolor": color if marker == "o" else "white"}


def _handle(label: str, color: str, **look: Any) -> Line2D:
    return Line2D([], [], label=label, color=color, **look)
