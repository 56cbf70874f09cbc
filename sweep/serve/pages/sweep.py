"""The page of a sweep: how far it is, ladder, frontier, curves, verdict, trials, failures, log."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from sweep import words
from sweep.records import SweepState
from sweep.serve.api.sweeps import sweeps_out, tail
from sweep.serve.api.who import Reads, Who
from sweep.serve.pages.curves import curves, frontier, shown_trials
from sweep.serve.pages.ladder import ladder, steps
from sweep.serve.pages.render import page
from sweep.serve.pages.shown import best_of
from sweep.serve.queue import audit, jobs, notes
from sweep.serve.work.looks import Seen, plain_identity
from sweep.store import Reader
from sweep.store.workers import workers

router = APIRouter(include_in_schema=False)
_ROWS = 100
_LOG_BYTES = 16_384
_RANGES = ("val_score", "train_score", "gap", "params", "epochs")
"""Columns by whose range trials may be filtered."""
PARTS = ("state", "ladder", "frontier", "curves", "verdict", "trials", "workers", "failures", "log")


@router.get("/sweeps/{name}")
def sweep_page(who: Reads, name: str, request: Request) -> Response:
    """All about one sweep."""
    heard = audit.last_entry(who.service.database)
    seen = who.service.looks.look(who.service.sweep(name))
    part = request.query_params.get("part")
    wanted = (part,) if part in PARTS else PARTS
    context: dict[str, Any] = {"name": name, "parts": PARTS, "seen": seen}
    if seen.look is None:
        return page(who, request, "damaged", 500, **context)
    for one in wanted:
        context |= _CONTEXTS[one](who, seen, request.query_params)
    identity = plain_identity(seen.look.sweep.identity)
    context["place"] = f"{heard}.{identity}.{seen.event}"
    context["note"] = notes.get(who.service.database, name)
    return page(who, request, "sweep", **context)


def _state(who: Who, seen: Seen, query: Mapping[str, str]) -> dict[str, Any]:
    """Facts, progress, and which buttons make sense."""
    found = seen.look
    if found is None:
        return {}
    job = jobs.open_of_sweep(who.service.database, seen.folder.name)
    over = found.state in (SweepState.FINISHED, SweepState.BUDGET, SweepState.FAILED)
    unconfirmed = found.progress.confirmations > found.progress.confirmations_done
    idle = found.holder is None and job is None
    sweep, left = found.sweep, found.time_left
    facts = [
        ("space", f"{sweep.space.name}, seed {sweep.settings.seed}"),
        ("data", sweep.data.source),
        ("best", best_of(seen)),
        ("worked", words.duration(sweep.active_seconds)),
        ("left", "" if left is None else f"about {words.duration(max(left.seconds, 0))}"),
        ("process", found.holder or ""),
    ]
    return {
        "sweep": sweeps_out(who.service, [seen])[0],
        "told": [(label, words.cut(line)) for label, line in facts if line],
        "job": job,
        "can": {
            "stop": found.holder is not None,
            "resume": idle and (found.state is not SweepState.FINISHED or unconfirmed),
            "extend": idle and found.state is SweepState.FINISHED,
            "confirm": idle and over,
            "export": idle and found.progress.best_trial is not None,
        },
    }


def _ladder(who: Who, seen: Seen, query: Mapping[str, str]) -> dict[str, Any]:
    with Reader(seen.folder.database) as reader:
        sweep = reader.sweep()
        if not sweep.settings.has_rungs:
            return {"ladder": None, "has_rungs": False}
        drawn = ladder(seen.folder.name, steps(reader), sweep.score_words)
        return {"ladder": drawn, "has_rungs": True}


def _frontier(who: Who, seen: Seen, query: Mapping[str, str]) -> dict[str, Any]:
    from sweep.analysis.page.sections import frontier_table

    frames = who.service.looks.frames(seen.folder)
    return {"frontier": frontier([frames]), "frontier_table": frontier_table(frames)}


def _curves(who: Who, seen: Seen, query: Mapping[str, str]) -> dict[str, Any]:
    with Reader(seen.folder.database) as reader:
        trials = shown_trials(reader)
        drawn = curves(seen.folder.name, reader, trials, reader.sweep().score_words)
    return {"curves": drawn, "curve_trials": trials}


def _verdict(who: Who, seen: Seen, query: Mapping[str, str]) -> dict[str, Any]:
    from sweep.analysis.answers.verdict import verdict
    from sweep.analysis.report.verdict_words import lines

    return {"verdict": lines(verdict(who.service.looks.frames(seen.folder)))}


def _trials(who: Who, seen: Seen, query: Mapping[str, str]) -> dict[str, Any]:
    """The best trials, or those that a filter by range lets through."""
    from sweep.analysis.report import table

    frames = who.service.looks.frames(seen.folder)
    asked = {name: query.get(name, "")[:40] for name in ("column", "low", "high")}
    chosen = frames.trials.index
    numeric = list(_RANGES)
    if asked["column"] in numeric:
        values = frames.trials[asked["column"]].astype("float64")
        for bound, keeps in (("low", values.ge), ("high", values.le)):
            try:
                chosen = chosen.intersection(frames.trials.index[keeps(float(asked[bound]))])
            except ValueError:
                continue
    cells = table.columns(frames)
    rows = [
        (int(frames.trials["trial"].iloc[place]), [column.cells[place] for column in cells])
        for place in chosen[:_ROWS]
    ]
    return {
        "columns": cells, "rows": rows, "n_rows": len(chosen), "ranges": numeric, "range": asked,
        "trial_notes": notes.of_trials(who.service.database, seen.folder.name),
    }  # fmt: skip


def _workers(who: Who, seen: Seen, query: Mapping[str, str]) -> dict[str, Any]:
    """The workers of the sweep's pools, those at work first."""
    with Reader(seen.folder.database) as reader:
        found = workers(reader)
    return {"workers": sorted(found, key=lambda one: (one.left_at is not None, one.worker))}


def _failures(who: Who, seen: Seen, query: Mapping[str, str]) -> dict[str, Any]:
    """Failures, those of one error together."""
    from sweep.runner.limits import describe

    with Reader(seen.folder.database) as reader:
        found = reader.failures()
    grouped: dict[str, list[int]] = {}
    for trial, error, _ in found:
        grouped.setdefault(error or "no reason was recorded", []).append(trial)
    return {"failures": list(grouped.items()), "in_short": describe(found) if found else ""}


def _log(who: Who, seen: Seen, query: Mapping[str, str]) -> dict[str, Any]:
    job = jobs.latest_of_sweep(who.service.database, seen.folder.name)
    text = "" if job is None else tail(who.service.folder.log(job.job), _LOG_BYTES)
    lines = [words.plain(line) for line in text.splitlines()[-200:]]
    return {"log": "\n".join(lines), "log_job": job}


_CONTEXTS: dict[str, Callable[[Who, Seen, Mapping[str, str]], dict[str, Any]]] = {
    "state": _state, "ladder": _ladder, "frontier": _frontier, "curves": _curves,
    "verdict": _verdict, "trials": _trials, "workers": _workers, "failures": _failures, "log": _log,
}  # fmt: skip


@router.get("/sweeps/{name}/trials.csv")
def trials_csv(who: Reads, name: str) -> Response:
    """All trials, as `sweep report -o csv` writes them."""
    from sweep.analysis.report.text_files import to_csv

    frames = who.service.looks.frames(who.service.sweep(name))
    return Response(to_csv(frames), media_type="text/csv")
