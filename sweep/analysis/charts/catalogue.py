"""All charts of a sweep: the one list of them, and their files.

Each is computed and drawn in a file of its own. What stands in the list is written as PNG and
SVG and shown in the HTML report.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path

from matplotlib.figure import Figure

from sweep.analysis.charts import style
from sweep.analysis.charts.axes import TooFewDataError
from sweep.analysis.charts.curves import draw_curves
from sweep.analysis.charts.curves_by_capacity import draw_decades
from sweep.analysis.charts.frontier_drawing import draw_frontier
from sweep.analysis.charts.gap_and_onset import draw_overfitting
from sweep.analysis.charts.importance import draw_importance
from sweep.analysis.charts.learning_rates import draw_rates
from sweep.analysis.charts.other_seeds import draw_confirmed
from sweep.analysis.charts.parallel import draw_parallel
from sweep.analysis.charts.regularisation import draw_heat
from sweep.analysis.charts.rungs import draw_ladder
from sweep.analysis.charts.time_line import draw_time
from sweep.analysis.frames.load import SweepFrames
from sweep.errors import PlatformError


@dataclass(frozen=True)
class Chart:
    """A chart: its file names, its place in the HTML report, its title, how it is drawn."""

    stem: str
    """Of its files' names."""
    section: str
    """Of the HTML report: frontier, overfitting, regularisation, reliability, search or cost."""
    title: str
    """What it shows, for those who cannot see it too; `{score}` stands for what was measured."""
    draw: Callable[[SweepFrames], Figure]
    of_models: bool = False
    """Whether it shows sizes or epochs, which are not seen where `run_trial` trains."""

    def titled(self, frames: SweepFrames) -> str:
        """Return the title for a sweep: "BCE against trainable parameters"."""
        return self.title.replace("{score}", frames.score_words.short)


@cache  # so that a chart is the same object for all who ask
def charts(smoothing: int = 0) -> tuple[Chart, ...]:
    """Return the charts of every report: quick to draw, whatever the sweep holds.

    `smoothing` averages the learning curves over so many epochs on either side.
    """
    curves = partial(draw_curves, smoothing=smoothing)
    return (
        Chart(
            "frontier",
            "frontier",
            "{score} against trainable parameters",
            draw_frontier,
            of_models=True,
        ),
        Chart(
            "learning-curves",
            "overfitting",
            "{score} against epochs, train and validation",
            curves,
            of_models=True,
        ),
        Chart(
            "learning-rate", "search", "Learning rate against epochs", draw_rates, of_models=True
        ),
    )


FURTHER = (
    Chart(
        "curves-by-capacity",
        "overfitting",
        "Validation {score} against epochs by size",
        draw_decades,
        of_models=True,
    ),
    Chart(
        "overfitting",
        "overfitting",
        "Gap and onset against trainable parameters",
        draw_overfitting,
        of_models=True,
    ),
    Chart(
        "regularisation",
        "regularisation",
        "Validation {score} by regulariser and size",
        draw_heat,
        of_models=True,
    ),
    Chart("confirmed", "reliability", "Scores in the search and in repeats", draw_confirmed),
    Chart("importance", "search", "Which hyperparameters matter", draw_importance),
    Chart("parallel", "search", "All settings of each trial, and its score", draw_parallel),
    Chart("rungs", "search", "Scores at each rung, and whether the ranking lasted", draw_ladder),
    Chart("time", "cost", "What ran when, and how much of the plan was done", draw_time),
)
"""More charts, of `sweep report --all-charts`. Drawing one raises TooFewDataError when there is
too little to show."""

_KEPT = len(charts()) + len(FURTHER) + 1
"""Figures of one sweep; learning curves twice, as only those of the files may be smoothed."""


def figure_of(chart: Chart, frames: SweepFrames) -> Figure:
    """Return a new figure of a chart. Draw and save it in `style.styled`.

    Raises TooFewDataError if there is too little to show.
    """
    if frames.sweep.data.is_unseen and chart.of_models:
        raise TooFewDataError("run_trial trains, so neither sizes nor epochs are seen")
    return chart.draw(frames)


@lru_cache(maxsize=_KEPT)
def drawn(chart: Chart, frames: SweepFrames) -> Figure:
    """Return the figure of a chart, drawn once for the files and the page: see `figure_of`."""
    return figure_of(chart, frames)


STEMS = tuple(chart.stem for chart in charts())


def write_charts(frames: SweepFrames, folder: Path, smoothing: int = 0) -> list[Path]:
    """Write `charts` as PNG and SVG into `folder`, which is made if need be; return the paths.

    Raises PlatformError when a file cannot be written.
    """
    return _write(frames, folder, charts(smoothing))[0]


def write_further(frames: SweepFrames, folder: Path) -> tuple[list[Path], dict[str, str]]:
    """Write the charts `FURTHER` into `folder`; return the paths and a reason for each left out."""
    return _write(frames, folder, FURTHER)


def _write(
    frames: SweepFrames, folder: Path, wanted: Sequence[Chart]
) -> tuple[list[Path], dict[str, str]]:
    written: list[Path] = []
    left_out: dict[str, str] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with style.styled():
            for chart in wanted:
                try:
                    figure = drawn(chart, frames)
                except TooFewDataError as error:
                    left_out[chart.stem] = str(error)
                    for path in style.paths(folder, chart.stem):  # of an earlier report
                        path.unlink(missing_ok=True)
                else:
                    written += style.write(figure, folder, chart.stem)
    except OSError as error:
        raise PlatformError(f"cannot write charts into {folder}: {error.strerror}") from error
    return written, left_out
