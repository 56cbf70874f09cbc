"""Pages of collections by cursor, and versions of what is answered."""

import base64
import binascii
import json
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Path, Query, Request, Response

from sweep.errors import UsageError
from sweep.serve.api.problems import ProblemError

Number = Annotated[int, Path(ge=0, le=10**9)]
"""Of a job, a plan or a trial, in a path."""
PageSize = Annotated[int, Query(ge=1, le=1000)]
PageToken = Annotated[str | None, Query(max_length=200)]


def cursor(value: int | str | None) -> str | None:
    """Return where a page ended, as an opaque word."""
    if value is None:
        return None
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def number_of(token: str | None, otherwise: int | None = None) -> Any:
    """Return the number in a page token. Raises UsageError for what is no token of ours."""
    if token is None:
        return otherwise
    try:
        found = json.loads(base64.urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4)))
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise UsageError("page_token is not one that this service gave") from error
    if type(found) is not int or not 0 <= found < 2**62:
        raise UsageError("page_token is not one that this service gave")
    return found


def link_next(request: Request, response: Response, token: str | None) -> None:
    """Name the next page in a Link header (RFC 8288)."""
    if token is not None:
        query = dict(request.query_params) | {"page_token": token}
        response.headers["Link"] = f'<{request.url.path}?{urlencode(query)}>; rel="next"'


def is_known(request: Request, etag: str) -> bool:
    """Return whether a client has the version `etag` already."""
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or _weak(etag) in {_weak(one) for one in given.split(",")}


def check_version(request: Request, etag: str, *, needed: bool) -> None:
    """Raise ProblemError if the client would change another version than it has seen."""
    given = request.headers.get("if-match")
    if given is None:
        if needed:
            raise ProblemError(
                428, "no-version", "send If-Match with the ETag that you have seen, or If-Match: *"
            )
        return
    if given.strip() != "*" and _weak(etag) not in {_weak(one) for one in given.split(",")}:
        raise ProblemError(
            412, "changed", "it has changed since you looked; look again, then send the new ETag"
        )


def _weak(etag: str) -> str:
    return etag.strip().removeprefix("W/")
