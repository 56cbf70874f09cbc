"""Signing in of a browser: a token is shown once, a cookie stands for it from then on."""

import time
from collections import deque
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field, ValidationError

from sweep.serve.access import guard, sessions, tokens
from sweep.serve.api.problems import ProblemError
from sweep.serve.api.who import origin_of, service_of
from sweep.serve.queue import audit
from sweep.serve.work.asked import RequestPart

router = APIRouter(tags=["session"])
_MOST_FAILED, _WITHIN_SECONDS = 10, 60.0
_failed: deque[float] = deque(maxlen=_MOST_FAILED)


class SignIn(RequestPart):
    """The token that a browser shows."""

    token: Annotated[str, Field(max_length=200)]


_FORM = "application/x-www-form-urlencoded"
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": SignIn.model_json_schema()}},
    }
}


@router.post("/session", status_code=204, openapi_extra=_BODY)
async def sign_in(request: Request) -> Response:
    """Show a token, get a cookie; a form is sent on to the overview."""
    from starlette.concurrency import run_in_threadpool

    body = await request.body()
    is_form = request.headers.get("content-type", "").startswith(_FORM)
    try:
        asked = _of_form(body) if is_form else SignIn.model_validate_json(body)
    except (ValidationError, UnicodeDecodeError) as error:
        raise ProblemError(422, "invalid", 'expected a token: {"token": "swp_…"}') from error
    return await run_in_threadpool(_sign_in, request, asked, is_form)


def _of_form(body: bytes) -> SignIn:
    found = parse_qs(body.decode())
    return SignIn(token=found.get("token", [""])[0].strip())


def _sign_in(request: Request, asked: SignIn, is_form: bool) -> Response:
    service, now = service_of(request), time.monotonic()
    token = tokens.presented(service.database, asked.token)
    if token is None:
        # who has a right one gets in, however many wrong ones others show
        if len(_failed) == _MOST_FAILED and now - _failed[0] < _WITHIN_SECONDS:
            raise ProblemError(
                429, "too-many", "too many wrong tokens; wait a minute", {"Retry-After": "60"}
            )
        _failed.append(now)
        audit.enter(service.database, "unknown", origin_of(request), "sign-in refused", "session")
        if is_form:
            return RedirectResponse("/signin?wrong=1", status_code=303)
        raise ProblemError(401, "no-token", "no such token, or it has expired")
    secret = sessions.sign_in(service.database, token)
    audit.enter(service.database, token.name, origin_of(request), "sign in", "session")
    response = RedirectResponse("/", status_code=303) if is_form else Response(status_code=204)
    secure = request.url.scheme == "https"
    response.set_cookie(
        guard.cookie_name(secure), secret, max_age=int(sessions.SESSION_SECONDS), path="/",
        secure=secure, httponly=True, samesite="strict",
    )  # fmt: skip
    return response


@router.delete("/session", status_code=204)
def sign_out(request: Request) -> Response:
    """End the session, at the server too."""
    cookie = guard.session_cookie(request.headers.get("cookie", ""))
    if cookie is not None:
        sessions.sign_out(service_of(request).database, cookie)
    response = Response(status_code=204)
    for secure in (True, False):
        response.delete_cookie(guard.cookie_name(secure), secure=secure, httponly=True)
    return response
