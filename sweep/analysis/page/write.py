"""Puts the page together and writes it, whole or not at all."""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from bokeh.resources import Resources
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sweep import words
from sweep.analysis.answers.verdict import Verdict, verdict
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.trial_status import TrialStatus
from sweep.analysis.page import plots, sections
from sweep.analysis.page.pictures import Pictures, pictures
from sweep.analysis.report import openings, other_seeds, table, verdict_words
from sweep.analysis.report.header import header
from sweep.disk import whole
from sweep.errors import PlatformError

MOST_BYTES = 3_000_000
ROWS = plots.POINTS
"""Trials in the table; those that the chart has, so that filters act on both."""
_SPARE = 20_000
"""Bytes kept for what stands around the pictures."""


def write(frames: SweepFrames, path: Path) -> None:
    """Write the page as one file. Raises PlatformError if it cannot be written."""
    content = page(frames)
    try:
        with whole(path) as new:
            new.write_text(content, encoding="utf-8")
    except OSError as error:
        raise PlatformError(f"cannot write {path}: {error.strerror}") from error


def page(frames: SweepFrames) -> str:
    """Return the page's HTML, at most `MOST_BYTES` long."""
    context = _context(frames)
    # the pictures take what room is left
    bare = len(_rendered(context | {"pictures": Pictures([], [], 0)}).encode())
    return _rendered(context | {"pictures": pictures(frames, MOST_BYTES - bare - _SPARE)})


def _rendered(context: dict[str, Any]) -> str:
    environment = Environment(
        loader=PackageLoader("sweep.analysis.page", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Bokeh's models refer to those before them: the order counts
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False, "allow_nan": False}
    return environment.get_template("page.html.j2").render(context)


def _context(frames: SweepFrames) -> dict[str, Any]:
    found = verdict(frames)
    frontier, curves = plots.frontier_plot(frames), plots.curves_plot(frames)
    scripts = [_asset("page.js")]
    if frontier is not None:
        scripts.insert(0, _bokeh())
    return {
        "title": words.plain(frames.sweep.name),
        "header": header(frames)[1:],
        "verdict": verdict_words.lines(found),
        "figures": _figures(found),
        "columns": table.columns(frames, ROWS),
        "trials": frames.trials["trial"].head(ROWS).tolist(),
        "n_trials": len(frames.trials),
        "n_points": plots.POINTS,
        "notes": table.notes(frames, ROWS),
        "tutorial": verdict_words.conclusions(found),
        "references": sections.references(frames),
        "no_skill": frames.no_skill.name if frames.no_skill.is_known else None,
        "shown": frames.score_words,
        "frontier": sections.frontier_table(frames),
        "by_capacity": sections.by_capacity(frames),
        "by_regularisation": sections.by_regularisation(frames),
        "reliability": _reliability(frames, found),
        "confirmed": sections.of_columns(other_seeds.columns(frames)),
        "confirmed_title": other_seeds.TITLE,
        "confirmed_notes": other_seeds.notes(frames),
        "rungs": sections.rungs(frames) if frames.sweep.settings.has_rungs else None,
        "n_rungs_hidden": max(len(frames.sweep.plan.rungs) - sections.RUNGS_SHOWN, 0),
        "cost": sections.cost(frames),
        "active": words.seconds(frames.sweep.active_seconds),
        "failures": sections.failures(frames),
        "n_failed": int((frames.trials["status"] == TrialStatus.FAILED).sum()),
        "provenance": sections.provenance(frames),
        "commands": sections.again(frames),
        "marks": plots.marks(frames),
        "plots": {"frontier": frontier, "curves": curves},
        "curves": plots.curves(frames),
        "css": Markup(_asset("page.css")),
        "counted": words.counted,
        "scripts": [Markup(script) for script in scripts],
        "policy": _policy(scripts),
    }


def _figures(found: Verdict) -> list[tuple[str, str]]:
    """Number and caption of the cards at the top."""
    cards = []
    if found.best is not None:
        shown = found.shown
        title = shown.with_unit(f"best {shown.validation}")
        cards.append((verdict_words.score(found.best, shown), title))
        cards.append((words.count(found.best.params), "parameters of the best trial"))
    if found.tied is not None:
        cards.append((f"{found.tied:,} of {found.trials:,}", "trials may be the best"))
    if found.simplest is not None and found.simplest != found.best:
        cards.append((words.count(found.simplest.params), "parameters of the simplest of them"))
    seen = found.overfitting
    if seen.judged:
        cards.append((f"{seen.seen:,} of {seen.judged:,}", "long trials overfit"))
    return cards


def _reliability(frames: SweepFrames, found: Verdict) -> list[str]:
    """Ties, selection bias and the openings of the test rows: how far to trust the numbers."""
    if found.tied is None:
        ties = "The errors of the scores are unknown, so it is unknown which trials are tied."
    elif found.tied == 1:
        ties = f"No other trial of {found.trials:,} is tied with the best (95 % confidence)."
    else:
        ties = (
            f"{found.tied:,} of {words.trials(found.trials)} with a score are in the 95 % model "
            "confidence set: rows and seeds cannot tell them apart."
        )
    bias = "The selection bias of the best score is unknown."
    if known := verdict_words.selection_bias(found):
        bias = f"{known} (Bootstrap over the validation rows; the true bias may be larger.)"
    opened = openings.lines(frames.openings, found.shown) or [
        "The test rows are still sealed: no trial has seen them."
    ]
    return [ties, bias, *opened]


@cache
def _asset(name: str) -> str:
    return files("sweep.analysis.page").joinpath(name).read_text(encoding="utf-8")


@cache
def _bokeh() -> str:
    """Bokeh's core, from the installed package: no widgets, no tables, no WebGL, no MathJax."""
    resources = Resources(mode="inline", components=["bokeh"], log_level=None)
    return "\n".join(resources.js_raw)


def _policy(scripts: list[str]) -> str:
    """Nothing may be fetched or run, but for the page's own scripts, named by their hashes."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
