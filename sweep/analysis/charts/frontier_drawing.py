"""Draws the frontier of `frontier.frontier_data`: capacity, scores, the gap, all marks."""

import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from sweep import words
from sweep.analysis.charts import style
from sweep.analysis.charts.colours import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION
from sweep.analysis.charts.frontier import FrontierData, along, frontier_data
from sweep.analysis.charts.label_places import label
from sweep.analysis.frames.load import SweepFrames

_DASHES = ((0, (6, 2)), (0, (6, 2, 1, 2)), (0, (6, 2, 1, 2, 1, 2)))
"""Of the references' lines, in turn."""
_LEGEND_WIDTH = 28
"""Characters of a line of the legend."""
_SIMPLEST: dict[str, Any] = {
    "marker": "o",
    "facecolors": "none",
    "edgecolors": VERMILLION,
    "linewidths": 2,
}


def draw_frontier(frames: SweepFrames) -> Figure:
    """Draw `frontier_data`: trials, frontier, baselines, repeats, reference models."""
    data = frontier_data(frames)
    figure = style.page(frames, "Capacity and overfitting", _notes(data))
    axes = figure.add_axes((0.07, 0.125, 0.68, 0.765))
    if data.points.empty:
        style.say_nothing(axes)
        return figure
    style.log_axis(axes, *data.x, ends=data.ends)
    style.score_axis(axes, frames, data.y, f"{data.shown.name} at the best epoch")
    axes.set_xlabel("trainable parameters (logarithmic)")
    style.no_skill_line(axes, data.no_skill, 1)
    _draw_trials(axes, data)
    _draw_frontier(axes, data)
    _draw_evidence(axes, data)
    _draw_baselines(axes, figure, data)
    figure.legend(handles=_legend(data), loc="upper left", bbox_to_anchor=(0.765, 0.895))
    return figure


def _notes(data: FrontierData) -> list[str]:
    notes = []
    if data.is_crowded:
        notes.append(f"T{data.shown.train[1:]} of the frontier's trials only.")
    if data.n_failed:
        notes.append(f"Failed and not shown: {words.trials(data.n_failed)}.")
    if data.n_unsized:
        notes.append(f"In the first epochs and not shown: {words.trials(data.n_unsized)}.")
    if data.n_outside:
        notes.append(
            f"The {data.shown.validation} of {words.trials(data.n_outside)} is off the chart."
        )
    return notes


def _draw_frontier(axes: Axes, data: FrontierData) -> None:
    """The staircase, and beneath it the train score of the same trials: the gap is shaded."""
    steps = data.steps
    params = np.r_[steps["params"].to_numpy(dtype=float), data.x[1]]
    val, train = (
        np.r_[steps[name].to_numpy(), steps[name].iloc[-1:]]
        for name in ("val_score", "train_score")
    )
    axes.fill_between(
        params, train, val, step="post", color=ORANGE, alpha=0.13, linewidth=0, zorder=1
    )
    zorder = 5 if data.is_crowded else 2
    axes.step(
        params, train, where="post", color=ORANGE, linewidth=1, linestyle=(0, (4, 2)),
        zorder=zorder,
    )  # fmt: skip
    axes.step(params, val, where="post", color=BLACK, linewidth=1.8, zorder=zorder)


def _draw_trials(axes: Axes, data: FrontierData) -> None:
    points = data.points
    if not data.is_crowded:
        ends = points[["train_score", "val_score"]].to_numpy()
        x = np.column_stack((points["params"], points["params"]))
        lines = np.stack((x, ends), axis=-1)  # (trials, 2 ends, x and y)
        axes.add_collection(LineCollection([*lines], colors="#bdbdbd", linewidths=0.6, zorder=1))
    area = _areas(points["epochs"].to_numpy(dtype=float))
    if data.is_crowded:
        area = np.full(len(points), 5.0)
    layers = [("train_score", "v", ORANGE, 3), ("val_score", "o", BLUE, 4)]
    for column, marker, color, zorder in layers[1:] if data.is_crowded else layers:
        for is_cut in (True, False):
            chosen = (points["is_cut"] == is_cut).to_numpy()
            axes.scatter(
                points["params"][chosen],
                points[column][chosen],
                s=area[chosen],
                marker=marker,
                facecolors="none" if is_cut else color,
                edgecolors=color,
                linewidths=0.9,
                alpha=0.35 if data.is_crowded else 0.8,
                zorder=zorder,
                rasterized=data.is_crowded,
            )


def _draw_baselines(axes: Axes, figure: Figure, data: FrontierData) -> None:
    points = data.points
    inside = points["baseline"].notna() & points["val_score"].between(*data.y)
    baselines = points[inside].sort_values("trial")
    axes.scatter(
        baselines["params"],
        baselines["val_score"],
        s=80,
        marker="D",
        facecolors="white",
        edgecolors=BLACK,
        linewidths=1.4,
        zorder=6,
    )
    crowd = [points[["params", name]].dropna() for name in ("val_score", "train_score")]
    crowd.append(along(data))
    label(
        figure,
        axes,
        [words.plain(words.shortened(name, 24)) for name in baselines["baseline"]],
        baselines[["params", "val_score"]].to_numpy(dtype=float),
        np.concatenate([part.to_numpy(dtype=float) for part in crowd]),
    )


# What is known besides the trials, and the legend of all marks


def _areas(epochs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Area of a trial's marker: by the logarithm of the epochs it trained."""
    found: NDArray[np.float64] = 10 + 12 * np.log(np.maximum(epochs, 1))
    return found


def _draw_evidence(axes: Axes, data: FrontierData) -> None:
    """References as lines, means over seeds with their 95 % intervals, the simplest good trial.

    The band is the interval of the confirmed trial with the lowest mean up to each capacity.
    """
    for (_, value), dash in zip(data.references, _dashes(data), strict=True):
        axes.axhline(value, color=PURPLE, linewidth=1.2, linestyle=dash, zorder=1)
    band, means = data.band, data.confirmed
    if len(band):
        params = np.r_[band["params"], data.x[1]]
        low, high = (
            np.r_[band[name], band[name].iloc[-1]] for name in ("val_score_low", "val_score_high")
        )
        axes.fill_between(
            params, low, high, step="post", color=GREEN, alpha=0.18, linewidth=0, zorder=1.5
        )
        ends = means[["val_score_low", "val_score_high"]].to_numpy()
        middle = means["val_score"].to_numpy()
        axes.errorbar(
            means["x"], middle, yerr=np.abs(ends.T - middle), fmt="s", markersize=4,
            color=GREEN, elinewidth=1.1, capsize=2, zorder=6.5,
        )  # fmt: skip
    axes.scatter(
        data.simplest["params"], data.simplest["val_score"], s=210, zorder=5.5, **_SIMPLEST
    )


def _dashes(data: FrontierData) -> list[tuple[int, tuple[int, ...]]]:
    return [_DASHES[number % len(_DASHES)] for number in range(len(data.references))]


def _legend(data: FrontierData) -> list[Line2D]:
    """What the marks mean that are on the chart."""
    longest = float(data.points["epochs"].max())
    shown = data.shown
    handles = [_point(shown.validation, longest)]
    if not data.is_crowded:
        handles.append(_point(f"{shown.train}, same weights", longest, marker="v", color=ORANGE))
    handles += [
        _line(f"frontier: {shown.best}\n{shown.validation}", BLACK, "-", 1.8),
        _line(f"{shown.train} of the frontier", ORANGE, (0, (4, 2))),
    ]
    if data.no_skill.is_known:
        handles.append(_line(data.no_skill.name, BLACK, (0, (1, 2))))
    for (name, value), dash in zip(data.references, _dashes(data), strict=True):
        handles.append(
            _line(
                f"{words.plain(words.shortened(name, 24))}: {shown.mark(value)}", PURPLE, dash, 1.2
            )
        )
    if data.points["baseline"].notna().any():
        handles.append(_point("baseline", 15, marker="D", color=BLACK, markerfacecolor="white"))
    if len(data.confirmed):
        mean = "mean over other seeds,\n95 % interval; shaded:\nof the best up to there"
        handles.append(_point(mean, 1, marker="s", color=GREEN, linestyle="-"))
    if len(data.simplest):
        label = "simplest within one\nstandard error of the best"
        handles.append(
            _point(label, 40, color=VERMILLION, markerfacecolor="none", markeredgewidth=2)
        )
    if data.points["is_cut"].any():
        handles.append(_point("hollow: cut, or still\nin the search", 9, markerfacecolor="none"))
    if not data.is_crowded:
        for n in sorted({1.0, float(np.round(np.sqrt(longest))), longest}):
            label = f"{words.counted(int(n), 'epoch')} trained"
            handles.append(_point(label, n, color=GREY))
    return handles


def _point(label: str, epochs: float, **look: Any) -> Line2D:
    size = float(np.sqrt(_areas(np.array([epochs]))[0]))
    usual: dict[str, Any] = {"linestyle": "", "marker": "o", "color": BLUE}
    return Line2D([], [], label=_wrapped(label), markersize=size, **(usual | look))


def _line(label: str, color: str, dash: Any, width: float = 1) -> Line2D:
    return Line2D([], [], color=color, linewidth=width, linestyle=dash, label=_wrapped(label))


def _wrapped(label: str) -> str:
    """A label as wide as there is room beside the chart, unless its lines are given."""
    return label if "\n" in label else textwrap.fill(label, _LEGEND_WIDTH)
