"""Routes of sweeps: the list, one of them, its report, its log, its notes, its removal."""

import json
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from sweep.errors import PlatformError
from sweep.runner import stop as stopping
from sweep.serve.api import paging
from sweep.serve.api.models import (
    BestOut,
    LogOut,
    NoteOut,
    Page,
    ProgressOut,
    SweepOut,
    Tags,
    instant,
)  # fmt: skip
from sweep.serve.api.who import Admins, Reads, Runs
from sweep.serve.queue import jobs, notes
from sweep.serve.service import Service
from sweep.serve.work.asked import RequestPart
from sweep.serve.work.looks import Seen

router = APIRouter(tags=["sweeps"])
_LOG_BYTES = 65_536
OfTrial = Annotated[int | None, Query(ge=0, le=10**9)]


def sweeps_out(service: Service, seen: Iterable[Seen]) -> list[SweepOut]:
    """Return sweeps as they are answered."""
    latest, tags = jobs.latest_of_sweeps(service.database), notes.tags_of_sweeps(service.database)
    return [_out(one, latest.get(one.folder.name), tags.get(one.folder.name, [])) for one in seen]


def _out(seen: Seen, job: int | None, tags: list[str]) -> SweepOut:
    found = seen.look
    common: dict[str, Any] = {
        "name": seen.folder.name,
        "state": seen.state,
        "event": seen.event,
        "tags": tags,
        "job": job,
    }
    if found is None:
        nothing = dict.fromkeys(set(SweepOut.model_fields) - set(common))
        return SweepOut(**common | nothing | {"message": seen.error})
    sweep, done, left = found.sweep, found.progress, found.time_left
    return SweepOut(
        **common,
        identity=sweep.identity,
        space=sweep.space.name,
        data=sweep.data.source,
        seed=sweep.settings.seed,
        process=found.holder,
        message=sweep.message,
        created_at=instant(sweep.created_at),
        active_seconds=sweep.active_seconds,
        seconds_left=None if left is None else max(left.seconds, 0.0),
        progress=ProgressOut(
            assignments=done.assignments_done,
            assignments_planned=sweep.plan.all_assignments,
            epochs=done.epochs_done,
            epochs_planned=found.epochs_planned,
            trials=done.trials,
            trials_failed=done.trials_failed,
            confirmations=done.confirmations,
            confirmations_done=done.confirmations_done,
        ),
        best=None
        if done.best_trial is None
        else BestOut(trial=done.best_trial, score=done.best_score, score_se=seen.best_se),
    )


@router.get("/sweeps")
def list_sweeps(
    who: Reads,
    request: Request,
    response: Response,
    state: Annotated[str | None, Query(max_length=20)] = None,
    page_size: paging.PageSize = 100,
    page_token: paging.PageToken = None,
) -> Page[SweepOut]:
    """All sweeps of the results folder, the newest first."""
    first = paging.number_of(page_token, 0)
    seen = who.service.looks.all(who.service.options.results)
    chosen = [one for one in seen if state is None or one.state == state]
    end = first + page_size
    token = paging.cursor(end if end < len(chosen) else None)
    paging.link_next(request, response, token)
    items = sweeps_out(who.service, chosen[first:end])
    return Page(items=items, next_page_token=token)


@router.get("/sweeps/{name}", response_model=SweepOut)
def get_sweep(who: Reads, name: str, request: Request, response: Response) -> Any:
    """One sweep, as `sweep status` shows it; its ETag changes with each commit."""
    seen = who.service.looks.look(who.service.sweep(name))
    response.headers["ETag"] = seen.etag
    if paging.is_known(request, seen.etag):
        return Response(status_code=304, headers={"ETag": seen.etag})
    return sweeps_out(who.service, [seen])[0]


@router.delete("/sweeps/{name}", status_code=204)
def remove_sweep(who: Admins, name: str, request: Request) -> Response:
    """Remove a sweep's folder, as `sweep rm` does. Needs If-Match."""
    folder = who.service.sweep(name)
    paging.check_version(request, who.service.looks.look(folder).etag, needed=True)
    if folder.path.is_symlink():
        raise PlatformError(f"{folder.name} is a link; remove the link and its target by hand")
    who.note("remove", f"sweep {name}")
    with folder.locked():
        try:
            shutil.rmtree(folder.path)
        except OSError as error:
            raise PlatformError(
                f"cannot remove {folder.name} ({error.strerror}); remove its folder by hand"
            ) from error
    return Response(status_code=204)


@router.post("/sweeps/{name}/stop", status_code=202)
def stop_sweep(who: Runs, name: str) -> dict[str, str]:
    """Ask the process at work on a sweep to stop, also one that was started in a terminal."""
    folder = who.service.sweep(name)
    who.note("stop", f"sweep {name}")
    return {"state": "stopping" if stopping.request(folder) else "not running"}


@router.get(
    "/sweeps/{name}/report",
    response_class=Response,
    responses={
        200: {
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "text/html": {"schema": {"type": "string"}},
                "text/csv": {"schema": {"type": "string"}},
                "text/markdown": {"schema": {"type": "string"}},
            }
        }
    },
)
def get_report(
    who: Reads,
    name: str,
    request: Request,
    top: Annotated[int | None, Query(ge=1, le=10**6)] = None,
) -> Response:
    """The report: as `sweep report -o json` prints it, or as page, CSV or Markdown by `Accept`."""
    from sweep.analysis.report.text_files import to_csv, to_markdown
    from sweep.analysis.report.trials_json import to_json

    folder = who.service.sweep(name)
    etag = who.service.looks.look(folder).etag
    kind = _form(request.headers.get("accept", ""))
    headers = {"ETag": etag, "Vary": "Accept"}
    if paging.is_known(request, etag):
        return Response(status_code=304, headers=headers)
    frames = who.service.looks.frames(folder)
    if kind == "text/html":
        from sweep.analysis.page.write import page

        headers["Content-Security-Policy"] = "sandbox allow-scripts; frame-ancestors 'none'"
        return Response(page(frames), media_type=kind, headers=headers)
    write = {"application/json": to_json, "text/csv": to_csv, "text/markdown": to_markdown}[kind]
    return Response(write(frames, top), media_type=kind, headers=headers)


def _form(accept: str) -> str:
    wanted = [part.split(";")[0].strip() for part in accept.split(",")]
    for kind in wanted:
        if kind in ("application/json", "text/html", "text/csv", "text/markdown"):
            return kind
    return "application/json"


@router.get("/sweeps/{name}/log")
def get_log(
    who: Reads, name: str, bytes: Annotated[int, Query(ge=1, le=1_000_000)] = _LOG_BYTES
) -> LogOut:
    """The end of what the sweep's latest job printed."""
    who.service.sweep(name)
    job = jobs.latest_of_sweep(who.service.database, name)
    if job is None:
        return LogOut(job=None, text="")
    return LogOut(job=job.job, text=tail(who.service.folder.log(job.job), bytes))


def tail(path: Path, n_bytes: int) -> str:
    """Return the end of a file; nothing if there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - n_bytes))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


class NoteAsked(RequestPart):
    """What people write about a sweep or a trial."""

    text: Annotated[str, Field(max_length=10_000)] = ""
    tags: Tags = Field(default_factory=list)


@router.get("/sweeps/{name}/note")
def get_note(who: Reads, name: str, trial: OfTrial = None) -> NoteOut:
    """What was written about a sweep, or about one of its trials."""
    who.service.sweep(name)
    found = notes.get(who.service.database, name, trial)
    if found is None:
        return NoteOut(text="", tags=[], at=None, who=None)
    return NoteOut(text=found.text, tags=found.tags, at=instant(found.at), who=found.who)


@router.put("/sweeps/{name}/note")
def set_note(
    who: Runs,
    name: str,
    asked: NoteAsked,
    trial: OfTrial = None,
) -> NoteOut:
    """Write about a sweep, or about one of its trials, in place of what was there."""
    who.service.sweep(name)
    subject = f"sweep {name}" if trial is None else f"trial {trial} of sweep {name}"
    notes.put(who.service.database, name, trial, asked.text, asked.tags, who.token.name)
    who.note("note", subject)
    now = instant(time.time())
    return NoteOut(text=asked.text, tags=asked.tags, at=now, who=who.token.name)


def trials_of(service: Service, name: str) -> list[dict[str, Any]]:
    """Return a sweep's trials, the best first, under the names of `-o json`."""
    from sweep.analysis.report.trials_json import to_json

    frames = service.looks.frames(service.sweep(name))
    found: list[dict[str, Any]] = json.loads(to_json(frames))["trials"]
    return found
