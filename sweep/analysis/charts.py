"""All charts of a sweep: the one list of them, and their files.

Each is computed and drawn in a file of its own. What stands in the list is written as PNG and
SVG and shown in the HTML report.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from sweep.analysis import style
from sweep.analysis.chart_curves import draw_curves
from sweep.analysis.chart_frontier import draw_frontier
from sweep.analysis.chart_rates import draw_rates
from sweep.analysis.frames import SweepFrames
from sweep.errors import PlatformError


@dataclass(frozen=True)
class Chart:
    """A chart and where it belongs."""

    stem: str
    """Of its files' names."""
    section: str
    """Of the HTML report: frontier, overfitting, regularisation, honesty, search or cost."""
    title: str
    """What it shows, for those who cannot see it too."""
    draw: Callable[[SweepFrames], Figure]


def charts(smoothing: int = 0) -> tuple[Chart, ...]:
    """`smoothing` averages the learning curves over so many epochs on either side."""
    curves = partial(draw_curves, smoothing=smoothing)
    return (
        Chart("frontier", "frontier", "BCE against trainable parameters", draw_frontier),
        Chart("learning-curves", "overfitting", "BCE against epochs, train and validation", curves),
        Chart("learning-rate", "search", "Learning rate against epochs", draw_rates),
    )


STEMS = tuple(chart.stem for chart in charts())


def write_charts(frames: SweepFrames, folder: Path, smoothing: int = 0) -> list[Path]:
    """PNG and SVG of each chart in `folder`, which is made if need be; their paths.

    `smoothing` averages the learning curves over so many epochs on either side.
    Raises PlatformError when a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        with style.styled():
            for chart in charts(smoothing):
                written += style.write(chart.draw(frames), folder, chart.stem)
    except OSError as error:
        raise PlatformError(f"cannot write charts into {folder}: {error.strerror}") from error
    return written
