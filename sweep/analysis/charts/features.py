"""Histograms of the data's features by class, as `sweep data info --charts` writes them."""

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from sweep.analysis.charts import style
from sweep.analysis.charts.colours import BLUE, SERIES, VERMILLION
from sweep.data.cache.cache import Dataset
from sweep.data.split import Split
from sweep.data.summary import (
    HISTOGRAM_ROWS,
    ColumnHistograms,
    Histogram,
    column_histograms,
    histograms,
    visible_rows,
)
from sweep.disk import writing
from sweep.words import counted, cut

STEM = "features"
MOST_COLUMNS = 80
"""Of a table of the user's own; more are not drawn."""
_ACROSS = 4
_BACKGROUND_FILL = "#BFDCEC"


def write_features(dataset: Dataset, folder: Path) -> list[Path]:
    """Write the histograms of a dataset as PNG and SVG into `folder`; the files' paths.

    Test rows are not looked at. Raises PlatformError when a file cannot be written.
    """
    n = visible_rows(dataset)
    shown = min(n, HISTOGRAM_ROWS)
    source = dataset.manifest.origin.source
    found = histograms(dataset.x[:n], dataset.y[:n])
    with writing(folder), style.styled():
        folder.mkdir(parents=True, exist_ok=True)
        figure = draw_features(found, f"{source}: first {counted(shown, 'row')}")
        return style.write(figure, folder, STEM)


def write_columns(split: Split, folder: Path) -> list[Path]:
    """Write the histograms of a table's training rows as PNG and SVG into `folder`; the paths.

    Raises UsageError if the data are no table, PlatformError when a file cannot be written.
    """
    found = column_histograms(split)
    n = min(len(split.train), HISTOGRAM_ROWS)
    title = f"{split.source}: {counted(n, 'training row')}"
    if len(found) > MOST_COLUMNS:
        title += f", the first {MOST_COLUMNS} of {len(found):,} columns"
    with writing(folder), style.styled():
        folder.mkdir(parents=True, exist_ok=True)
        return style.write(draw_columns(found[:MOST_COLUMNS], title), folder, STEM)


def draw_columns(charts: Sequence[ColumnHistograms], title: str) -> Figure:
    """Draw a small chart for each column: the share of rows in each bin, by class if any."""
    n_rows = math.ceil(len(charts) / _ACROSS)
    height = 1.2 + 2.1 * n_rows
    figure = Figure(figsize=(12, height))
    margins = {"left": 0.06, "right": 0.99, "bottom": 0.75 / height, "top": 1 - 0.75 / height}
    grid = figure.subplots(
        n_rows, _ACROSS, squeeze=False, gridspec_kw={**margins, "hspace": 0.5, "wspace": 0.27}
    )
    for axes, chart in zip(grid.ravel(), charts, strict=False):
        for number, (name, shares) in enumerate(chart.shares.items()):
            axes.stairs(shares, chart.edges, color=SERIES[number], lw=1.4, label=name)
        axes.set_title(cut(chart.column), fontsize=10)
        axes.tick_params(labelsize=8)
        axes.set_ylim(bottom=0)
    for axes in grid.ravel()[len(charts) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel("share of rows", fontsize=9)
    figure.suptitle(title, fontsize=13)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    if labels != [""]:
        figure.legend(handles, labels, loc="lower center", ncols=len(labels), fontsize=11)
    return figure


def draw_features(charts: Sequence[Histogram], title: str) -> Figure:
    """Draw 28 small charts: signal over background, share of events per bin."""
    figure = Figure(figsize=(12, 15.5))
    margins = {"left": 0.06, "right": 0.99, "bottom": 0.055, "top": 0.945}
    grid = figure.subplots(7, 4, gridspec_kw={**margins, "hspace": 0.42, "wspace": 0.27})
    for axes, chart in zip(grid.ravel(), charts, strict=True):
        axes.stairs(  # filled against outlined: told apart without colours, too
            chart.background, chart.edges, fill=True, facecolor=_BACKGROUND_FILL,
            edgecolor=BLUE, lw=0.8, label="background",
        )  # fmt: skip
        axes.stairs(chart.signal, chart.edges, color=VERMILLION, lw=1.8, label="signal")
        axes.set_title(chart.feature, fontsize=10)
        axes.tick_params(labelsize=8)
        axes.set_ylim(bottom=0)
    for axes in grid[:, 0]:
        axes.set_ylabel("share of events", fontsize=9)
    figure.suptitle(title, fontsize=13)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=2, fontsize=11)
    return figure
