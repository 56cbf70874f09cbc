"""Routes of what is in a sweep: trials, their epochs, rungs, assignments, two trials compared."""

import json
import math
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from sweep.serve.api import paging
from sweep.serve.api.models import AssignmentOut, EpochOut, Page, RungOut, instant_or_none
from sweep.serve.api.sweeps import trials_of
from sweep.serve.api.who import Reads
from sweep.store import Store
from sweep.store.pages import assignments_after, epochs_of, rungs

if TYPE_CHECKING:
    from sweep.analysis.frames.load import SweepFrames

router = APIRouter(tags=["trials"])
_Trial = Annotated[int, Query(ge=0, le=10**9)]
Json = dict[str, Any]


@router.get("/sweeps/{name}/trials")
def list_trials(
    who: Reads,
    name: str,
    request: Request,
    response: Response,
    page_size: paging.PageSize = 100,
    page_token: paging.PageToken = None,
) -> Page[Json]:
    """Trials, the best first, as `sweep report -o json` has them."""
    trials = trials_of(who.service, name)
    first = paging.number_of(page_token, 0)
    end = first + page_size
    token = paging.cursor(end if end < len(trials) else None)
    paging.link_next(request, response, token)
    return Page(items=trials[first:end], next_page_token=token)


@router.get("/sweeps/{name}/trials/{trial}")
def get_trial(who: Reads, name: str, trial: paging.Number) -> Json:
    """Everything about one trial, as `sweep show -o json` prints it."""
    from sweep.analysis.answers import one_trial

    folder = who.service.sweep(name)
    frames = who.service.looks.frames(folder)
    with Store(folder.database, read_only=True) as store:
        return _printed(one_trial.details(store, frames, trial).to_json(), frames)


def _printed(found: Json, frames: "SweepFrames") -> Json:
    """Return an object as the commands print it with `-o json`."""
    from sweep.analysis.report.older_names import with_older_names
    from sweep.analysis.report.trials_json import json_line

    printed: Json = json.loads(json_line(with_older_names(found, frames.sweep.scoring)))
    return printed


@router.get("/sweeps/{name}/trials/{trial}/epochs")
def list_epochs(
    who: Reads,
    name: str,
    trial: paging.Number,
    request: Request,
    response: Response,
    after: Annotated[int, Query(ge=0, le=10**9)] = 0,
    page_size: paging.PageSize = 500,
) -> Page[EpochOut]:
    """A trial's epoch records behind epoch `after`, for curves that grow."""
    with Store(who.service.sweep(name).database, read_only=True) as store:
        rows = epochs_of(store, trial, after, page_size + 1)
    items = [EpochOut(epoch=row["epoch"], values=_numbers(row)) for row in rows[:page_size]]
    if len(rows) > page_size:
        last = items[-1].epoch
        response.headers["Link"] = (
            f'<{request.url.path}?after={last}&page_size={page_size}>; rel="next"'
        )
    return Page(items=items)


def _numbers(row: Json) -> dict[str, float | None]:
    return {
        name: finite(value)
        for name, value in row.items()
        if name not in ("trial", "epoch") and (value is None or isinstance(value, int | float))
    }


def finite(value: float | None) -> float | None:
    """Return a number that JSON has a name for, else None."""
    return value if value is not None and math.isfinite(value) else None


@router.get("/sweeps/{name}/rungs")
def list_rungs(who: Reads, name: str) -> Page[RungOut]:
    """The search's rungs: planned, assigned, ended, and the best score of each."""
    folder = who.service.sweep(name)
    with Store(folder.database, read_only=True) as store:
        plan, rows = store.sweep().plan, rungs(store)
    planned = {(one.iteration, one.bracket, one.rung): one for one in plan.rungs}
    found = {(row["iteration"], row["bracket"], row["rung"]): row for row in rows}
    items = []
    for key in sorted({*planned, *found}, key=lambda one: (one[0], -one[1], one[2])):
        row, one = found.get(key, {}), planned.get(key)
        ends = {
            name: row[name] if one is None else getattr(one, name)
            for name in ("first_epoch", "last_epoch")
        }
        items.append(
            RungOut(
                iteration=key[0], bracket=key[1], rung=key[2], **ends,
                planned=None if one is None else one.trials,
                assigned=row.get("assigned", 0), ended=row.get("ended", 0),
                failures=row.get("failures", 0), score=finite(row.get("score")),
            )
        )  # fmt: skip
    return Page(items=items)


@router.get("/sweeps/{name}/assignments")
def list_assignments(
    who: Reads,
    name: str,
    request: Request,
    response: Response,
    page_size: paging.PageSize = 200,
    page_token: paging.PageToken = None,
) -> Page[AssignmentOut]:
    """Assignments in their order: what was or is to be trained."""
    first = paging.number_of(page_token, 0)
    with Store(who.service.sweep(name).database, read_only=True) as store:
        rows = assignments_after(store, first, page_size + 1)
    items = [
        AssignmentOut(
            **row
            | {
                "status": str(row["status"]),
                "score": finite(row["score"]),
                "ended_at": instant_or_none(row["ended_at"]),
            }
        )
        for row in rows[:page_size]
    ]
    token = paging.cursor(items[-1].assignment if len(rows) > page_size else None)
    paging.link_next(request, response, token)
    return Page(items=items, next_page_token=token)


@router.get("/sweeps/{name}/compare")
def compare_trials(
    who: Reads, name: str, trials: Annotated[str, Query(pattern=r"^\d{1,9},\d{1,9}$")]
) -> Json:
    """Two trials side by side, as `sweep compare -o json` prints them: `?trials=3,28`."""
    from sweep.analysis.answers import two_trials

    folder = who.service.sweep(name)
    a, b = (int(part) for part in trials.split(","))
    with Store(folder.database, read_only=True) as store:
        frames, losses = who.service.looks.frames(folder), store.losses()
    return _printed(two_trials.compare(frames, losses, a, b).to_json(), frames)
