"""Refuses requests before anything else looks at them: a foreign Host, no token, a forged origin.

A loopback port is open to every program on the machine and, by a name that changes its address, to
every page in a browser. So each request must name a known host and show a token or a session, and
a browser's request that changes something must come from a page of this service.
"""

import json
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sweep.serve.access import sessions, tokens
from sweep.serve.access.tokens import Token
from sweep.serve.api.problems import MEDIA_TYPE, document
from sweep.serve.service import Service

MOST_BODY_BYTES = 2_000_000
MOST_HEADER_BYTES = 16_384
_TOO_LARGE = f"a request's body may have {MOST_BODY_BYTES:,} bytes at most"
SAFE = ("GET", "HEAD", "OPTIONS")
OPEN = frozenset(("/livez", "/readyz", "/signin", "/session"))
"""Paths that need no token."""
_PROBES = frozenset(("/livez", "/readyz"))
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def cookie_name(is_secure: bool) -> str:
    """Return the name of the session's cookie; under TLS it cannot be set by another host."""
    return "__Host-sweep" if is_secure else "sweep"


class RefusedError(Exception):
    """A request that goes no further."""

    def __init__(self, status: int, kind: str, detail: str, **headers: str) -> None:
        self.status, self.kind, self.detail = status, kind, detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Guard:
    """ASGI middleware that stands before all routes; adds the token to the request's scope."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1")
                   for name, value in scope["headers"]}  # fmt: skip
        sending = _with_headers(send)
        if scope["method"] == "HEAD" and not scope["path"].endswith("/events"):
            scope = {**scope, "method": "GET"}  # the same answer; its body is not sent
        try:
            scope["sweep.token"] = self._admit(scope, headers)
            await self.app(scope, _limited(receive, headers), sending)
        except RefusedError as refusal:
            await _refuse(refusal, scope, headers, sending)

    def _admit(self, scope: Scope, headers: Mapping[str, str]) -> Token | None:
        """Return who asks. Raises RefusedError."""
        path, method = scope["path"], scope["method"]
        if path not in _PROBES:
            self._check_host(headers.get("host", ""))
        _check_length(headers)
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_HEADER_BYTES:
            detail = f"a request's headers may have {MOST_HEADER_BYTES:,} bytes at most"
            raise RefusedError(431, "headers-too-large", detail)
        token, by_cookie = self._token(headers)
        is_open = is_without_facts = path in OPEN or path.startswith("/static/")
        if path == "/metrics" and self.service.options.metrics_open:
            is_open = True
        if token is None and not is_open:
            detail = (
                "no valid token: send Authorization: Bearer swp_…, or open the address that "
                "sweep serve printed; make a token with: sweep serve token add NAME"
            )
            raise RefusedError(401, "no-token", detail, WWW_Authenticate='Bearer realm="sweep"')
        if method not in SAFE and by_cookie:
            _check_origin(headers)
        if not is_without_facts and not self.service.is_in_place:
            raise RefusedError(503, "platform", self.service.why_out_of_place, Retry_After="5")
        return token

    def _check_host(self, host: str) -> None:
        name = _host_of(host)
        if name is None or name not in self.service.options.names:
            detail = (
                f"this service is not called {host[:80]!r}; use its own address, or allow the name "
                "with --allowed-host"
            )
            raise RefusedError(421, "wrong-host", detail)

    def _token(self, headers: Mapping[str, str]) -> tuple[Token | None, bool]:
        """Return whose request it is, and whether a cookie said so."""
        database = self.service.database
        kind, _, secret = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return tokens.presented(database, secret.strip()), False
        cookie = session_cookie(headers.get("cookie", ""))
        return (sessions.signed_in(database, cookie) if cookie else None), True


def session_cookie(header: str) -> str | None:
    """Return the session's secret in a Cookie header."""
    try:
        found = SimpleCookie(header)
    except CookieError:
        return None
    for name in (cookie_name(True), cookie_name(False)):
        if name in found:
            return found[name].value
    return None


def _host_of(header: str) -> str | None:
    """Return the name in a Host header without its port; None for what is no host."""
    try:
        parts = urlsplit(f"//{header}")
        parts.port  # noqa: B018  (raises ValueError for what is no port)
    except ValueError:
        return None
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        return None
    return parts.hostname


def _check_origin(headers: Mapping[str, str]) -> None:
    """Raise RefusedError unless a browser says that a page of this service sends the request."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        if site in ("same-origin", "none"):
            return
    elif urlsplit(headers.get("origin", "")).netloc == headers.get("host"):
        return
    detail = "a browser's request that changes something must come from a page of this service"
    raise RefusedError(403, "foreign-origin", detail)


def _check_length(headers: Mapping[str, str]) -> None:
    given = headers.get("content-length", "0")
    if given.isdecimal() and len(given) < 12 and int(given) <= MOST_BODY_BYTES:
        return
    raise RefusedError(
        413, "too-large", f"a request's body may have {MOST_BODY_BYTES:,} bytes at most"
    )


def _limited(receive: Receive, headers: Mapping[str, str]) -> Receive:
    """Return `receive`, which ends a body that is longer than a request's may be."""
    read = 0

    async def receive_limited() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > MOST_BODY_BYTES:
            raise HTTPException(413, _TOO_LARGE)
        return message

    return receive_limited


def _with_headers(send: Send) -> Send:
    """Return `send`, which adds to each answer what browsers are to heed."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", []))
            given = {name.lower() for name, _ in headers}
            headers += [
                (name.lower().encode(), value.encode())
                for name, value in _HEADERS.items()
                if name.lower().encode() not in given
            ]
            if b"cache-control" not in given:
                headers.append((b"cache-control", b"no-store"))
            message = {**message, "headers": headers}
        await send(message)

    return send_with_headers


async def _refuse(
    refusal: RefusedError, scope: Scope, headers: Mapping[str, str], send: Send
) -> None:
    wants_page = "text/html" in headers.get("accept", "") and not scope["path"].startswith("/api/")
    more: Any = [(name.lower().encode(), value.encode()) for name, value in refusal.headers.items()]
    if refusal.status == 401 and wants_page and scope["method"] in SAFE:
        start = [*more, (b"location", b"/signin"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 303, "headers": start})
        await send({"type": "http.response.body", "body": b""})
        return
    body = json.dumps(document(refusal.status, refusal.kind, refusal.detail, scope["path"]))
    kind = (b"content-type", MEDIA_TYPE.encode())
    length = (b"content-length", str(len(body.encode())).encode())
    await send(
        {"type": "http.response.start", "status": refusal.status, "headers": [*more, kind, length]}
    )
    await send({"type": "http.response.body", "body": body.encode()})
