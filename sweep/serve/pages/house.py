"""Pages of the service itself: jobs, ledger and audit, spaces, devices, tokens."""

import difflib
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from sweep import words
from sweep.errors import SweepError
from sweep.serve.access import tokens
from sweep.serve.api import paging
from sweep.serve.api.house import devices_out
from sweep.serve.api.models import JobOut
from sweep.serve.api.sweeps import tail
from sweep.serve.api.who import Admins, Reads
from sweep.serve.pages.render import page
from sweep.serve.queue import audit, jobs
from sweep.serve.queue.job import JobKind, JobState
from sweep.serve.service import Service
from sweep.serve.work.forecast import forecast
from sweep.store import Reader
from sweep.sweep_folder import SweepFolder, sweep_folders

router = APIRouter(include_in_schema=False)
_LOG_BYTES = 32_768
_LINES = 200


@router.get("/jobs/{job}")
def job_page(who: Reads, job: paging.Number, request: Request) -> Response:
    """What was asked for, how far it is, what it printed."""
    heard = audit.last_entry(who.service.database)
    found = jobs.get(who.service.database, job)
    place = forecast(who.service).get(job)
    out = JobOut.of(found) if place is None else JobOut.of(found, place.position, place.starts_at)
    log = tail(who.service.folder.log(job), _LOG_BYTES).splitlines()[-_LINES:]
    context: dict[str, Any] = {
        "job": out,
        "is_over": found.is_over,
        "wanted": found.wanted,
        "has_sweep": SweepFolder(who.service.options.results, found.sweep).exists,
        "has_model": found.kind is JobKind.EXPORT and found.state is JobState.FINISHED,
        "log": "\n".join(map(words.plain, log)),
        "place": f"{heard}..0",
        "parts": ("job",),
    }
    return page(who, request, "job", **context)


@router.get("/ledger")
def ledger_page(
    who: Reads, request: Request, before: Annotated[int | None, Query(ge=0, le=10**15)] = None
) -> Response:
    """Openings of the sealed test rows, and who did what."""
    entries = audit.entries(who.service.database, _LINES, before)
    older = entries[-1].entry if len(entries) == _LINES else None
    context: dict[str, Any] = {
        "openings": _openings(who.service),
        "entries": entries,
        "older": older,
    }
    return page(who, request, "ledger", **context)


def _openings(service: Service) -> list[tuple[str, list[str]]]:
    """Return the ledger of each sweep whose test rows were opened, in words."""
    from sweep.analysis.report.openings import lines

    found = []
    for folder in sweep_folders(service.options.results)[::-1]:
        try:
            with Reader(folder.database) as reader:
                openings = reader.openings()
                if openings:
                    found.append((folder.name, lines(openings, reader.sweep().score_words)))
        except SweepError:
            continue  # the overview says that it is damaged
    return found


@router.get("/spaces")
def spaces_page(who: Reads, request: Request) -> Response:
    """The search spaces that jobs may name."""
    return page(
        who, request, "spaces", spaces=who.service.shelf.all(), uploads=who.service.options.uploads
    )


@router.get("/spaces/{sha256}")
def space_page(who: Reads, sha256: str, request: Request) -> Response:
    """The text of a space, and its difference from an approved one of its name."""
    found = who.service.shelf.of_hash(sha256)
    texts = found.texts()
    other = next(
        (
            one
            for one in who.service.shelf.all()
            if one.name == found.name and one.is_approved and one.sha256 != sha256
        ),
        None,
    )
    difference = "" if other is None else _difference(other.texts(), texts)
    files = {name: _shown(text) for name, text in texts.items()}
    context: dict[str, Any] = {
        "space": found,
        "files": files,
        "other": other,
        "difference": _shown(difference),
    }
    return page(who, request, "space", **context)


def _difference(before: dict[str, str], after: dict[str, str]) -> str:
    found: list[str] = []
    for name in sorted({*before, *after}):
        old, new = (texts.get(name, "").splitlines() for texts in (before, after))
        found += difflib.unified_diff(old, new, f"approved/{name}", f"this/{name}", lineterm="")
    return "\n".join(found)


def _shown(text: str) -> str:
    """Return code so that what is read is what is there: no character hides or reverses another."""
    return "\n".join(words.plain(line.replace("\t", "    ")) for line in text.split("\n"))


@router.get("/devices")
def devices_page(who: Reads, request: Request) -> Response:
    """Who is on which device."""
    at_work = {job.job: job for job in jobs.at_work(who.service.database)}
    return page(who, request, "devices", devices=devices_out(who.service), jobs=at_work)


@router.get("/tokens")
def tokens_page(who: Admins, request: Request) -> Response:
    """All tokens, without their secrets."""
    known = tokens.tokens(who.service.database)
    scopes = list(tokens.TokenScope)
    return page(who, request, "tokens", tokens=known, secret=None, scopes=scopes)
