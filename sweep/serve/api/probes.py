"""Routes outside /api/v1: is the service alive, is it ready, which version, what do metrics say."""

import shutil

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from sweep import __version__
from sweep.errors import SweepError
from sweep.serve.api.who import Reads, service_of
from sweep.serve.metrics import metrics
from sweep.serve.service import Service

router = APIRouter(tags=["probes"])


@router.get("/livez", response_class=PlainTextResponse)
async def live() -> str:
    """Whether the service turns."""
    return "ok\n"


@router.get(
    "/readyz",
    response_class=PlainTextResponse,
    responses={503: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def ready(request: Request) -> Response:
    """Whether the service takes work: queue writable, dispatcher at work, room on the disk."""
    problems = why_not_ready(service_of(request))
    text = "".join(f"{line}\n" for line in problems) or "ok\n"
    return PlainTextResponse(text, status_code=503 if problems else 200)


def why_not_ready(service: Service) -> list[str]:
    """Return what keeps the service from taking work."""
    if not service.is_in_place:
        return ["the results folder is gone"]
    found = []
    if service.ending.is_set():
        found.append("ending")
    elif service.is_paused:
        found.append("drained")
    try:
        with service.database.changing() as db:
            db.execute("INSERT OR REPLACE INTO setting VALUES ('ready', '1')")
    except SweepError:
        found.append("the queue cannot be written")
    if not service.dispatcher_is_alive():
        found.append("the dispatcher stands still")
    if shutil.disk_usage(service.options.results).free < service.options.least_free_bytes:
        found.append("too little room on the disk")
    return found


@router.get("/version")
def version(who: Reads) -> dict[str, str]:
    """The version of sweep."""
    return {"version": __version__}


@router.get("/metrics", response_class=PlainTextResponse)
def get_metrics(request: Request) -> Response:
    """Numbers for Prometheus, of the queue and of running sweeps."""
    text, kind = metrics(service_of(request))
    return Response(text, media_type=kind)
