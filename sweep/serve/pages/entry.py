"""What a browser asks for before it is signed in: the sign-in page, the static files."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from sweep.errors import NotFoundError
from sweep.serve.access import guard, sessions
from sweep.serve.api.who import Reads, service_of
from sweep.serve.pages.render import ASSETS, asset, environment, shared_context

router = APIRouter(include_in_schema=False)
_YEAR = "public, max-age=31536000, immutable"


@router.get("/signin")
def sign_in_page(request: Request) -> Response:
    """Answer with the page where a browser shows its token."""
    context = shared_context(request.scope.get("sweep.token"), request)
    context["wrong"] = "wrong" in request.query_params
    html = environment().get_template("signin.html.j2").render(**context)
    return HTMLResponse(html)


@router.post("/signout")
def sign_out_page(who: Reads, request: Request) -> Response:
    """End the session, and show the sign-in page."""
    cookie = guard.session_cookie(request.headers.get("cookie", ""))
    if cookie is not None:
        sessions.sign_out(service_of(request).database, cookie)
    response = RedirectResponse("/signin", status_code=303)
    for secure in (True, False):
        response.delete_cookie(guard.cookie_name(secure), secure=secure, httponly=True)
    return response


@router.get("/static/{file}")
def static(file: str) -> Response:
    """A file of the pages, for ever: its address changes with its content."""
    if file not in ASSETS:
        raise NotFoundError(f"there is no file {file[:40]!r}")
    return Response(asset(file), media_type=ASSETS[file], headers={"Cache-Control": _YEAR})
