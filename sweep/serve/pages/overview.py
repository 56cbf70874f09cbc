"""The overview: what runs where, what waits, which sweeps there are."""

import csv
import io
import shutil
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from sweep import words
from sweep.records import SweepState
from sweep.serve.api.models import JobOut, SweepOut
from sweep.serve.api.sweeps import sweeps_out
from sweep.serve.api.who import Reads
from sweep.serve.pages.render import page
from sweep.serve.pages.shown import best_of
from sweep.serve.queue import audit, jobs
from sweep.serve.queue.job import JobState
from sweep.serve.service import Service
from sweep.serve.work.forecast import forecast, seconds_left
from sweep.serve.work.looks import Seen
from sweep.words import counted

router = APIRouter(include_in_schema=False)
_SHOWN = 200
_FAILED_SHOWN = 5
_STATES = (*(state.value for state in SweepState), "damaged")
_ASKED = ("find", "state", "low", "high")


@router.get("/")
def overview(who: Reads, request: Request) -> Response:
    """The page that opens first."""
    heard = audit.last_entry(who.service.database)
    part = request.query_params.get("part")
    seen = _all_seen(who.service)
    asked = {name: request.query_params.get(name, "")[:80] for name in _ASKED}
    context: dict[str, Any] = {"parts": ("work", "sweeps"), "asked": asked, "states": _STATES}
    if part != "sweeps":
        context |= _work(who.service, seen)
    if part != "work":
        shown = _chosen(who.service, seen, asked)
        context["best"] = {one.folder.name: best_of(one) for one in seen}
        context |= {"sweeps": shown[:_SHOWN], "n_more": max(0, len(shown) - _SHOWN)}
    context["place"] = f"{heard}..0"
    context["query"] = urlencode({name: value for name, value in asked.items() if value})
    return page(who, request, "overview", **context)


@router.get("/sweeps.csv")
def sweeps_csv(who: Reads, request: Request) -> Response:
    """The sweeps that the overview shows, for a spreadsheet."""
    asked = {name: request.query_params.get(name, "")[:80] for name in _ASKED}
    rows = [
        (
            one.name, one.space, one.state, one.created_at,
            one.progress.assignments if one.progress else None,
            one.best.trial if one.best else None, one.best.score if one.best else None,
            one.best.score_se if one.best else None, " ".join(one.tags),
        )
        for one in _chosen(who.service, _all_seen(who.service), asked)
    ]  # fmt: skip
    out = io.StringIO()
    writer = csv.writer(out)
    columns = "name,space,state,created_at,assignments,best_trial,best_score,best_score_se,tags"
    writer.writerow(columns.split(","))
    writer.writerows([[_no_formula(cell) for cell in row] for row in rows])
    return Response(out.getvalue(), media_type="text/csv")


def _no_formula(cell: object) -> object:
    """Return a cell that no spreadsheet takes for a formula."""
    is_one = isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{cell}" if is_one else cell


def _all_seen(service: Service) -> list[Seen]:
    return service.looks.all(service.options.results)


def _chosen(service: Service, seen: list[Seen], asked: Mapping[str, str]) -> list[SweepOut]:
    """Return the sweeps that a filter lets through."""
    low, high = _number(asked["low"]), _number(asked["high"])
    found = []
    of_state = [one for one in seen if asked["state"] in ("", one.state)]
    for shown in sweeps_out(service, of_state):
        text = " ".join((shown.name, shown.space or "", *shown.tags)).lower()
        if asked["find"].lower() not in text:
            continue
        score = shown.best.score if shown.best else None
        if (low is not None or high is not None) and score is None:
            continue
        if score is not None and not _lies(score, low, high):
            continue
        found.append(shown)
    return found


def _lies(score: float, low: float | None, high: float | None) -> bool:
    return (low is None or score >= low) and (high is None or score <= high)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _work(service: Service, seen: list[Seen]) -> dict[str, Any]:
    """Return what is at work, what waits and what failed lately."""
    by_name = {one.folder.name: one for one in seen}
    at_work = jobs.at_work(service.database)
    working = [
        _working(job.place or "", by_name.get(job.sweep), job, seconds_left(service, job))
        for job in at_work
    ]
    named = {job.sweep for job in at_work}
    for one in seen:
        found = one.look
        if found is not None and found.holder is not None and one.folder.name not in named:
            left = found.time_left
            seconds = None if left is None else max(left.seconds, 0.0)
            working.append(_working(found.holder, one, None, seconds))
    places = forecast(service)
    queue = []
    for job in jobs.queued(service.database):
        place = places[job.job]
        queue.append(JobOut.of(job, place.position, place.starts_at))
    n_running = counted(len(working), "sweep") if working else "nothing"
    waiting = f"{counted(len(queue), 'job')} waiting" if queue else "nothing waits"
    return {
        "working": working,
        "queue": queue,
        "sentence": f"{n_running.capitalize()} at work, {waiting}.",
        "failed": jobs.newest(service.database, _FAILED_SHOWN, state=JobState.FAILED),
        "paused": service.is_paused,
        "free": shutil.disk_usage(service.options.results).free,
    }


def _working(place: str, seen: Seen | None, job: Any, left: float | None) -> dict[str, Any]:
    found = None if seen is None else seen.look
    best = words.MISSING if seen is None else best_of(seen)
    done = None if found is None else found.progress
    return {
        "place": place,
        "job": job,
        "name": None if found is None else found.sweep.name,
        "done": 0 if done is None else done.epochs_done,
        "planned": 0 if found is None else found.epochs_planned,
        "left": left,
        "best": best,
    }
