"""What the buttons of pages do: the same as the API does, and then back to a page."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from sweep.errors import InvalidSpaceError
from sweep.runner import stop as stopping
from sweep.serve.access import tokens
from sweep.serve.api import paging, spaces
from sweep.serve.api.jobs import JobChange
from sweep.serve.api.spaces import SpaceUpload
from sweep.serve.api.sweeps import NoteAsked, set_note
from sweep.serve.api.who import Admins, Codes, Runs
from sweep.serve.pages.forms import fields, job_of, read_as, typed, whole
from sweep.serve.pages.render import page
from sweep.serve.queue import jobs
from sweep.serve.work import asked as forms
from sweep.serve.work import control
from sweep.serve.work.ask import ask

router = APIRouter(include_in_schema=False)
_KINDS: dict[str, type[forms.JobAsked]] = {
    "resume": forms.ResumeAsked, "extend": forms.ExtendAsked, "confirm": forms.ConfirmAsked,
    "test": forms.TestAsked, "export": forms.ExportAsked,
}  # fmt: skip


def _to(path: str) -> Response:
    return RedirectResponse(path, status_code=303)


@router.post("/sweeps/{name}/work")
async def work_on(who: Runs, name: str, request: Request) -> Response:
    """Ask for a job on a sweep."""
    given = await fields(request)
    model = _KINDS.get(given.get("kind", ""))
    if model is None:
        raise InvalidSpaceError(f"kind is {given.get('kind', '')[:20]!r}: no such button")
    values = typed(model, given) | {"kind": given["kind"], "sweep": name}
    if "budget" in model.model_fields:
        values["budget"] = typed(forms.BudgetAsked, given, "budget-")
    asked = job_of(values)

    def carry_out() -> Response:
        job = ask(who.service, asked, who.token)
        who.note(job.kind, f"job {job.job}", f"sweep {job.sweep}")
        return _to(f"/jobs/{job.job}")

    return await run_in_threadpool(carry_out)


@router.post("/sweeps/{name}/stop")
def stop_sweep(who: Runs, name: str) -> Response:
    """Ask the process at work to stop; the job of a sweep is cancelled."""
    job = jobs.open_of_sweep(who.service.database, name)
    who.note("stop", f"sweep {name}")
    if job is not None:
        control.cancel(who.service, job.job)
    else:
        stopping.request(who.service.sweep(name))
    return _to(f"/sweeps/{name}")


@router.post("/sweeps/{name}/note")
async def write_note(who: Runs, name: str, request: Request) -> Response:
    """Keep what was written about a sweep or a trial."""
    given = await fields(request)
    tags = [tag.strip() for tag in given.get("tags", "").split(",") if tag.strip()]
    asked = read_as(NoteAsked, {"text": given.get("text", ""), "tags": tags})
    trial = whole(given, "trial", 10**9)

    def carry_out() -> Response:
        set_note(who, name, asked, trial)
        return _to(f"/sweeps/{name}" if trial is None else f"/sweeps/{name}/trials/{trial}")

    return await run_in_threadpool(carry_out)


@router.post("/jobs/{job}/cancel")
def cancel_job(who: Runs, job: paging.Number) -> Response:
    """Cancel a job."""
    control.cancel(who.service, job)
    who.note("cancel", f"job {job}")
    return _to(f"/jobs/{job}")


@router.post("/jobs/{job}/change")
async def change_job(who: Runs, job: paging.Number, request: Request) -> Response:
    """Hold a job, let it go, or change its priority."""
    given = await fields(request)
    values: dict[str, Any] = {"priority": whole(given, "priority", 100)}
    if "held" in given:
        values["held"] = given["held"] == "1"
    changes = read_as(JobChange, values).model_dump(exclude_none=True)

    def carry_out() -> Response:
        if not jobs.get(who.service.database, job).is_over and changes:
            jobs.change(who.service.database, job, **changes)
            told = ", ".join(f"{name} {value}" for name, value in changes.items())
            who.note("change", f"job {job}", told)
            who.service.wake.set()
        return _to(f"/jobs/{job}")

    return await run_in_threadpool(carry_out)


@router.post("/queue")
async def change_queue(who: Admins, request: Request) -> Response:
    """Drain the queue, or let it go on."""
    paused = (await fields(request)).get("paused") == "1"
    await run_in_threadpool(who.service.pause, paused)
    await run_in_threadpool(who.note, "pause" if paused else "go on", "queue")
    return _to("/")


@router.post("/spaces")
async def upload_space(who: Codes, request: Request) -> Response:
    """Keep the files of a search space, and show its text: nothing runs it before approval."""
    async with request.form(max_files=50, max_fields=10) as form:
        given = [one for one in form.getlist("files") if isinstance(one, UploadFile)]
        files = [(one.filename, await one.read()) for one in given if one.filename]
        name = str(form.get("name") or "").strip()
    if not files:
        raise InvalidSpaceError("choose the files of the search space first: NAME.py")
    try:
        texts = {str(file): content.decode() for file, content in files}
    except UnicodeDecodeError as error:
        raise InvalidSpaceError(f"a file of the space is no UTF-8 text ({error})") from error
    name = name or next(iter(texts)).removesuffix(".py")
    asked = read_as(SpaceUpload, {"name": name, "files": texts})

    def carry_out() -> Response:
        return _to(f"/spaces/{spaces.upload(who, asked).sha256}")

    return await run_in_threadpool(carry_out)


@router.post("/spaces/{sha256}/approval")
async def approve(who: Codes, sha256: str, request: Request) -> Response:
    """Allow a space to be run, or take that back."""
    approved = (await fields(request)).get("approved") == "1"

    def carry_out() -> Response:
        found = who.service.shelf.approve(sha256, who.token.name, approved=approved)
        who.note("approve" if approved else "disapprove", f"space {found.name}", sha256)
        who.service.wake.set()
        return _to(f"/spaces/{found.sha256}")

    return await run_in_threadpool(carry_out)


@router.post("/tokens")
async def add_token(who: Admins, request: Request) -> Response:
    """Make a token, and show it once."""
    form = await request.form()
    given = await fields(request)
    scopes = tokens.scopes_of(str(one) for one in form.getlist("scope"))
    days = forms_number(given.get("days"))

    def carry_out() -> Response:
        token, secret = tokens.add(who.service.database, given.get("name", ""), scopes, days)
        who.note("add token", token.name, " ".join(sorted(scopes)))
        known = tokens.tokens(who.service.database)
        return page(
            who, request, "tokens", tokens=known, secret=secret, scopes=list(tokens.TokenScope)
        )

    return await run_in_threadpool(carry_out)


def forms_number(text: str | None) -> float | None:
    """Return a number of days. Raises InvalidSpaceError."""
    if text is None:
        return None
    try:
        return float(text)
    except ValueError as error:
        raise InvalidSpaceError(f"days is {text[:20]!r}, expected a number") from error


@router.post("/tokens/{name}/remove")
def remove_token(who: Admins, name: str) -> Response:
    """Remove a token."""
    tokens.remove(who.service.database, name)
    who.note("remove token", name)
    return _to("/tokens")
