"""The ledger of the sealed test rows, in words and for programs."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sweep import words
from sweep.records import Estimate, Json
from sweep.store import Opening

_METRICS = {"bce": "BCE", "accuracy": "accuracy", "auc": "AUC"}
_RULES = {"best": "the best", "simplest": "the simplest of the best"}


def lines(openings: Sequence[Opening]) -> list[str]:
    """Return how often the test rows were opened and what was found; [] if never."""
    if not openings:
        return []
    times = "once" if len(openings) == 1 else f"{len(openings)} times"
    advice = "" if len(openings) == 1 else "; only the first result is unbiased"
    return [f"test rows opened {times}{advice}.", *(_line(opening) for opening in openings)]


def _line(opening: Opening) -> str:
    chosen = _RULES.get(opening.rule, "chosen by hand")
    n_rows = words.counted(opening.rows, "row")
    start = f"test {opening.opening}: trial {opening.trial} ({chosen}) on {n_rows}"
    return f"{start}, {when(opening)}: {results(opening)}."


def when(opening: Opening) -> str:
    """Return the time of an opening: 2026-11-23 09:30 UTC."""
    return datetime.fromtimestamp(opening.opened_at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def results(opening: Opening) -> str:
    """Return the results of an opening: BCE 0.5432 (0.5301 to 0.5563), accuracy …, AUC …."""
    parts = [
        f"{name} {_interval(getattr(opening, metric))}"
        for metric, name in _METRICS.items()
        if getattr(opening, metric) is not None
    ]
    if not parts:
        return "opened, but the evaluation was not completed"
    return f"{', '.join(parts)}; validation BCE was {words.bce(opening.val_bce)}"


def rows(opening: Opening) -> list[tuple[str, str, str]]:
    """Return metric, value and 95 % confidence interval of an opening that was evaluated."""
    return [
        (f"test {name}", words.bce(estimate.value), _ends(estimate))
        for metric, name in _METRICS.items()
        if (estimate := getattr(opening, metric)) is not None
    ]


def _interval(estimate: Estimate) -> str:
    return f"{words.bce(estimate.value)} ({_ends(estimate)})"


def _ends(estimate: Estimate) -> str:
    return f"{words.bce(estimate.low)} to {words.bce(estimate.high)}"


def to_json(openings: Sequence[Opening]) -> list[Json]:
    """Return a JSON object per opening; None for the results of one that was cut short."""
    return [_object(opening) for opening in openings]


def _object(opening: Opening) -> Json:
    found: dict[str, Any] = {
        "opening": opening.opening,
        "opened_at": opening.opened_at,
        "trial": opening.trial,
        "rule": opening.rule,
        "val_bce": opening.val_bce,
        "rows": opening.rows,
        "sha256": opening.sha256,
    }
    for metric in _METRICS:
        estimate = getattr(opening, metric)
        found[metric] = estimate and {
            "value": estimate.value,
            "low": estimate.low,
            "high": estimate.high,
        }
    return found
