"""How every chart looks, and how it is written: page, notes, axes, files.

Line styles, markers and fillings say the same as the colours once more, so that a print in grey
can be read.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from sweep import words
from sweep.analysis.charts.axes import log_ticks, tick_label
from sweep.analysis.charts.colours import BLACK
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.no_skill import NoSkill
from sweep.disk import whole
from sweep.tasks.score_words import ScoreWords

NOTHING = "no trial has been evaluated yet"
DPI = 150
CMAP = "cividis"
"""Colours of a validation score: the darker, the better."""
_PAGE = (10.0, 6.0)
_WIDE = 0.02

_SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.parse_math": False,  # a name with dollar signs is a name
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "svg.hashsalt": "sweep",  # the same sweep, the same file
    "svg.fonttype": "path",
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw in our style of Matplotlib inside this block, whatever the user's own settings."""
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def page(frames: SweepFrames, title: str, notes: Sequence[str] = ()) -> Figure:
    """Return an empty figure whose title says of which sweep and data it is, with notes below."""
    figure = Figure(figsize=_PAGE, dpi=DPI)
    sweep = frames.sweep
    source = words.plain(sweep.data.source)
    figure.text(
        0.07, 0.965, words.shortened(f"{title} – {words.plain(sweep.name)}", 84),
        fontsize=12.5, fontweight="bold", va="center",
    )  # fmt: skip
    line = f"Data: {words.shortened(source, 60)}{_rows(frames)}. Sweep {_state(frames)}."
    figure.text(0.07, 0.926, line, fontsize=9, color="#444444", va="center")
    if notes:
        figure.text(0.07, 0.022, "  ".join(notes), fontsize=8, color="#444444", va="center")
    return figure


def _rows(frames: SweepFrames) -> str:
    ranges = frames.sweep.data.row_ranges
    if ranges is None:
        return ""
    train, validation = (end - first for first, end in (ranges.train, ranges.validation))
    return f", {train:,} training and {words.counted(validation, 'validation row')}"


def _state(frames: SweepFrames) -> str:
    """finished; running, 12 of 150 trials."""
    sweep, n_done = frames.sweep, int((frames.trials["epochs"] > 0).sum())
    return words.plain(f"{sweep.state}, {words.trials(n_done)} trained")


def say_nothing(axes: Axes) -> None:
    """Write into an empty chart why it is empty."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.5, 0.5, NOTHING, transform=axes.transAxes, ha="center", va="center", fontsize=12)


def log_axis(
    axes: Axes, first: float, last: float, which: str = "x", *, ends: Sequence[float] = ()
) -> None:
    """Make an axis logarithmic from `first` to `last`, with plain numbers: 1, 3, 10, 30; 1k.

    The data end at `ends`, which get ticks.
    """
    axis = axes.xaxis if which == "x" else axes.yaxis
    getattr(axes, f"set_{which}scale")("log")
    getattr(axes, f"set_{which}lim")(first, last)
    axis.set_major_locator(FixedLocator(log_ticks(first, last, ends)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda tick, _: tick_label(tick, ends)))


def score_axis(
    axes: Axes, frames: SweepFrames, ends: tuple[float, float], title: str, which: str = "y"
) -> None:
    """Make an axis one of scores between `ends`, titled `title` with its unit; "" for no title.

    Scores that people know as higher if better are so: the axis is turned round.
    """
    shown = frames.score_words
    low, high = ends
    getattr(axes, f"set_{which}lim")(*((high, low) if shown.is_turned else (low, high)))
    if title:
        getattr(axes, f"set_{which}label")(shown.with_unit(title))
    if title and which == "y" and shown.is_amount:  # labels as 2.9e-6 are wide
        left, bottom, width, height = axes.get_position().bounds
        axes.set_position((left + _WIDE, bottom, width - _WIDE, height))
    if shown.is_amount or shown.is_turned:
        axis = axes.xaxis if which == "x" else axes.yaxis
        axis.set_major_formatter(FuncFormatter(lambda tick, _: shown.tick(tick)))


def amount_axis(axes: Axes, shown: ScoreWords) -> None:
    """Label the upright axis, of differences of scores, so that any size can be read."""
    if shown.is_amount:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda tick, _: shown.tick_of_amount(tick)))


def no_skill_line(axes: Axes, level: NoSkill, width: float = 0.8) -> None:
    """Draw the level of a model without skill, if it is known."""
    if level.is_known:
        axes.axhline(level.validation, color=BLACK, linewidth=width, linestyle=(0, (1, 2)))


def scale_note(error: float) -> str:
    """Return the note on a chart whose colours are a `colour_range` with this `error`."""
    if np.isfinite(error):
        return "The colours span 4 standard errors or more."
    return "How exact these numbers are is unknown."


def colour_bar(
    figure: Figure,
    frames: SweepFrames,
    place: tuple[float, float, float, float],
    norm: Normalize,
    is_open: bool,
) -> None:
    """Draw beside a chart which validation score its colours mean, the best on top.

    `is_open` if there are values beyond the upper end, which have its colour.
    """
    axes = figure.add_axes(place)
    bar = figure.colorbar(
        ScalarMappable(norm, CMAP), cax=axes, extend="max" if is_open else "neither"
    )
    shown = frames.score_words
    bar.set_label(shown.with_unit(shown.validation), fontsize=8)
    axes.tick_params(labelsize=8)
    if shown.is_amount or shown.is_turned:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda tick, _: shown.tick(tick)))
    else:
        axes.ticklabel_format(axis="y", useOffset=False)
    axes.invert_yaxis()


def paths(folder: Path, stem: str) -> list[Path]:
    """Return the paths of a chart's files."""
    return [folder / f"{stem}.png", folder / f"{stem}.svg"]


def write(figure: Figure, folder: Path, stem: str) -> list[Path]:
    """Write `stem`.png and `stem`.svg into `folder`, each whole or not at all."""
    png, svg = paths(folder, stem)
    quick = {"compress_level": 3}  # 5 % larger than the default, in half the time
    with whole(png) as new:
        figure.savefig(new, format="png", dpi=DPI, pil_kwargs=quick)
    with whole(svg) as new:
        figure.savefig(new, format="svg", metadata={"Date": None})
    return [png, svg]
