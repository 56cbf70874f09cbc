"""Writes all charts of a sweep. Each is computed and drawn in a file of its own."""

from pathlib import Path

from sweep.analysis import style
from sweep.analysis.chart_curves import draw_curves
from sweep.analysis.chart_frontier import draw_frontier
from sweep.analysis.chart_rates import draw_rates
from sweep.analysis.frames import SweepFrames
from sweep.errors import PlatformError

STEMS = ("frontier", "learning-curves", "learning-rate")


def write_charts(frames: SweepFrames, folder: Path, smoothing: int = 0) -> list[Path]:
    """PNG and SVG of each chart in `folder`, which is made if need be; their paths.

    `smoothing` averages the learning curves over so many epochs on either side.
    Raises PlatformError when a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        with style.styled():
            figures = (draw_frontier(frames), draw_curves(frames, smoothing), draw_rates(frames))
            for stem, figure in zip(STEMS, figures, strict=True):
                written += style.write(figure, folder, stem)
    except OSError as error:
        raise PlatformError(f"cannot write charts into {folder}: {error.strerror}") from error
    return written
