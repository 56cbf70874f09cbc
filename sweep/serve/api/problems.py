"""Errors as RFC 9457 problem documents, with the one line that a terminal shows."""

import errno
import logging
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from sweep import errors
from sweep.serve.queue.answers import OtherRequestError
from sweep.words import plain

MEDIA_TYPE = "application/problem+json"
_log = logging.getLogger(__name__)

_STATUS: dict[type[errors.SweepError], tuple[int, str, str]] = {
    errors.UsageError: (400, "usage", "What was asked makes no sense"),
    errors.NotFoundError: (404, "not-found", "There is no such thing"),
    errors.LockedError: (409, "locked", "Somebody is at work there"),
    errors.InvalidSpaceError: (422, "invalid", "A space or a setting cannot be used"),
    errors.DataError: (500, "damaged", "What is stored is damaged"),
    errors.PlatformError: (503, "platform", "The machine is at fault"),
}
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_FULL = (errno.ENOSPC, errno.EDQUOT)


class ProblemError(Exception):
    """An error that is a matter of HTTP: a header, a scope, a version."""

    def __init__(
        self, status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail = status, kind, detail
        self.headers = dict(headers or {})


def document(
    status: int, kind: str, detail: str, instance: str | None = None, **more: Any
) -> dict[str, Any]:
    """Return a problem document."""
    title = HTTPStatus(status).phrase
    found = {"type": f"/problems/{kind}", "title": title, "status": status, "detail": plain(detail)}
    if instance is not None:
        found["instance"] = instance
    return found | more


def of_error(error: errors.SweepError, instance: str | None = None) -> dict[str, Any]:
    """Return the problem document of an error that a user can mend."""
    status, kind, title = next(
        (found for known, found in _STATUS.items() if isinstance(error, known)),
        (500, "fault", "A fault"),
    )
    if _is_full(error.__cause__):
        status, kind, title = 507, "full", "The disk is full"
    found = document(status, kind, str(error), instance, exit_code=error.exit_code)
    return found | {"title": title}


def _is_full(cause: BaseException | None) -> bool:
    """Return whether there was no room on the disk: for a file, or for a database."""
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return isinstance(cause, OSError) and cause.errno in _FULL


def document_answer(
    found: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return a response that holds a problem document."""
    more = dict(headers or {})
    if found["status"] == 503:
        more.setdefault("Retry-After", "5")
    return JSONResponse(
        dict(found), status_code=found["status"], headers=more, media_type=MEDIA_TYPE
    )


Shown = Callable[[Request, Mapping[str, Any]], Response | None]
"""Shows a problem as a page if a person asks; None leaves it a document."""


def install(app: FastAPI, shown: Shown = lambda request, found: None) -> None:
    """Let every error of the routes end as a problem document, or as a page for people."""

    def answer(
        request: Request, found: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> Response:
        return shown(request, found) or document_answer(found, headers)

    @app.exception_handler(errors.SweepError)
    def _mendable(request: Request, error: errors.SweepError) -> Response:
        return answer(request, of_error(error, request.url.path))

    @app.exception_handler(ProblemError)
    def _of_http(request: Request, error: ProblemError) -> Response:
        found = document(error.status, error.kind, error.detail, request.url.path)
        return answer(request, found, error.headers)

    @app.exception_handler(OtherRequestError)
    def _other(request: Request, error: OtherRequestError) -> Response:
        detail = "this Idempotency-Key was used for another request; use a new one"
        return answer(request, document(422, "key-reused", detail, request.url.path))

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if isinstance(error.body, bytes) and kind != "application/json":
            detail = f"a body must be application/json, and this is {kind[:80] or 'nameless'}"
            return answer(request, document(415, "media-type", detail, request.url.path))
        return answer(request, _of_validation(error, request.url.path))

    @app.exception_handler(HTTPException)
    def _plain(request: Request, error: HTTPException) -> Response:
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            return _other_method(request, answer)
        kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        detail = str(error.detail)
        if detail == HTTPStatus.NOT_FOUND.phrase:  # of no route
            detail = f"there is nothing at {request.url.path[:200]}"
        found = document(error.status_code, kind, detail, request.url.path)
        return answer(request, found, error.headers)

    @app.exception_handler(sqlite3.OperationalError)
    def _database(request: Request, error: sqlite3.OperationalError) -> Response:
        return answer(
            request, document(503, "platform", f"a database is busy: {error}", request.url.path)
        )

    @app.exception_handler(Exception)
    def _fault(request: Request, error: Exception) -> Response:
        number = uuid.uuid4().hex[:12]
        _log.error("fault %s at %s", number, request.url.path, exc_info=error)
        detail = f"this is a fault of sweep, please report it; the log has it under {number}"
        return answer(request, document(500, "fault", detail, request.url.path))


def _other_method(request: Request, answer: Callable[..., Response]) -> Response:
    """Return which methods a path has: what OPTIONS asks for, and what others are told."""
    allowed = [
        method
        for method in _METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.router.routes
        )
    ]
    if "GET" in allowed:
        allowed.insert(1, "HEAD")
    headers = {"Allow": ", ".join([*allowed, "OPTIONS"])}
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=headers)
    detail = f"{request.url.path[:200]} takes no {request.method[:20]}; it takes: "
    found = document(405, "method-not-allowed", detail + headers["Allow"], request.url.path)
    return answer(request, found, headers)


def _of_validation(error: RequestValidationError, instance: str) -> dict[str, Any]:
    if error.errors()[0]["type"] == "json_invalid":
        at = error.errors()[0]["loc"][-1]
        return document(400, "invalid", f"the body is no JSON, from character {at} on", instance)
    found = [
        {"pointer": _pointer(one["loc"], error.body), "detail": plain(one["msg"])[:300]}
        for one in error.errors()
    ]
    first = found[0]
    where = f"{first['pointer']}: " if first["pointer"] else "the body: "
    return document(422, "invalid", f"{where}{first['detail']}", instance, errors=found)


def _pointer(place: tuple[int | str, ...], body: Any) -> str:
    """Return where in a request something is wrong, as a JSON pointer: /settings/max_epochs."""
    parts = [str(part)[:80] for part in place]
    inside = parts[1:] if parts[:1] == ["body"] else parts
    if inside != parts and isinstance(body, dict) and inside[:1] == [body.get("kind")]:
        inside = inside[1:]  # which of several kinds of body it is
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in inside)
