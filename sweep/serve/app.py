"""The HTTP application: every route behind the guard, every error a problem document."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from sweep import __version__
from sweep.serve import pages
from sweep.serve.access.guard import Guard
from sweep.serve.api import (
    charts,
    events,
    house,
    jobs,
    plans,
    probes,
    problems,
    session,
    spaces,
    sweeps,
    trials,
    workers,
)
from sweep.serve.api.models import ProblemOut
from sweep.serve.api.who import Reads
from sweep.serve.live.watch import Watchers
from sweep.serve.pages.render import problem_page, wants_page
from sweep.serve.service import Service

_PREFIX = "/api/v1"
_CODES = (400, 401, 403, 404, 405, 409, 412, 413, 415, 421, 422, 428, 429, 500, 503, 507)
_PROBLEMS = {
    code: {"model": ProblemOut, "content": {problems.MEDIA_TYPE: {}}, "description": "A problem"}
    for code in _CODES
}


def _as_page(request: Request, found: Mapping[str, Any]) -> Response | None:
    return problem_page(request, found) if wants_page(request) else None


def make_app(service: Service) -> FastAPI:
    """Return the application of a service."""
    app = FastAPI(
        title="sweep",
        version=__version__,
        description="A queue, a dashboard and an API for hyperparameter searches.",
        openapi_url=None,  # a route of our own, which needs a token
        docs_url=None,  # loads from elsewhere
        redoc_url=None,
        responses=_PROBLEMS,  # type: ignore[arg-type]
    )
    app.state.service = service
    app.state.watchers = Watchers(service.database, service.folder.database)
    for part in (sweeps, trials, workers, charts, jobs, plans, spaces, house, events):
        app.include_router(part.router, prefix=_PREFIX)
    for room in pages.ROUTERS:
        app.include_router(room)
    app.include_router(session.router)
    app.include_router(probes.router)
    problems.install(app, _as_page)

    @app.get("/openapi.json", include_in_schema=False)
    def openapi(who: Reads) -> JSONResponse:
        return JSONResponse(app.openapi())

    app.add_middleware(Guard, service=service)
    return app
