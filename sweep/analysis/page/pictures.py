"""The static charts as addresses that hold the picture: SVG where it is small enough, else PNG."""

import base64
import io
import re
from dataclasses import dataclass

from matplotlib.figure import Figure

from sweep.analysis.charts import style
from sweep.analysis.charts.axes import TooFewDataError
from sweep.analysis.charts.catalogue import FURTHER, Chart, charts, drawn
from sweep.analysis.frames.load import SweepFrames

_DPI = 90
_PATH = re.compile(r'\bd="[^"]*"')
_METADATA = re.compile(r"<metadata>.*?</metadata>|<!--.*?-->|<!DOCTYPE[^>]*>", re.DOTALL)
_ESCAPES = str.maketrans({"%": "%25", "#": "%23", '"': "%22", "<": "%3C", ">": "%3E"})


@dataclass(frozen=True)
class Picture:
    """A chart as it is shown in the page: names, section and address."""

    stem: str
    section: str
    title: str
    address: str
    """`data:image/…`"""


@dataclass(frozen=True)
class Missing:
    """A chart that cannot be drawn from what there is."""

    section: str
    title: str
    reason: str


@dataclass(frozen=True)
class Pictures:
    """The charts of the page: shown, missing for lack of data, or left out for lack of room."""

    shown: list[Picture]
    missing: list[Missing]
    n_left_out: int


def pictures(frames: SweepFrames, room: int) -> Pictures:
    """Return the charts in at most `room` characters.

    The largest become PNG until all fit; those that never do are left out, the largest first.
    """
    with style.styled():
        figures, missing = _figures(frames)
        addresses = [_svg(figure) for _, figure in figures]
        for i in sorted(range(len(figures)), key=lambda i: -len(addresses[i])):
            if sum(map(len, addresses)) > room:
                addresses[i] = min(addresses[i], _png(figures[i][1]), key=len)
    shown = [
        Picture(chart.stem, chart.section, chart.titled(frames), address)
        for (chart, _), address in zip(figures, addresses, strict=True)
    ]
    while sum(len(picture.address) for picture in shown) > room and shown:
        shown.remove(max(shown, key=lambda picture: len(picture.address)))
    return Pictures(shown, missing, len(figures) - len(shown))


def _figures(frames: SweepFrames) -> tuple[list[tuple[Chart, Figure]], list[Missing]]:
    figures, missing = [], []
    for chart in (*charts(), *FURTHER):
        try:
            figures.append((chart, drawn(chart, frames)))
        except TooFewDataError as error:
            missing.append(Missing(chart.section, chart.titled(frames), str(error)))
    return figures, missing


def _svg(figure: Figure) -> str:
    """Shown as an image, so it can neither run scripts nor load anything."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    # a tenth of a point is finer than a screen
    short = _PATH.sub(lambda path: re.sub(r"(\.\d)\d+", r"\1", path[0]), file.getvalue())
    short = re.sub(r"\s*\n\s*", " ", _METADATA.sub("", short))
    return "data:image/svg+xml," + short.strip().translate(_ESCAPES)


def _png(figure: Figure) -> str:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=_DPI)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
