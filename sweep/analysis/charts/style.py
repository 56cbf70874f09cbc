"""How every chart looks, and how it is written: colours, page, notes, atomic files.

Okabe and Ito's colours keep apart for the colour-blind; line styles, markers and fillings say
the same once more, so that a print in grey can be read.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from sweep import words
from sweep.analysis.files import atomically
from sweep.analysis.frames.load import SweepFrames
from sweep.metrics import NO_SKILL as NO_SKILL

BLACK, GREY = "#000000", "#8a8a8a"
BLUE, VERMILLION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
PURPLE, SKY = "#CC79A7", "#56B4E9"
SERIES = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

"""BCE in nats of a model that always says one half."""
NOTHING = "no trial has been evaluated yet"
DPI = 150
_PAGE = (10.0, 6.0)

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


class TooFewDataError(Exception):
    """A chart cannot be drawn from what there is; says what it needs."""


@contextmanager
def styled() -> Iterator[None]:
    """Matplotlib in our style, whatever the user's own settings."""
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def page(frames: SweepFrames, title: str, notes: Sequence[str] = ()) -> Figure:
    """An empty figure with a title that says of which sweep and data it is, and notes below."""
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
    return f", {train:,} training and {validation:,} validation rows"


def _state(frames: SweepFrames) -> str:
    """finished; running, 12 of 150 trials."""
    sweep, n_done = frames.sweep, int((frames.trials["epochs"] > 0).sum())
    return words.plain(f"{sweep.state}, {words.trials(n_done)} trained")


def say_nothing(axes: Axes) -> None:
    """An empty chart says why it is."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.5, 0.5, NOTHING, transform=axes.transAxes, ha="center", va="center", fontsize=12)


def log_axis(axes: Axes, first: float, last: float, which: str = "x") -> None:
    """A logarithmic axis from `first` to `last` with plain numbers: 1, 3, 10, 30; 1k, 3k."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    getattr(axes, f"set_{which}scale")("log")
    getattr(axes, f"set_{which}lim")(first, last)
    axis.set_major_locator(FixedLocator(log_ticks(first, last)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: magnitude(value)))


def log_ticks(first: float, last: float) -> list[float]:
    """2 to about 9 ticks: a digit times a power of ten, or evenly spaced where just one fits."""
    powers = range(int(np.floor(np.log10(first))), int(np.ceil(np.log10(last))) + 1)
    for digits in ((1,), (1, 3), (1, 2, 5), range(1, 10)):
        ticks = [digit * 10.0**power for power in powers for digit in digits]
        ticks = [tick for tick in ticks if first <= tick <= last]
        if len(ticks) >= 3:
            return ticks
    if len(ticks) == 2:
        return ticks
    even = MaxNLocator(nbins=5).tick_values(first, last)
    return [float(tick) for tick in even if first <= tick <= last]


def magnitude(value: float) -> str:
    """800, 1k, 300k, 2M; 0.001, 1e-05."""
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:.4g}{name}"
    return f"{value:.4g}"


def bce_range(values: NDArray[np.floating], val_bce: NDArray[np.floating]) -> tuple[float, float]:
    """A range for an axis of BCE that diverged and memorising trials cannot stretch.

    With d the distance from the best of `val_bce` down from no skill: at most d further down, at
    most d / 2 above no skill, and no further than the `values` go. Holds the best and no skill.
    What is off the chart, `outside` counts for a note.
    """
    values, val_bce = values[np.isfinite(values)], val_bce[np.isfinite(val_bce)]
    if len(val_bce) == 0:
        return NO_SKILL - 0.2, NO_SKILL + 0.02
    best = float(val_bce.min())
    distance = NO_SKILL - best
    if distance > 0:
        low = max(float(values.min()), best - distance)
        high = min(max(float(values.max()), NO_SKILL), NO_SKILL + distance / 2)
    else:
        low, high = NO_SKILL, float(np.quantile(values, 0.9))
    margin = 0.05 * max(high - low, 1e-3)
    return low - margin, high + margin


def outside(values: NDArray[np.floating], low: float, high: float) -> int:
    """How many of the finite `values` a chart from `low` to `high` does not show."""
    finite = values[np.isfinite(values)]
    return int(((finite < low) | (finite > high)).sum())


def paths(folder: Path, stem: str) -> list[Path]:
    """The files of a chart."""
    return [folder / f"{stem}.png", folder / f"{stem}.svg"]


def write(figure: Figure, folder: Path, stem: str) -> list[Path]:
    """`stem`.png and `stem`.svg in `folder`, each whole or not at all."""
    png, svg = paths(folder, stem)
    quick = {"compress_level": 3}  # 5 % larger than the default, in half the time
    atomically(png, lambda file: figure.savefig(file, format="png", dpi=DPI, pil_kwargs=quick))
    undated = {"Date": None}
    atomically(svg, lambda file: figure.savefig(file, format="svg", metadata=undated))
    return [png, svg]
