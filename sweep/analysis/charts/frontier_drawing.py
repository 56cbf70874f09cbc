"""Draws the frontier of `frontier.frontier_data`: capacity, validation BCE, and the gap beneath."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from sweep import words
from sweep.analysis.charts import style
from sweep.analysis.charts.frontier import FrontierData, along, frontier_data
from sweep.analysis.charts.frontier_marks import areas, draw_evidence, legend
from sweep.analysis.charts.label_places import label
from sweep.analysis.frames.load import SweepFrames


def draw_frontier(frames: SweepFrames) -> Figure:
    """The chart of `frontier_data`."""
    data = frontier_data(frames)
    figure = style.page(frames, "Capacity and overfitting", _notes(data))
    axes = figure.add_axes((0.07, 0.125, 0.68, 0.765))
    if data.points.empty:
        style.say_nothing(axes)
        return figure
    style.log_axis(axes, *data.x)
    axes.set_ylim(*data.y)
    axes.set_xlabel("trainable parameters (logarithmic)")
    axes.set_ylabel("binary cross-entropy at the best epoch, nats")
    axes.axhline(style.NO_SKILL, color=style.BLACK, linewidth=1, linestyle=(0, (1, 2)))
    _draw_trials(axes, data)
    _draw_frontier(axes, data)
    draw_evidence(axes, data)
    _draw_baselines(axes, figure, data)
    figure.legend(handles=legend(data), loc="upper left", bbox_to_anchor=(0.765, 0.895))
    return figure


def _notes(data: FrontierData) -> list[str]:
    notes = []
    if data.is_crowded:
        notes.append("Train BCE of the frontier's trials only.")
    if data.n_failed:
        notes.append(f"Failed and not shown: {words.trials(data.n_failed)}.")
    if data.n_unsized:
        notes.append(f"In the first epochs and not shown: {words.trials(data.n_unsized)}.")
    if data.n_outside:
        notes.append(f"The validation BCE of {words.trials(data.n_outside)} is off the chart.")
    return notes


def _draw_frontier(axes: Axes, data: FrontierData) -> None:
    """The staircase, and beneath it the train BCE of the same trials: the gap is shaded."""
    steps = data.steps
    params = np.r_[steps["params"].to_numpy(dtype=float), data.x[1]]
    val, train = (
        np.r_[steps[name].to_numpy(), steps[name].iloc[-1:]] for name in ("val_bce", "train_bce")
    )
    axes.fill_between(
        params, train, val, step="post", color=style.ORANGE, alpha=0.13, linewidth=0, zorder=1
    )
    zorder = 5 if data.is_crowded else 2
    axes.step(
        params, train, where="post", color=style.ORANGE, linewidth=1, linestyle=(0, (4, 2)),
        zorder=zorder,
    )  # fmt: skip
    axes.step(params, val, where="post", color=style.BLACK, linewidth=1.8, zorder=zorder)


def _draw_trials(axes: Axes, data: FrontierData) -> None:
    points = data.points
    if not data.is_crowded:
        ends = points[["train_bce", "val_bce"]].to_numpy()
        x = np.column_stack((points["params"], points["params"]))
        lines = np.stack((x, ends), axis=-1)  # (trials, 2 ends, x and y)
        axes.add_collection(LineCollection([*lines], colors="#bdbdbd", linewidths=0.6, zorder=1))
    area = areas(points["epochs"].to_numpy(dtype=float))
    if data.is_crowded:
        area = np.full(len(points), 5.0)
    layers = [("train_bce", "v", style.ORANGE, 3), ("val_bce", "o", style.BLUE, 4)]
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
    inside = points["baseline"].notna() & points["val_bce"].between(*data.y)
    baselines = points[inside].sort_values("trial")
    axes.scatter(
        baselines["params"],
        baselines["val_bce"],
        s=80,
        marker="D",
        facecolors="white",
        edgecolors=style.BLACK,
        linewidths=1.4,
        zorder=6,
    )
    crowd = [points[["params", name]].dropna() for name in ("val_bce", "train_bce")]
    crowd.append(along(data))
    label(
        figure,
        axes,
        [words.shortened(words.plain(name), 24) for name in baselines["baseline"]],
        baselines[["params", "val_bce"]].to_numpy(dtype=float),
        np.concatenate([part.to_numpy(dtype=float) for part in crowd]),
    )
