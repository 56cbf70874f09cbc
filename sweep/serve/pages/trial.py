"""Pages of single trials, of two compared, of several sweeps on one frontier, and of the report."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from sweep import words
from sweep.analysis.page.sections import Table
from sweep.errors import UsageError
from sweep.serve.api import paging
from sweep.serve.api.who import Reads
from sweep.serve.pages.curves import curves, frontier
from sweep.serve.pages.render import page
from sweep.serve.queue import notes
from sweep.store import Store

router = APIRouter(include_in_schema=False)
_MOST_SWEEPS = 8
_SANDBOX = "sandbox allow-scripts allow-popups; frame-ancestors 'none'"


@router.get("/sweeps/{name}/trials/{trial}")
def trial_page(who: Reads, name: str, trial: paging.Number, request: Request) -> Response:
    """Everything about one trial."""
    from sweep.analysis.answers import one_trial
    from sweep.analysis.frames.names import shown_name
    from sweep.analysis.report.trial_results import results_of

    folder = who.service.sweep(name)
    frames = who.service.looks.frames(folder)
    with Store(folder.database, read_only=True) as store:
        found = one_trial.details(store, frames, trial)
        drawn = curves(name, store, [trial], frames.score_words)
    values = found.row["hyperparameters"]
    settings = [
        (words.cut(shown_name(one)), words.settings([values[one]])[0])
        for one in found.names
        if one in values
    ]
    context: dict[str, Any] = {
        "name": name, "trial": trial, "settings": settings,
        "results": results_of(found.row, frames.score_words),
        "kind": found.row["class"], "why": one_trial.reason(found),
        "curves": drawn, "rungs": _rungs(found.rungs, frames.score_words.score),
        "errors": [(one["rung"], one["error"], one["traceback"]) for one in found.rungs
                   if one["error"]],
        "note": notes.get(who.service.database, name, trial),
    }  # fmt: skip
    return page(who, request, "trial", **context)


def _rungs(rungs: list[dict[str, Any]], score: Any) -> Table:
    rows = [
        (
            str(one["rung"]), f"{one['first_epoch'] + 1}–{one['last_epoch']}", str(one["epochs"]),
            str(one["status"]), words.MISSING if one["score"] is None else score(one["score"]),
            one["trainer"] or words.MISSING,
            words.MISSING if one["seconds"] is None else words.seconds(one["seconds"]),
        )
        for one in rungs
    ]  # fmt: skip
    return Table(("rung", "epochs", "trained", "status", "score", "trainer", "seconds"), rows)


@router.get("/sweeps/{name}/compare")
def compare_page(
    who: Reads,
    name: str,
    request: Request,
    a: Annotated[str, Query(max_length=40)] = "",
    b: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Two trials side by side: the paired difference, what sets them apart."""
    from sweep.analysis.answers import two_trials
    from sweep.analysis.frames.names import shown_name
    from sweep.analysis.report.trial_results import results_of
    from sweep.analysis.stored import trial_called

    folder = who.service.sweep(name)
    frames = who.service.looks.frames(folder)
    if not (a and b):
        raise UsageError("name two trials: numbers, or baselines by their names")
    with Store(folder.database, read_only=True) as reader:
        one, other = (trial_called(reader, text) for text in (a, b))
        found = two_trials.compare(frames, reader.losses(), one, other)
        drawn = curves(name, reader, [one, other], frames.score_words)
    shown = frames.score_words
    rows = [
        (label, text, against, "")
        for (label, text), (_, against) in zip(
            results_of(found.a, shown), results_of(found.b, shown), strict=True
        )
    ]
    for key in found.names:
        pair = words.settings(
            [found.a["hyperparameters"].get(key), found.b["hyperparameters"].get(key)]
        )
        mark = "≠" if key in found.differing else ""
        rows.append((words.cut(shown_name(key)), pair[0], pair[1], mark))
    labels = (f"{mark}: {two_trials.label(of)}" for mark, of in (("A", found.a), ("B", found.b)))
    names = ("what", *labels, "differs")
    sentences = list(two_trials.meaning(found))
    if found.difference is not None:
        gone = found.difference
        ends = shown.interval_of_difference(gone.low, gone.high, gone.se)
        value = shown.signed(gone.value, gone.se)
        sentences.append(f"A − B in {shown.val}: {value}, 95 % interval over the rows {ends}.")
    table = Table(names, rows, is_text=True)
    context: dict[str, Any] = {
        "name": name, "sentences": sentences, "table": table, "curves": drawn,
    }  # fmt: skip
    return page(who, request, "compare", **context)


@router.get("/frontier")
def frontier_page(
    who: Reads, request: Request, sweep: Annotated[list[str] | None, Query()] = None
) -> Response:
    """Several sweeps on one frontier."""
    names = list(dict.fromkeys(sweep or []))
    if not names or len(names) > _MOST_SWEEPS:
        raise UsageError(f"mark 1 to {_MOST_SWEEPS} sweeps")
    frames = [who.service.looks.frames(who.service.sweep(name)) for name in names]
    kinds = {one.score_words.val for one in frames}
    if len(kinds) > 1:
        raise UsageError(f"these sweeps are ranked by different scores: {', '.join(sorted(kinds))}")
    from sweep.analysis.page.sections import frontier_table

    tables = [(one.sweep.name, frontier_table(one)) for one in frames]
    return page(who, request, "frontier", names=names, frontier=frontier(frames), tables=tables)


@router.get("/sweeps/{name}/report")
def report_page(who: Reads, name: str) -> Response:
    """The one-file page of `sweep report --html`, which may not speak to this service."""
    from sweep.analysis.page.write import page as report

    html = report(who.service.looks.frames(who.service.sweep(name)))
    return HTMLResponse(html, headers={"Content-Security-Policy": _SANDBOX})
