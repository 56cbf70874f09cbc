"""Renders pages and parts of pages: whole without JavaScript, everything escaped."""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from sweep import words
from sweep.serve.access.tokens import Token, TokenScope
from sweep.serve.api.who import Who
from sweep.serve.pages.shown import ago, at, eta, size

ASSETS = {"pages.css": "text/css; charset=utf-8", "live.js": "text/javascript; charset=utf-8"}
NAVIGATION = (
    ("/", "Overview"),
    ("/new", "New"),
    ("/ledger", "Ledger"),
    ("/spaces", "Spaces"),
    ("/devices", "Devices"),
    ("/tokens", "Tokens"),
)
_FIRST = (
    "overview.html.j2", "base.html.j2", "macros.html.j2", "part_work.html.j2",
    "part_sweeps.html.j2",
)  # fmt: skip


@cache
def environment() -> Environment:
    """Return the templates, with the filters that they use."""
    found = Environment(
        loader=PackageLoader("sweep.serve.pages", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "plain": words.plain, "cut": words.cut, "count": words.count, "duration": words.duration,
        "ago": ago, "at": at, "eta": eta, "size": size,
    }  # fmt: skip
    found.globals["asset"] = asset_path
    return found


def compile_templates() -> None:
    """Compile all templates, those of the overview first, as it opens first."""
    names = sorted(environment().list_templates(), key=lambda name: name not in _FIRST)
    for name in names:
        environment().get_template(name)


@cache
def asset(name: str) -> bytes:
    """Return the content of a static file."""
    return files("sweep.serve.pages").joinpath(name).read_bytes()


@cache
def asset_path(name: str) -> str:
    """Return the address of a static file: another one whenever its content is another."""
    return f"/static/{name}?v={hashlib.sha256(asset(name)).hexdigest()[:12]}"


def page(
    who: Who, request: Request, template: str, status: int = 200, **context: Any
) -> HTMLResponse:
    """Return a page; of `?part=NAME` only that part, to be put in its place."""
    shared = shared_context(who.token, request)
    part = request.query_params.get("part")
    if part is not None and part in context.get("parts", ()):
        html = environment().get_template(f"part_{part}.html.j2").render(shared | context)
    else:
        html = environment().get_template(f"{template}.html.j2").render(shared | context)
    return HTMLResponse(html, status_code=status)


def shared_context(token: Token | None, request: Request) -> dict[str, Any]:
    """Return what every page needs: who looks, what they may, where they are."""
    scopes = token.scopes if token else frozenset[TokenScope]()
    return {
        "who": token.name if token else None,
        "may": {scope.value: scope in scopes for scope in TokenScope},
        "navigation": NAVIGATION,
        "here": request.url.path,
        "problem": None,
    }


def wants_page(request: Request) -> bool:
    """Return whether a person in a browser asks."""
    accepts = "text/html" in request.headers.get("accept", "")
    return accepts and not request.url.path.startswith("/api/")


def problem_page(request: Request, found: Mapping[str, Any]) -> Response:
    """Return a problem document as a page."""
    token = request.scope.get("sweep.token")
    context = shared_context(token, request) | {"found": found}
    html = environment().get_template("problem.html.j2").render(**context)
    return HTMLResponse(html, status_code=int(found["status"]))
