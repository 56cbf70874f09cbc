"""The interactive charts as Bokeh's JSON, and the curves they show when a trial is clicked.

No callback here holds code: the page's content security policy forbids evaluating strings, so
`page.js` listens to the models by their names.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from bokeh.embed import json_item
from bokeh.models import ColumnDataSource, HoverTool, Range1d, TapTool
from bokeh.plotting import figure

from sweep import words
from sweep.analysis.charts.axes import even_ticks, log_ticks, score_range, tick_label
from sweep.analysis.charts.colours import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION
from sweep.analysis.charts.frontier import FrontierData, frontier_data
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.names import shown_name
from sweep.analysis.frames.ranking import is_scored
from sweep.analysis.frames.trial_status import standing
from sweep.analysis.report.table import MOST_HYPERPARAMETERS
from sweep.records import Json
from sweep.tasks.score_words import ScoreWords

POINTS = 400
"""Trials in the frontier's interactive chart, the best ones."""
CURVE_POINTS = 20_000
"""Epochs whose values the page carries, those of the best trials first."""
FIRST_SHOWN = 3
_HEIGHT = 420
_WIDTH = 1_000
_LINE, _CHARACTER = 14.0, 6.5
"""Height and width of text in the chart, in pixels."""
_TOOLTIP_LENGTH = 120


def frontier_plot(frames: SweepFrames) -> Json | None:
    """Return the chart of scores against capacity as JSON; None without a trial to show."""
    data = frontier_data(frames)
    if data.points.empty:
        return None
    shown = data.shown
    tools = "tap,pan,wheel_zoom,box_zoom,reset"
    plot = _figure("frontier-plot", tools, data.x, data.y, data.ends, shown)
    plot.xaxis.axis_label = "trainable parameters (logarithmic)"
    plot.yaxis.axis_label = shown.with_unit(f"{shown.short} at the best epoch")
    if data.no_skill.is_known:
        plot.line(list(data.x), [data.no_skill.validation] * 2, color=GREY, line_dash="dotted")
    steps = data.steps
    x = [*steps["params"].astype(float), data.x[1]]
    for name, color, dash, width in (
        ("train_score", ORANGE, "dashed", 1.5),
        ("val_score", GREY, "solid", 2.5),
    ):
        y = [*steps[name].astype(float), float(steps[name].iloc[-1])]
        plot.step(x, y, mode="after", color=color, line_dash=dash, line_width=width)
    _draw_evidence(plot, data)
    for is_cut in (True, False):
        chosen = data.points.tail(POINTS)  # the best are last
        chosen = chosen[chosen["is_cut"] == is_cut]
        if chosen.empty:
            continue
        points = plot.scatter(
            "params", "val_score", source=_points(frames, chosen["trial"].tolist()), size=9,
            color=BLUE, fill_alpha=0.0 if is_cut else "alpha", line_alpha="alpha", line_width=1.5,
            name=f"points-{'cut' if is_cut else 'ended'}",
        )  # fmt: skip
        # None means: drawn as if nothing were selected
        points.nonselection_glyph = points.selection_glyph = None
        hover = [
            ("trial", "@name"), ("parameters", "@size"), (shown.val, "@val"),
            (shown.train, "@train"), ("gap", "@gap"), ("status", "@status"),
            ("settings", "@settings"),
        ]  # fmt: skip
        plot.add_tools(HoverTool(renderers=[points], tooltips=hover))
    _draw_baselines(plot, data)
    plot.select_one(TapTool).mode = "replace"
    return _json(plot)


def marks(frames: SweepFrames) -> list[tuple[str, str, str]]:
    """Return the class, sign and meaning of each mark besides the trials, for the legend."""
    data = frontier_data(frames)
    found = [
        ("reference", "━ ·", f"{words.plain(name)}: {data.shown.score(value)}")
        for name, value in data.references
    ]
    if data.points["baseline"].notna().any():
        found.append(("baseline", "◇", "baseline"))
    if len(data.confirmed):
        found.append(("mean", "■", "mean over other seeds, 95 % interval"))
    if len(data.simplest):
        found.append(("simplest", "◯", "simplest within one standard error of the best"))
    return found


def _draw_evidence(plot: Any, data: FrontierData) -> None:
    """Draw ties, the simplest trial and means over seeds, as on the printed chart."""
    for name, value in data.references:
        line = plot.line(list(data.x), [value] * 2, color=PURPLE, line_dash="dashdot")
        label = f"{words.plain(name)}: {data.shown.score(value)}"
        plot.add_tools(HoverTool(renderers=[line], tooltips=label))
    if len(data.band):
        x = [*data.band["params"], data.x[1]]
        low, high = (
            [*data.band[name], data.band[name].iloc[-1]]
            for name in ("val_score_low", "val_score_high")
        )
        plot.varea_step(x, low, high, step_mode="after", fill_color=GREEN, fill_alpha=0.18)
        means = data.confirmed
        plot.segment(
            means["x"], means["val_score_low"], means["x"], means["val_score_high"],
            color=GREEN, line_width=1.5,
        )  # fmt: skip
        plot.scatter(means["x"], means["val_score"], marker="square", size=6, color=GREEN)
    plot.scatter(
        data.simplest["params"], data.simplest["val_score"], size=18, fill_alpha=0.0,
        line_color=VERMILLION, line_width=2,
    )  # fmt: skip


def _draw_baselines(plot: Any, data: FrontierData) -> None:
    """Diamonds around the baselines' points, and their names; `page.js` gives both the ink."""
    rows = data.points[data.points["baseline"].notna() & data.points["val_score"].between(*data.y)]
    plot.scatter(
        rows["params"], rows["val_score"], marker="square", angle=np.pi / 4, size=13,
        fill_alpha=0.0, line_width=1.5, line_color=GREY, name="baselines",
    )  # fmt: skip
    for align, side, chosen in _sides(rows, data):
        names = [words.plain(words.shortened(name, 24)) for name in chosen["baseline"]]
        plot.text(
            chosen["params"], chosen["val_score"], names, x_offset=12 * side,
            y_offset=_lowered(chosen, names, data), text_align=align, text_baseline="middle",
            text_font_size="12px", text_color=GREY, name=f"baseline-names-{align}",
        )  # fmt: skip


def _sides(rows: pd.DataFrame, data: FrontierData) -> list[tuple[str, int, pd.DataFrame]]:
    """Return the baselines whose names stand right of their points, and those left of them.

    The highest in the chart first.
    """
    x = data.x
    rows = rows.sort_values("val_score", ascending=data.shown.is_turned)
    share = np.log(rows["params"] / x[0]) / np.log(x[1] / x[0])
    return [("left", 1, rows[share <= 0.6]), ("right", -1, rows[share > 0.6])]


def _lowered(rows: pd.DataFrame, names: Sequence[str], data: FrontierData) -> list[float]:
    """Return by how many pixels each name is lowered: off the line, and off the names above.

    `rows` have the highest in the chart first. The chart is taken to be as wide as on most screens.
    """
    upright, top = (
        (_HEIGHT - 80) / (data.y[1] - data.y[0]),
        data.y[0 if data.shown.is_turned else 1],
    )
    along = _WIDTH / np.log(data.x[1] / data.x[0])
    width = _CHARACTER * max(map(len, names), default=0)
    placed: list[tuple[float, float]] = []
    found = []
    for params, val_score in zip(rows["params"], rows["val_score"], strict=True):
        x, own = along * float(np.log(params)), upright * abs(top - float(val_score))
        above = [y + _LINE for other, y in placed if abs(other - x) < width]
        at = max([own - _LINE * 2 / 3, *above])
        placed.append((x, at))
        found.append(at - own)
    return found


def _points(frames: SweepFrames, trials: Sequence[int]) -> ColumnDataSource:
    """All that a point shows when it is pointed at, in words that are already rounded."""
    chosen = frames.trials["trial"].isin(trials)
    rows, shown = frames.trials[chosen], frames.score_words
    columns: dict[str, Any] = {
        "trial": rows["trial"].tolist(),
        "params": rows["params"].astype(float).clip(lower=1).tolist(),
        "val_score": rows["val_score"].astype(float).tolist(),
        "name": [names_of(row) for row in rows.to_dict("records")],
        "size": [words.count(int(params)) for params in rows["params"]],
        "val": [shown.score(value) for value in rows["val_score"]],
        "train": [shown.score(value) for value in rows["train_score"]],
        "gap": [shown.gap(value) for value in rows["gap"]],
        "status": [
            standing(status, epochs)
            for status, epochs in zip(rows["status"], rows["epochs"], strict=True)
        ],
        "settings": _settings(frames, chosen.to_numpy()),
        "alpha": [0.85] * len(rows),
    }
    return ColumnDataSource(columns)


def names_of(trial: Any) -> str:
    """Return a trial's number and, for a baseline, its name."""
    name = trial["baseline"]
    return str(trial["trial"]) + ("" if name is None else f" {words.cut(name)}")


def _settings(frames: SweepFrames, chosen: Any) -> list[str]:
    names = frames.hyperparameter_names[:MOST_HYPERPARAMETERS]
    cells = [words.settings(frames.hyperparameters.loc[chosen, name].tolist()) for name in names]
    rows = zip(*cells, strict=True) if cells else [()] * int(chosen.sum())
    plain = [shown_name(name) for name in names]
    return [
        words.shortened(
            ", ".join(f"{name}={cell}" for name, cell in zip(plain, row, strict=True)),
            _TOOLTIP_LENGTH,
        )
        for row in rows
    ]


def curves_plot(frames: SweepFrames) -> Json | None:
    """Return an empty chart as JSON, which `page.js` fills with the curves of clicked trials."""
    if not curves(frames)["trials"]:
        return None
    scored = frames.trials[is_scored(frames.trials)]
    values = frames.epochs[["train_score", "val_score"]].to_numpy().ravel()
    y = score_range(values, scored["val_score"].to_numpy(dtype=float), frames.no_skill)
    shown = frames.score_words
    last = float(frames.epochs["epoch"].max())
    tools, x = "pan,wheel_zoom,box_zoom,reset", (0.93, last * 1.08)
    plot = _figure("curves-plot", tools, x, y, [last], shown)
    plot.xaxis.axis_label = "epoch (logarithmic)"
    plot.yaxis.axis_label = shown.with_unit(shown.short)
    source = ColumnDataSource(
        {"xs": [], "train": [], "val": [], "color": [], "name": []}, name="curves"
    )
    plot.multi_line("xs", "train", source=source, color="color", line_dash="dashed", line_width=1.3)
    lines = plot.multi_line(
        "xs", "val", source=source, color="color", line_width=2.2, name="curve-lines"
    )
    best = ColumnDataSource(
        {"x": [], "y": [], "color": [], "name": [], "score": []}, name="curve-best"
    )
    marks = plot.scatter(
        "x", "y", source=best, color="color", size=10, line_color="white", name="curve-marks"
    )
    plot.add_tools(HoverTool(renderers=[lines], tooltips=[("trial", "@name")]))
    tooltips = [("trial", "@name"), ("best epoch", "@x"), (shown.val, "@score")]
    plot.add_tools(HoverTool(renderers=[marks], tooltips=tooltips))
    return _json(plot)


def curves(frames: SweepFrames) -> Json:
    """Return train and validation scores by epoch, best trials first, and how many had no room.

    `trials` maps a trial's number to its name and its curves from epoch 1 on; rounded to what
    can be seen.
    """
    scored = frames.trials[is_scored(frames.trials)]
    if frames.sweep.data.is_unseen:  # one record each, and no curve
        scored = scored.iloc[:0]
    room = scored["epochs"].cumsum() <= CURVE_POINTS
    chosen = scored[room]
    by_trial = dict(
        iter(frames.epochs[frames.epochs["trial"].isin(chosen["trial"])].groupby("trial"))
    )
    found, decimals = {}, 5 - round(np.log10(frames.no_skill.scale))
    for trial in chosen.to_dict("records"):
        records = by_trial[trial["trial"]]
        found[str(trial["trial"])] = {
            "name": words.shortened(names_of(trial), 40),
            "train": _rounded(records["train_score"].to_numpy(), decimals),
            "val": _rounded(records["val_score"].to_numpy(), decimals),
            "best": int(trial["best_epoch"]),
            "score": frames.score_words.score(trial["val_score"]),
        }
    first = [str(trial) for trial in chosen["trial"].head(FIRST_SHOWN)]
    return {"trials": found, "first": first, "left_out": len(scored) - len(chosen)}


def _rounded(values: "np.ndarray[Any, Any]", decimals: int) -> list[float | None]:
    return [round(float(value), decimals) if np.isfinite(value) else None for value in values]


def _figure(
    name: str,
    tools: str,
    x: tuple[float, float],
    y: tuple[float, float],
    ends: Sequence[float],
    shown: ScoreWords,
) -> Any:
    """Return an empty chart with a logarithmic axis from x[0] to x[1]; the data end at `ends`.

    The upright axis is one of scores, as `charts.style.score_axis` has it.
    """
    bottom, top = (y[1], y[0]) if shown.is_turned else y
    plot: Any = figure(
        name=name, tools=tools, x_axis_type="log",
        x_range=Range1d(start=x[0], end=x[1]), y_range=Range1d(start=bottom, end=top),
        height=_HEIGHT, sizing_mode="stretch_width", toolbar_location="above",
        active_scroll=None, background_fill_color=None, border_fill_color=None,
        outline_line_color=None,
    )  # fmt: skip
    plot.toolbar.logo = None
    ticks = log_ticks(*x, ends)
    plot.xaxis.ticker = ticks
    plot.xaxis.major_label_overrides = {_key(tick): tick_label(tick, ends) for tick in ticks}
    plot.xgrid.ticker = plot.xaxis[0].ticker
    if shown.is_amount or shown.is_turned:  # Bokeh's own labels know no turned axis
        marks = even_ticks(*y)
        plot.yaxis.ticker = marks
        plot.yaxis.major_label_overrides = {_key(mark): shown.tick(mark) for mark in marks}
        plot.ygrid.ticker = plot.yaxis[0].ticker
    return plot


def _key(tick: float) -> float:
    """A tick as Bokeh looks its label up: whole numbers are integers."""
    return int(tick) if tick == int(tick) else tick


def _json(plot: Any) -> Json:
    item: Json = dict(json_item(plot))
    return item
