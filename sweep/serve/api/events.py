"""Routes of live events."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from sweep.serve.api.problems import ProblemError
from sweep.serve.api.who import Reads, Who
from sweep.serve.live.stream import MOST_CLIENTS, stream
from sweep.serve.live.watch import Watchers

router = APIRouter(tags=["events"])
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}
}
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
LastEvent = Annotated[str | None, Header(alias="Last-Event-ID", max_length=120)]
After = Annotated[str | None, Query(max_length=120)]


@router.get("/events", response_class=StreamingResponse, responses=_STREAM)
async def events(
    who: Reads,
    request: Request,
    sweep: Annotated[str | None, Query(max_length=80)] = None,
    after: After = None,
    last: LastEvent = None,
) -> StreamingResponse:
    """What happens in the queue, and in a sweep if one is named, as server-sent events."""
    return _stream(who, request, sweep, last or after)


@router.get("/sweeps/{name}/events", response_class=StreamingResponse, responses=_STREAM)
async def sweep_events(
    who: Reads, request: Request, name: str, after: After = None, last: LastEvent = None
) -> StreamingResponse:
    """What happens in a sweep, as server-sent events; `Last-Event-ID` goes on where one stopped."""
    return _stream(who, request, name, last or after)


def _stream(who: Who, request: Request, sweep: str | None, since: str | None) -> StreamingResponse:
    if who.service.clients.n >= MOST_CLIENTS:
        detail = f"{MOST_CLIENTS} listen already; try again in a minute"
        raise ProblemError(503, "too-many-listeners", detail, {"Retry-After": "60"})
    folder = None if sweep is None else who.service.sweep(sweep)
    watchers: Watchers = request.app.state.watchers
    return StreamingResponse(
        stream(who.service, watchers, folder, since),
        media_type="text/event-stream",
        headers=_HEADERS,
    )
