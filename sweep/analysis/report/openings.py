"""The ledger of the sealed test rows, in words and for programs."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sweep import words
from sweep.analysis.answers.chosen_trials import Choice, chosen
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.report.commands import export_command
from sweep.errors import NotFoundError
from sweep.records import Estimate, Json
from sweep.store import Opening
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.score_words import ScoreWords
from sweep.tasks.scoring import Scoring

_METRICS = ("score", "accuracy", "auc")
_RULES = {"best": "the best", "simplest": "the simplest of the best", "trial": "chosen by hand"}
_ENSEMBLE = "-ensemble"


def rule_of(choice: Choice, shown: ScoreWords, *, ensemble: bool) -> str:
    """Return how `choice` was made as the ledger keeps it: the rule's name, then its words."""
    return (
        f"{choice.rule}{_ENSEMBLE if ensemble else ''}: {reason(choice, shown, ensemble=ensemble)}"
    )


def reason(choice: Choice, shown: ScoreWords, *, ensemble: bool = False) -> str:
    """Return why this configuration was chosen, and which of its runs is meant, with numbers."""
    return f"{_configuration(choice, shown)}; {_run(choice, ensemble)}"


def note(frames: SweepFrames) -> str | None:
    """Return which run `sweep test` and `sweep export` take, and why; None if there is none."""
    try:
        choice = chosen(frames, "best")
    except NotFoundError:
        return None
    command = export_command(frames.address, choice)
    return (
        f"sweep test and sweep export take trial {choice.trial}: "
        f"{reason(choice, frames.score_words)}. "
        f"Export the best with: {command}"
    )


def _configuration(choice: Choice, shown: ScoreWords) -> str:
    mean = "" if choice.mean is None else f"{_mean(choice)}, {shown.score(choice.mean)}"
    if choice.rule == "simplest":
        within = "fewest parameters within one standard error of the best score"
        return f"{within}, {mean}" if mean else within
    if choice.rule == "trial":
        return f"named, {mean}" if mean else "named"
    if choice.expected is not None:
        seeds = words.counted(len(choice.runs), "seed")
        expected = f"{shown.best} expected score over {seeds}, {shown.score(choice.expected)}"
        return f"{expected}: {mean}, without the luck of the epochs"
    if choice.is_by_mean:
        return f"{shown.best} {mean}"
    return f"{shown.best} {shown.validation} of the trials trained in full"


def _mean(choice: Choice) -> str:
    return f"mean over {words.counted(len(choice.runs), 'seed')}"


def _run(choice: Choice, ensemble: bool) -> str:
    run = choice.run
    if ensemble:
        return f"the ensemble of its {len(choice.runs)} runs in full"
    if choice.rule == "trial":  # it may be a repeat
        return f"run {run.trial}"
    if run.trial == choice.trial:
        return "its own run"
    return f"its run with seed number {run.seed_number}, run {run.trial}"


def chosen_rows(choice: Choice, opening: Opening, shown: ScoreWords) -> list[tuple[str, str, str]]:
    """Return the scores on the validation rows, each with what it says of the choice."""
    own = shown.score(opening.val_score)
    if choice.mean is None:
        by = "it was named" if choice.rule == "trial" else "it was chosen by this"
        return [(shown.validation, own, by)]
    is_ensemble = _rule(opening)[0].endswith(_ENSEMBLE)
    by = "of the repeats"
    if choice.is_by_mean:
        less = "" if choice.expected is None else ", less the luck of the epochs"
        by = f"the configuration was chosen by this{less}"
    what = "of the ensemble that is tested" if is_ensemble else "of the run that is tested"
    return [(_mean(choice), shown.score(choice.mean), by), (shown.validation, own, what)]


def _rule(opening: Opening) -> tuple[str, str | None]:
    """The rule's name, and its words if they were kept."""
    name, _, said = opening.rule.partition(": ")
    return name, words.plain(said) if said else None


def lines(openings: Sequence[Opening], shown: ScoreWords) -> list[str]:
    """Return how often the test rows were opened and what was found; [] if never."""
    if not openings:
        return []
    times = "once" if len(openings) == 1 else f"{len(openings)} times"
    advice = "" if len(openings) == 1 else "; only the first result is unbiased"
    return [f"test rows opened {times}{advice}.", *(_line(opening, shown) for opening in openings)]


def _line(opening: Opening, shown: ScoreWords) -> str:
    name, said = _rule(opening)
    chosen = _RULES.get(name.removesuffix(_ENSEMBLE), "chosen by hand")
    chosen = f"{chosen}: {said}" if said else chosen
    n_rows = words.counted(opening.rows, "row")
    start = f"test {opening.opening}: trial {opening.of_trial} ({chosen}) on {n_rows}"
    return f"{start}, {when(opening)}: {results(opening, shown)}."


def when(opening: Opening) -> str:
    """Return the time of an opening: 2026-11-23 09:30 UTC."""
    return datetime.fromtimestamp(opening.opened_at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def results(opening: Opening, shown: ScoreWords) -> str:
    """Return the results of an opening: BCE 0.5432 (0.5301 to 0.5563), accuracy …, AUC …."""
    parts = [f"{name} {value} ({ends})" for name, value, ends in _results(opening, shown)]
    if not parts:
        return "opened, but the evaluation was not completed"
    return f"{', '.join(parts)}; {shown.validation} was {shown.score(opening.val_score)}"


def rows(opening: Opening, shown: ScoreWords) -> list[tuple[str, str, str]]:
    """Return metric, value and 95 % confidence interval of an opening that was evaluated."""
    return [(f"test {name}", value, ends) for name, value, ends in _results(opening, shown)]


def _results(opening: Opening, shown: ScoreWords) -> list[tuple[str, str, str]]:
    """Name, value and interval of each result. A score that is accuracy or AUC stands once."""
    found = []
    for name, estimate in (("accuracy", opening.accuracy), ("AUC", opening.auc)):
        if estimate is not None:
            ends = f"{words.score(estimate.low)} to {words.score(estimate.high)}"
            found.append((name, words.score(estimate.value), ends))
    others = [_other(name, estimate, shown) for name, estimate in opening.measures.items()]
    found += [one for one in others if one[0] != shown.short]
    if opening.score is not None and shown.short not in [name for name, _, _ in found]:
        found.insert(0, _score(opening.score, shown))
    return found


def _score(of: Estimate, shown: ScoreWords) -> tuple[str, str, str]:
    value, root = shown.score(of.value), shown.root(of.value)
    decimals = shown.decimals((of.high - of.low) / 4) if shown.is_amount else None
    ends = shown.interval(of.low, of.high, decimals)
    return shown.short, f"{value}, {root}" if root else value, ends


def _other(name: str, of: Estimate, shown: ScoreWords) -> tuple[str, str, str]:
    """A measure beside the score: mae, rmse, r2, or the loss if the score is another."""
    if name == ObjectiveName.R2:  # kept as people know it
        return "R²", words.score(of.value), f"{words.score(of.low)} to {words.score(of.high)}"
    if name == ObjectiveName.AVERAGE_PRECISION:
        ends = f"{words.score(of.low)} to {words.score(of.high)}"
        return "average precision", words.score(of.value), ends
    known = name in tuple(ObjectiveName)
    objective = ObjectiveName(name) if known else ObjectiveName.LOSS
    scoring = Scoring(shown.scoring.loss, objective)
    return _score(of, ScoreWords(scoring, shown.task, abs(of.value) or None))


def to_json(openings: Sequence[Opening]) -> list[Json]:
    """Return a JSON object per opening; None for the results of one that was cut short."""
    return [_object(opening) for opening in openings]


def _object(opening: Opening) -> Json:
    name, said = _rule(opening)
    found: dict[str, Any] = {
        "opening": opening.opening,
        "opened_at": opening.opened_at,
        "trial": opening.of_trial,
        "run": opening.trial,
        "rule": name,
        "chosen_by": said,
        "val_score": opening.val_score,
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
    measures = {
        name: {"value": one.value, "low": one.low, "high": one.high}
        for name, one in opening.measures.items()
    }
    return found | {"measures": measures, "bce": found["score"]}
