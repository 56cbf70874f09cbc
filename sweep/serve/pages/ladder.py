"""The rung ladder: a dot for every trial on each rung that it reached, and why it went on."""

import math
from dataclasses import dataclass

from markupsafe import Markup

from sweep import words
from sweep.serve.pages.svg import chart
from sweep.store import Reader
from sweep.tasks.score_words import ScoreWords

_MOST_DOTS = 1500
"""Dots in a ladder; of a larger search the best and the failed of each rung are drawn."""


@dataclass(frozen=True)
class LadderStep:
    """A trial on a rung."""

    trial: int
    bracket: int
    iteration: int
    rung: int
    last_epoch: int
    status: str
    score: float | None
    is_promoted: bool


@dataclass(frozen=True)
class DrawnLadder:
    """The drawn ladder, and what is not drawn."""

    svg: Markup
    n_left_out: int
    brackets: list[tuple[str, list[str]]]
    """Each bracket's name with its rungs in words, for those who do not see the chart."""


def steps(reader: Reader) -> list[LadderStep]:
    """Return all trials on all rungs, those of a bracket together."""
    rows = reader.rows(
        "SELECT trial, bracket, iteration, rung, last_epoch, status, score"
        " FROM assignment JOIN trial USING (trial) WHERE oracle_id IS NOT NULL"
        " ORDER BY iteration, bracket DESC, rung, trial"
    )
    reached: dict[int, int] = {}
    for row in rows:
        reached[row["trial"]] = max(reached.get(row["trial"], 0), row["rung"])
    return [
        LadderStep(
            row["trial"], row["bracket"], row["iteration"], row["rung"], row["last_epoch"],
            str(row["status"]), row["score"], reached[row["trial"]] > row["rung"],
        )
        for row in rows
    ]  # fmt: skip


def ladder(name: str, found: list[LadderStep], shown: ScoreWords) -> DrawnLadder | None:
    """Return the ladder of a search; None before any trial has ended a rung."""
    scored = [one for one in found if one.score is not None and math.isfinite(one.score)]
    if not scored:
        return None
    reasons = _reasons(found)
    drawn, left_out = _few(scored)
    axes = chart(
        f"Rungs of sweep {name}: scores of its trials by the epochs they were trained to",
        [float(one.last_epoch) for one in scored],
        [shown.shown(one.score or 0.0) for one in scored],
        ("epochs trained (logarithmic)", shown.with_unit(shown.validation)),
        is_log=True,
        x_ticks=sorted({float(one.last_epoch) for one in scored}),
    )
    by_trial: dict[int, list[LadderStep]] = {}
    for one in drawn:
        by_trial.setdefault(one.trial, []).append(one)
    for path in by_trial.values():
        if len(path) > 1:
            axes.line([(one.last_epoch, shown.shown(one.score or 0.0)) for one in path], "join")
    for one in drawn:
        kind = "dot" if one.is_promoted or one.status == "stopped" else "dot cut"
        text = f"trial {one.trial}: {shown.score(one.score or 0.0)}, "
        text += reasons[one.trial, one.rung]
        href = f"/sweeps/{name}/trials/{one.trial}"
        axes.dot(one.last_epoch, shown.shown(one.score or 0.0), text, kind, href)
    return DrawnLadder(axes.markup(), left_out, _in_words(found, shown))


def _few(scored: list[LadderStep]) -> tuple[list[LadderStep], int]:
    """Return the steps to draw, the best of each rung if there are too many, and how many not."""
    if len(scored) <= _MOST_DOTS:
        return scored, 0
    by_rung: dict[int, list[LadderStep]] = {}
    for one in scored:
        by_rung.setdefault(one.last_epoch, []).append(one)
    each = max(_MOST_DOTS // len(by_rung), 1)
    kept = [
        one
        for members in by_rung.values()
        for one in sorted(members, key=lambda step: step.score or 0.0)[:each]
    ]
    return kept, len(scored) - len(kept)


def _reasons(found: list[LadderStep]) -> dict[tuple[int, int], str]:
    """Return why each trial went on from a rung or did not: "3rd of 5, the best 2 went on"."""
    rungs: dict[tuple[int, int, int], list[LadderStep]] = {}
    for one in found:
        rungs.setdefault((one.iteration, one.bracket, one.rung), []).append(one)
    reasons = {}
    for members in rungs.values():
        ended = [one for one in members if one.score is not None]
        ended.sort(key=lambda one: (one.score or 0.0, one.trial))
        n_promoted = sum(one.is_promoted for one in members)
        for place, one in enumerate(ended, start=1):
            went = f"the best {n_promoted} went on" if n_promoted else "none has gone on"
            reasons[one.trial, one.rung] = (
                f"{_ordinal(place)} of {len(members)} on rung {one.rung} of bracket {one.bracket}; "
                f"{went}"
            )
    return reasons


def _ordinal(number: int) -> str:
    if 10 <= number % 100 <= 20:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def _in_words(found: list[LadderStep], shown: ScoreWords) -> list[tuple[str, list[str]]]:
    brackets: dict[tuple[int, int], dict[int, list[LadderStep]]] = {}
    for one in found:
        rungs = brackets.setdefault((one.iteration, one.bracket), {})
        rungs.setdefault(one.rung, []).append(one)
    return [
        (
            f"Iteration {key[0]}, bracket {key[1]}",
            [_rung(rung, m, shown) for rung, m in rungs.items()],
        )
        for key, rungs in brackets.items()
    ]


def _rung(rung: int, members: list[LadderStep], shown: ScoreWords) -> str:
    ended = [one for one in members if one.status != "pending"]
    scores = [one.score for one in ended if one.score is not None and math.isfinite(one.score)]
    best = f", best {shown.score(min(scores))}" if scores else ""
    promoted = sum(one.is_promoted for one in members)
    return (
        f"rung {rung}, to epoch {members[0].last_epoch}: {len(ended)} of "
        f"{words.trials(len(members))} ended{best}, {promoted} went on"
    )
