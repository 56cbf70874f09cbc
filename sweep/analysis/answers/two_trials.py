"""Two trials of a sweep, side by side: the paired difference and what sets them apart."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from sweep import words
from sweep.analysis.frames.load import SweepFrames
from sweep.errors import NotFoundError
from sweep.records import Json
from sweep.special_functions import stdtrit
from sweep.statistics.confidence import CONFIDENCE
from sweep.statistics.more_needed import SEEDS_WITH_ROWS, MoreNeeded, more_needed
from sweep.statistics.paired import Difference, difference
from sweep.store import Losses
from sweep.tasks.score_words import ScoreWords

SCHEMA = "sweep.compare/1"


@dataclass(frozen=True)
class Comparison:
    """Trials A and B. `difference` is A − B in expected score (in val score, where the choice of an
    epoch is unknown); None when either's losses are.

    Its error is that over the rows, with both models as they are.
    """

    sweep: str
    a: "pd.Series[Any]"
    """A's row of `SweepFrames.trials`."""
    b: "pd.Series[Any]"
    difference: Difference | None
    seeds_se: float
    """Standard error of the difference from seed to seed, which is not in `difference`."""
    seeds_freedom: int
    """Degrees of freedom that the sweep measured of it; 0 if it is taken from other sweeps."""
    epochs_se: float
    """Standard error of what the choice of the epochs adds; 0 where it is unknown."""
    n_rows: int
    """Validation rows."""
    names: list[str]
    """Hyperparameters, in the order of the search space."""
    shown: ScoreWords
    """How scores are shown to people."""

    @property
    def total_se(self) -> float:
        """The standard error over rows, seeds and the choice of the epochs; NaN if unknown."""
        if self.difference is None:
            return math.nan
        return math.hypot(self.difference.se, self.seeds_se, self.epochs_se)

    @property
    def needed(self) -> MoreNeeded | None:
        """What would tell the two apart; None where they are, or where nothing is known."""
        if self.difference is None or self.is_told_apart:
            return None
        rows = math.hypot(self.difference.se, self.epochs_se)  # which shrinks with the rows as well
        return more_needed(self.difference.value, rows, self.n_rows, self.seeds_se)

    @property
    def is_told_apart(self) -> bool:
        """Whether the configurations differ at the 95 % level, all errors together."""
        if self.difference is None or not self.total_se > 0:
            return self.difference is not None and self.difference.value != 0
        reach = float(stdtrit(max(self.n_rows - 1, 1), (1 + CONFIDENCE) / 2))
        return abs(self.difference.value) > reach * self.total_se

    @property
    def differing(self) -> list[str]:
        """Hyperparameters that the two do not share."""
        a, b = self.a["hyperparameters"], self.b["hyperparameters"]
        return [name for name in self.names if a.get(name) != b.get(name)]

    def to_json(self) -> Json:
        return {
            "schema": SCHEMA,
            "sweep": self.sweep,
            "difference": None if self.difference is None else asdict(self.difference),
            "seeds_se": self.seeds_se,
            "seeds_freedom": self.seeds_freedom,
            "epochs_se": self.epochs_se,
            "needed": None if self.needed is None else asdict(self.needed),
            "total_se": None if math.isnan(self.total_se) else self.total_se,
            "told_apart": None if self.difference is None else self.is_told_apart,
            "rows": self.n_rows,
            "differing": self.differing,
            "a": as_json(self.a),
            "b": as_json(self.b),
        }


def compare(frames: SweepFrames, losses: Losses, a: int, b: int) -> Comparison:
    """Compare trials number `a` and `b`. Raises NotFoundError if there is no such trial."""
    one, other = trial_row(frames, a), trial_row(frames, b)
    adds = [float(row["choice_of_epoch"]) for row in (one, other)]
    found, known = None, [math.isfinite(add) for add in adds]
    if not (pd.isna(one["val_score_se"]) or pd.isna(other["val_score_se"])):
        rows = {int(trial): row for row, trial in enumerate(losses.trials)}
        values = [losses.values[rows[trial]] for trial in (a, b)]
        if all(known):
            values = [row + add for row, add in zip(values, adds, strict=True)]
        found = difference(*values)
    spread = dict(zip(frames.trials["trial"], frames.seed_spread.values, strict=True))
    return Comparison(
        sweep=frames.sweep.name,
        a=one,
        b=other,
        difference=found,
        seeds_se=math.hypot(spread[a], spread[b]) if a != b else 0.0,
        epochs_se=math.hypot(*adds) if all(known) and a != b else 0.0,
        seeds_freedom=frames.seed_spread.freedom,
        n_rows=losses.values.shape[1],
        names=frames.hyperparameter_names,
        shown=frames.score_words,
    )


def trial_row(frames: SweepFrames, trial: int) -> "pd.Series[Any]":
    """Return the row of `frames.trials` for trial number `trial`.

    Raises NotFoundError naming the trials that there are.
    """
    trials = frames.trials
    found = trials[trials["trial"] == trial]
    if found.empty:
        there = f"its trials are 0 to {trials['trial'].max()}" if len(trials) else "it has none yet"
        raise NotFoundError(f"sweep {frames.sweep.name} has no trial {trial}; {there}")
    return found.iloc[0]


def as_json(row: "pd.Series[Any]") -> Json:
    """Return a trial's row as a JSON object, with None for what is missing."""
    return {str(name): None if pd.isna(value) else value for name, value in row.items()}


def label(row: "pd.Series[Any]") -> str:
    """Return a trial's name for people: "trial 28", "trial 3 Large"."""
    name = row["baseline"]
    return f"trial {row['trial']}" + (f" {words.cut(name)}" if name is not None else "")


def meaning(found: Comparison) -> list[str]:
    """Return the comparison in words: first of the two alone, then among all trials."""
    return [_of_the_two(found), *_among_all(found)]


def _of_the_two(found: Comparison) -> str:
    if found.difference is None:
        return "The error of the difference is unknown: the per-row losses were not kept."
    value, se = found.difference.value, found.difference.se
    if value == 0 and se == 0:
        return "The two are equal on every row."
    better = label(found.a if value < 0 else found.b)
    by = found.shown.size_with_error(value, found.total_se)
    rows = words.counted(found.n_rows, "validation row")
    parts = f"rows {found.shown.amount(se)}, seeds {found.shown.amount(found.seeds_se)}"
    parts += "" if found.seeds_freedom else ", taken from other sweeps"
    if found.epochs_se > 0:
        parts += f", choice of the epochs {found.shown.amount(found.epochs_se)}"
    start = f"{better} is better by {by} ({parts})"
    if found.is_told_apart:
        return f"{start}: {rows} and the spread from seed to seed tell the two apart (95 %)."
    return f"{start}: not told apart (95 %); {_what_would(found)}."


def _what_would(found: Comparison) -> str:
    """Return how many rows or seeds would tell the two apart, if they differ as they seem to."""
    what = found.needed
    if what is None:
        return "they differ by nothing that could be told"
    ways = [] if what.rows is None else [f"about {what.rows:,} validation rows"]
    if what.seeds is not None:
        ways.append(f"about {words.counted(what.seeds, 'seed')} of each (sweep confirm)")
    if ways:
        return f"if this is the difference, {' or '.join(ways)} would"
    if what.rows_with_seeds is not None:
        both = f"{what.rows_with_seeds:,} validation rows with {SEEDS_WITH_ROWS} seeds of each"
        return f"if this is the difference, it takes both: about {both}"
    return "the difference is too small for any number of rows or seeds"


def _among_all(found: Comparison) -> list[str]:
    tied = [found.a["tied"], found.b["tied"]]
    if None in tied:
        return []
    start = "Among all trials, where more comparisons call for more evidence,"
    if all(tied):
        return [f"{start} both are tied with the best."]
    if not any(tied):
        return [f"{start} neither is tied with the best."]
    one, other = (found.a, found.b) if tied[0] else (found.b, found.a)
    return [f"{start} {label(one)} is tied with the best and {label(other)} is not."]
