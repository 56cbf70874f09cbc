"""The route of charts: those that `sweep report` writes, drawn when they are asked for."""

import io
import threading
from enum import StrEnum
from functools import lru_cache

from fastapi import APIRouter, Request, Response

from sweep.analysis.frames.load import SweepFrames
from sweep.errors import NotFoundError
from sweep.serve.api import paging
from sweep.serve.api.who import Reads

router = APIRouter(tags=["sweeps"])
_DRAWING = threading.Lock()
"""Matplotlib's settings are those of the whole process: one chart is drawn at a time."""
_KEPT = 16


class ChartForm(StrEnum):
    """How a chart is answered."""

    SVG = "svg"
    PNG = "png"


_TYPES = {ChartForm.SVG: "image/svg+xml", ChartForm.PNG: "image/png"}


@router.get(
    "/sweeps/{name}/charts/{stem}.{form}",
    response_class=Response,
    responses={200: {"content": {kind: {} for kind in _TYPES.values()}}},
)
def get_chart(who: Reads, name: str, stem: str, form: ChartForm, request: Request) -> Response:
    """A chart of a sweep, as `sweep report` writes it: frontier, learning-curves, rungs and so on.

    404 for a chart that there is not, or for which the sweep has too little to show yet.
    """
    folder = who.service.sweep(name)
    etag = who.service.looks.look(folder).etag
    headers = {"ETag": etag}
    if paging.is_known(request, etag):
        return Response(status_code=304, headers=headers)
    frames = who.service.looks.frames(folder)
    with _DRAWING:
        content = _drawn(frames, stem, form)
    return Response(content, media_type=_TYPES[form], headers=headers)


@lru_cache(maxsize=_KEPT)  # frames of one state of a sweep are one object
def _drawn(frames: SweepFrames, stem: str, form: ChartForm) -> bytes:
    """Return a chart's file. Raises NotFoundError."""
    from sweep.analysis.charts import catalogue, style
    from sweep.analysis.charts.axes import TooFewDataError

    known = {chart.stem: chart for chart in (*catalogue.charts(), *catalogue.FURTHER)}
    if stem not in known:
        raise NotFoundError(f"there is no chart {stem[:40]!r}; there are: {', '.join(known)}")
    out = io.BytesIO()
    with style.styled():
        try:
            figure = catalogue.drawn(known[stem], frames)
        except TooFewDataError as error:
            raise NotFoundError(f"there is too little for chart {stem} yet: {error}") from error
        metadata = {"Date": None} if form is ChartForm.SVG else None
        figure.savefig(out, format=form.value, dpi=style.DPI, metadata=metadata)
    return out.getvalue()
