"""The sweep's answer, computed: which capacity and which regularisation generalise best, how sure
that is, and where overfitting begins. In numbers here; `report.verdict_words` says it in words.

An answer stands if at least one group of trials (see `capacity_groups`) is ruled out, and if the
best trial was itself trained in full and was no longer improving at the end.
"""

import math
from dataclasses import asdict, dataclass, field
from functools import lru_cache

import numpy as np
import pandas as pd

from sweep.analysis.answers import regularisers as regularisation
from sweep.analysis.answers.capacity_groups import GroupsAnswer, answer, decade
from sweep.analysis.answers.overfitting import Overfitting, overfitting
from sweep.analysis.answers.tutorial import Conclusion, conclusions
from sweep.analysis.frames.against_references import Advantage, is_worth
from sweep.analysis.frames.evidence import why_errors_are_unknown
from sweep.analysis.frames.expected import by_expectation
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.other_seeds import bias, is_by_expected
from sweep.analysis.frames.ranking import is_scored
from sweep.analysis.frames.trial_status import TrialStatus
from sweep.records import Json, SweepState
from sweep.statistics.onset import TOLERANCE
from sweep.statistics.selection_bias import Optimism
from sweep.tasks.score_words import ScoreWords
from sweep.words import counted

SCHEMA = "sweep.verdict/1"
LEAST_TRIALS = 5
"""Trials with a score below which nothing is concluded."""
_LAST_PART = 0.25
"""The last part of a trial's epochs, over which its curve must be level to have arrived."""
_ENDED = (TrialStatus.FINISHED, TrialStatus.STOPPED)


@dataclass(frozen=True)
class NamedTrial:
    """A trial that is named in the answer."""

    trial: int
    baseline: str | None
    params: int | None
    regularisation: str
    val_score: float
    val_score_se: float | None
    expected_score: float | None
    """The score less the luck of its epoch: what to expect on new rows; None if unknown."""
    choice_of_epoch: float | None
    """What the choice of the epoch makes the score too good by; its error is about as large."""
    gap: float | None
    epochs: int


@dataclass(frozen=True)
class Confirmation:
    """The trial with the lowest mean over other seeds."""

    confirmed: int
    """Trials trained with other seeds."""
    trial: int
    baseline: str | None
    seeds: int
    val_score: float
    val_score_se: float | None
    expected_score: float | None
    """The mean of the scores less the luck of their epochs; None if unknown."""
    choice_of_epoch: float | None
    bias: float | None
    """Mean over trials of the score in the search minus the mean of repeats; below 0, better."""
    bias_se: float | None
    bias_is_sure: bool
    """Whether the bias differs from 0 at the 95 % level."""


@dataclass(frozen=True)
class Errors:
    """What the ties of a sweep are judged by: the errors of a difference between two trials."""

    rows: float
    """Over the validation rows: the median of the paired errors of the trials next to the best."""
    seeds: float
    """From seed to seed: the median likewise."""
    seeds_freedom: int
    """Degrees of freedom that the sweep measured of it; 0 if it is taken from other sweeps."""


@dataclass(frozen=True)
class Unended:
    """The tied trials that were still improving when their training ended."""

    trials: tuple[int, ...]
    """Those that can be trained on, by expected score; at most `MOST_TO_TRAIN_ON`."""
    all: int
    """How many there are."""
    to_epoch: int
    """A sensible end: a rung further."""
    more_epochs: int
    """What training `trials` on to it takes at most."""
    seconds: float
    """What that takes one after another, at the pace of the trials' own epochs."""


@dataclass(frozen=True)
class Verdict:
    """The answer of a sweep. If `is_enough` is false, `reasons` say why there is none."""

    sweep: str
    address: str
    """What a command names the sweep by here; not in files for programs."""
    is_final: bool
    """The sweep is finished; otherwise the answer may still change."""
    is_enough: bool
    reasons: list[str]
    trials: int
    """Trials with a score."""
    tied: int | None
    """Of them, those tied with the best, itself included; None when errors are not known."""
    cut: int
    """Of those that are not tied, the ones that were cut before they were trained in full."""
    errors: Errors | None
    """What ties are judged by; None when errors are not known, or with a single trial."""
    best: NamedTrial | None
    """By expected score, if the choice of the epoch is known."""
    lowest: NamedTrial | None
    """The first of the ranking, if it is another: its epoch was the luckier one."""
    simplest: NamedTrial | None
    """The fewest parameters within one standard error, over rows and seeds, of the best."""
    given_up: tuple[float, float] | None
    """What the simplest gives up for that: its expected score less the lowest, and the standard
    error over rows, seeds and the choice of the epoch; None if it is the best."""
    params_tried: tuple[int, int] | None
    params_tied: tuple[int, int] | None
    capacity: GroupsAnswer | None
    regularisation: GroupsAnswer | None
    overfitting: Overfitting
    unended: Unended | None
    """Of the tied ones; None where all had arrived."""
    optimism: Optimism | None
    """The selection bias of the best score."""
    confirmation: Confirmation | None
    """What other seeds give; None when none was trained."""
    worth: bool | None
    """Whether a network is: the best beats every reference model, or one of them beats it."""
    advantages: tuple[Advantage, ...]
    """What that is said of."""
    tutorial: list[Conclusion]
    """The tutorial's conclusions, when its models were trained under several seeds."""
    test_rows: int
    """Sealed test rows that the sweep has."""
    test_openings: int
    """Times the sealed test rows were opened."""
    shown: ScoreWords = field(default_factory=ScoreWords)
    """How the scores are shown to people; not in files for programs."""
    is_unseen: bool = False
    """Whether a script's own `run_trial` trains, so that no epoch is seen; not in files either."""

    def to_json(self) -> Json:
        values = asdict(self)
        del values["address"], values["shown"], values["is_unseen"]
        return {"schema": SCHEMA, **values}


@lru_cache(maxsize=1)  # each form of the report of one sweep has it
def verdict(frames: SweepFrames) -> Verdict:
    """Return the answer of a sweep as it stands."""
    scored = is_scored(frames.trials)
    trials = frames.trials[scored].copy()
    trials["kind"] = regularisation.kinds_of(frames)[scored]
    trials["ended"] = trials["status"].isin(_ENDED)
    trials["is_tied"] = trials["tied"].eq(True)  # unknown is not tied
    ranked, trials = trials, by_expectation(trials)
    known = bool(trials["is_tied"].any())
    tied = trials[trials["is_tied"]]
    sized = trials[trials["params"].notna()]
    capacity = answer(sized, sized["params"].map(decade)) if known else None
    kinds = answer(trials, trials["kind"]) if known else None
    reasons = _reasons(frames, trials, len(tied) if known else None, [capacity, kinds])
    simplest = trials[trials["simplest"].eq(True)]
    return Verdict(
        sweep=frames.sweep.name,
        address=frames.address,
        is_final=frames.sweep.state is SweepState.FINISHED,
        is_enough=not reasons,
        reasons=reasons,
        trials=len(trials),
        tied=len(tied) if known else None,
        cut=int((~trials["is_tied"] & ~trials["ended"]).sum()),
        errors=_errors(frames, trials),
        best=_choice(trials),
        lowest=_choice(ranked) if _first(ranked) != _first(trials) else None,
        simplest=_choice(simplest),
        given_up=_given_up(simplest, _first(trials)),
        params_tried=_range(sized),
        params_tied=_range(tied[tied["params"].notna()]),
        capacity=capacity,
        regularisation=kinds,
        overfitting=overfitting(trials, frames.epochs, frames.no_skill.scale),
        unended=_unended(frames, tied if known else trials.head(1)),
        optimism=frames.optimism,
        confirmation=_confirmation(frames),
        worth=_worth(frames, trials),
        advantages=frames.advantages,
        tutorial=conclusions(frames) if frames.sweep.scoring.is_binary_crossentropy else [],
        test_rows=frames.sweep.settings.test_rows or 0,
        test_openings=len(frames.openings),
        shown=frames.score_words,
        is_unseen=frames.sweep.data.is_unseen,
    )


def _reasons(
    frames: SweepFrames,
    trials: pd.DataFrame,
    tied: int | None,
    answers: list[GroupsAnswer | None],
) -> list[str]:
    """Return why there is not enough evidence; an empty list if there is."""
    if len(trials) < LEAST_TRIALS:
        have = "has" if len(trials) == 1 else "have"
        return [f"only {len(trials)} of at least {LEAST_TRIALS} trials {have} a score"]
    if tied is None:
        why = why_errors_are_unknown(frames.sweep.settings.validation_rows, frames.sweep.scoring)
        return [f"the errors of the scores are unknown: {why}"]
    reasons = _unarrived(frames, trials)
    if learned_nothing(frames, int(trials["trial"].iloc[0])):
        reasons.insert(0, "the best trial learned nothing: its learning rate was 0")
    if frames.beats_guessing is False:
        reasons.insert(0, "the best trial is no better than guessing")
    if tied == len(trials):
        once = len(frames.confirmed) > 0 and frames.sweep.settings.executions == 1
        by = " by their one run in the search" if once else ""
        reasons.append(f"all {tied:,} trials are tied{by}")
    elif not any(answer is not None and answer.is_decided for answer in answers):
        reasons.append(
            "no capacity or kind of regularisation that was trained in full is worse than the best "
            "by more than its error"
        )
    return reasons


def _unarrived(frames: SweepFrames, trials: pd.DataFrame) -> list[str]:
    """Return why more training could still better the best trial; an empty list if it could not."""
    best = trials.iloc[0]
    if not best["ended"]:
        trained = counted(best["epochs"], "epoch")
        return [f"the best trial was trained for only {trained}, not in full"]
    if pd.isna(best["onset_epoch"]) and is_improving(frames, int(best["trial"])):
        return [f"the best trial was still improving when training ended at epoch {best['epochs']}"]
    return []


MOST_TO_TRAIN_ON = 5


def _unended(frames: SweepFrames, tied: pd.DataFrame) -> Unended | None:
    settings = frames.sweep.settings
    in_full = tied[(tied["status"] == TrialStatus.FINISHED) & tied["onset_epoch"].isna()]
    improving = [is_improving(frames, int(trial)) for trial in in_full["trial"]]
    found = in_full[np.array(improving, dtype=bool)]
    if found.empty:
        return None
    first, further = found.head(MOST_TO_TRAIN_ON), settings.factor if settings.has_rungs else 2
    to_epoch = int(found["epochs"].max()) * further
    more = to_epoch - first["epochs"].astype(int)
    pace = first["seconds"].astype(float) / first["epochs"].astype(float)
    return Unended(
        trials=tuple(int(trial) for trial in first["trial"]),
        all=len(found),
        to_epoch=to_epoch,
        more_epochs=int(more.sum()),
        seconds=float((more * pace).sum()),
    )


def _worth(frames: SweepFrames, trials: pd.DataFrame) -> bool | None:
    """Whether a network is worth it; that it is not, only the end of a search can say.

    Further trials, or more epochs of the best one, could still beat the reference models.
    """
    found = is_worth(frames.advantages)
    if found and frames.beats_guessing is False:
        return None  # what beats a model that guesses worse is still no better than guessing
    if len(trials) and learned_nothing(frames, int(trials["trial"].iloc[0])):
        return None  # its score is that of the weights that its seed drew
    is_open = (
        frames.sweep.state is not SweepState.FINISHED
        or len(trials) < LEAST_TRIALS
        or bool(_unarrived(frames, trials))
    )
    return None if found is False and is_open else found


def learned_nothing(frames: SweepFrames, trial: int) -> bool:
    """Whether the trial was trained with a learning rate of 0 from its first epoch to its last.

    What such trials differ by is the luck of the weights that their seeds drew.
    """
    rates = frames.epochs.loc[frames.epochs["trial"] == trial, "learning_rate"]
    return len(rates) > 0 and bool((rates == 0).all())


_NEAREST = 5
"""Trials behind the best whose errors stand for those of the comparisons that are close."""


def _errors(frames: SweepFrames, trials: pd.DataFrame) -> Errors | None:
    others = trials.iloc[1:]
    rows = others.loc[others["difference_se"] > 0, "difference_se"].head(_NEAREST)
    if rows.empty:
        return None
    spread = pd.Series(frames.seed_spread.values, index=frames.trials.index)
    seeds = np.hypot(spread[rows.index], spread[trials.index[0]])
    return Errors(float(rows.median()), float(np.median(seeds)), frames.seed_spread.freedom)


def is_improving(frames: SweepFrames, trial: int) -> bool:
    """Whether the trial's validation score fell at the end, by more than the onset's tolerance.

    By the straight line through its last quarter of epochs (least squares): one lucky epoch at the
    end of a flat curve is no fall. Nor is a fall that ends above the best epoch, before that part.
    """
    values = frames.epochs.loc[frames.epochs["trial"] == trial, "val_score"].to_numpy()
    last = values[max(min(int(len(values) * (1 - _LAST_PART)), len(values) - 2), 0) :]
    at = np.arange(len(last)) - (len(last) - 1) / 2
    least = TOLERANCE * frames.no_skill.scale
    if not len(last) or last.min() > values.min():
        return False
    return len(last) > 1 and bool(-(at @ last) / (at @ at) * (len(last) - 1) > least)


def _confirmation(frames: SweepFrames) -> Confirmation | None:
    if frames.confirmed.empty:
        return None
    first, average = frames.confirmed.iloc[0], bias(frames.confirmed)
    expected = first["expected_score"] if is_by_expected(frames.confirmed) else None
    return Confirmation(
        confirmed=len(frames.confirmed),
        trial=int(first["trial"]),
        baseline=first["baseline"],
        seeds=int(first["seeds"]),
        val_score=float(first["val_score"]),
        val_score_se=_number(first["val_score_se"]),
        expected_score=_number(expected),
        choice_of_epoch=_number(first["choice_of_epoch"]),
        bias=None if average is None else average.value,
        bias_se=None if average is None else _number(average.error),
        bias_is_sure=average is not None and average.is_sure,
    )


def _range(trials: pd.DataFrame) -> tuple[int, int] | None:
    if trials.empty:
        return None
    return int(trials["params"].min()), int(trials["params"].max())


def _choice(trials: pd.DataFrame) -> NamedTrial | None:
    if trials.empty:
        return None
    first = trials.iloc[0]
    return NamedTrial(
        trial=int(first["trial"]),
        baseline=first["baseline"],
        params=None if pd.isna(first["params"]) else int(first["params"]),
        regularisation=str(first["kind"]),
        val_score=float(first["val_score"]),
        val_score_se=_number(first["val_score_se"]),
        expected_score=_number(first["expected_score"]),
        choice_of_epoch=_number(first["choice_of_epoch"]),
        gap=_number(first["gap"]),
        epochs=int(first["epochs"]),
    )


def _given_up(simplest: pd.DataFrame, best: int | None) -> tuple[float, float] | None:
    if simplest.empty or _first(simplest) == best:
        return None
    first = simplest.iloc[0]
    value, error = _number(first["behind"]), _number(first["behind_se"])
    return None if value is None or error is None else (value, error)


def _first(trials: pd.DataFrame) -> int | None:
    return int(trials["trial"].iloc[0]) if len(trials) else None


def _number(value: float | None) -> float | None:
    return None if value is None or pd.isna(value) or not math.isfinite(value) else float(value)
