"""Which trials to repeat, and which run is tested and exported: one rule, fixed beforehand.

What `sweep test` measures is what `sweep export` writes, it was trained in full (to the last
epoch, or until early stopping ended it), and its own validation score is known.

- Without repeats the best is the trial with the lowest expected score (see `frames.expected`) of
  those trained in full.
- When repeats decide (see `frames.other_seeds.decisive`), the best is the trial with the lowest
  mean over seeds, of the expected scores if they are known of all. Its run is the one with the
  lowest seed number. Its run from the search was chosen for its score and may have been cut early;
  the best of the repeats would be chosen by luck. The number of a seed says nothing about the score
  that it gives.
- The simplest has the fewest parameters within one standard error of the best by expected score
  (see `frames.evidence`). Its run is found in the same way.
"""

from dataclasses import dataclass

import pandas as pd

from sweep.analysis.frames.expected import by_expectation
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.other_seeds import decisive, is_by_expected, runs
from sweep.analysis.frames.ranking import is_scored
from sweep.analysis.frames.trial_status import TrialStatus
from sweep.errors import NotFoundError
from sweep.records import SweepState

RULES = ("best", "simplest")

_IN_FULL = (TrialStatus.FINISHED, TrialStatus.STOPPED)
_CONFIRMABLE = (SweepState.FINISHED, SweepState.BUDGET)


@dataclass(frozen=True)
class ChosenRun:
    """A training in full of some configuration."""

    trial: int
    """Its number in the sweep: a trial of the ranking, or a repeat."""
    seed_number: int | None
    """Which seed, from 1; None for a searched trial's own run."""
    val_score: float
    """Its own validation score."""


@dataclass(frozen=True)
class Choice:
    """A configuration, and its runs that were trained in full."""

    rule: str
    """How the configuration was chosen: best, simplest, or trial if it was named."""
    trial: int
    """The trial of the ranking that has the configuration."""
    runs: tuple[ChosenRun, ...]
    """By seed number; more than one if the configuration was repeated. They are the runs of the
    mean."""
    mean: float | None
    """Mean of the validation score over `runs`; None if the trial was not repeated."""
    is_by_mean: bool
    """Whether the mean decided that this configuration is the best."""
    expected: float | None = None
    """The mean of the expected scores of `runs`, if that decided."""

    @property
    def run(self) -> ChosenRun:
        """The run that is tested and exported."""
        return self.runs[0]


def chosen(frames: SweepFrames, rule: str) -> Choice:
    """Return what `rule` (best or simplest) names, with the run that is tested and exported.

    Raises NotFoundError with advice if there is none.
    """
    scored = frames.trials[is_scored(frames.trials)]
    if scored.empty:
        raise NotFoundError(f"no trial of sweep {frames.sweep.name} has been evaluated yet")
    return _simplest(frames, scored) if rule == "simplest" else _best(frames, scored)


def named(frames: SweepFrames, trial: int) -> Choice:
    """Return the repeats of a trial that somebody names, for an ensemble.

    Raises NotFoundError with advice if there are fewer than two.
    """
    return require_ensemble(frames, _with_runs(frames, "trial", trial))


def by_hand(trial: int, val_score: float) -> Choice:
    """Return exactly this trial's run, with its score: no rule has a say."""
    return Choice("trial", trial, (ChosenRun(trial, None, val_score),), None, is_by_mean=False)


def require_ensemble(frames: SweepFrames, choice: Choice) -> Choice:
    """Return `choice`. Raises NotFoundError with advice if it has fewer than two runs in full."""
    if choice.mean is None or len(choice.runs) < 2:
        raise NotFoundError(
            f"an ensemble needs at least two runs in full of trial {choice.trial}, under several "
            f"seeds; train them with: sweep confirm {frames.address}"
        )
    return choice


def _best(frames: SweepFrames, scored: pd.DataFrame) -> Choice:
    means = decisive(scored, frames.confirmed)
    if len(means):
        return _with_runs(frames, "best", int(means["trial"].iloc[0]), is_by_mean=True)
    in_full = by_expectation(scored)
    in_full = in_full[in_full["status"].isin(_IN_FULL)]
    if in_full.empty:
        raise NotFoundError(
            f"no trial of sweep {frames.sweep.name} was trained in full, so none is the best to "
            f"test or to export; {_advice(frames)}, or name a trial"
        )
    return _own(frames, "best", in_full.iloc[0])


def _simplest(frames: SweepFrames, scored: pd.DataFrame) -> Choice:
    marked = scored[scored["simplest"].fillna(False).astype(bool)]
    if marked.empty:
        raise NotFoundError(f"sweep {frames.sweep.name} has no trial that is simplest yet")
    first = marked.iloc[0]
    choice = _with_runs(frames, "simplest", int(first["trial"]))
    if choice.mean is not None:
        return choice
    if first["status"] not in _IN_FULL:
        raise NotFoundError(
            f"the simplest trial of sweep {frames.sweep.name}, {first['trial']}, was not trained "
            f"in full ({first['status']} at epoch {first['epochs']}); {_advice(frames)}, "
            "or name a trial"
        )
    return _own(frames, "simplest", first)


def _advice(frames: SweepFrames) -> str:
    if frames.sweep.state in _CONFIRMABLE:
        return f"train the best trials in full with: sweep confirm {frames.address}"
    return f"let the search go on: sweep resume {frames.address}"


def _own(frames: SweepFrames, rule: str, row: "pd.Series[float]") -> Choice:
    """The trial's own run, trained in full."""
    number = 1 if row["baseline"] is not None else None
    run = ChosenRun(int(row["trial"]), number, float(row["val_score"]))
    return Choice(rule, run.trial, (run,), None, is_by_mean=False)


def _with_runs(frames: SweepFrames, rule: str, trial: int, *, is_by_mean: bool = False) -> Choice:
    """The runs that the trial's mean is over, by seed number; none if it was not repeated."""
    of_trial = runs(frames.trials, frames.confirmations, frames.sweep.settings.executions)
    of_trial = of_trial[of_trial["confirms"].astype("int64") == trial]
    found = []
    for _, row in of_trial.iterrows():
        number = row.get("seed_number")
        number = 1 if number is None or pd.isna(number) else int(number)  # a baseline's own run
        found.append(ChosenRun(int(row["trial"]), number, float(row["val_score"])))
    found.sort(key=lambda run: (run.seed_number, run.trial))
    means = frames.confirmed[frames.confirmed["trial"] == trial]
    if means.empty:
        return Choice(rule, trial, tuple(found), None, is_by_mean)
    expected = None
    if is_by_mean and is_by_expected(frames.confirmed):
        expected = float(means["expected_score"].iloc[0])
    mean = float(means["val_score"].iloc[0])
    return Choice(rule, trial, tuple(found), mean, is_by_mean, expected)


def to_confirm(frames: SweepFrames, top: int) -> list[int]:
    """Return the `top` trials by expected score, the simplest tied one and the baselines.

    The score is the mean over the runs of each trial, if the search had several.
    """
    trials = by_expectation(frames.trials[is_scored(frames.trials)])
    by_rank = list(trials["trial"])
    if frames.sweep.settings.executions > 1:
        by_mean = frames.confirmed["trial"][frames.confirmed["trial"].isin(by_rank)]
        by_rank = [*by_mean, *by_rank]
    wanted = list(dict.fromkeys(by_rank))[:top]
    wanted += list(trials.loc[trials["simplest"].fillna(False).astype(bool), "trial"])
    wanted += list(trials.loc[trials["baseline"].notna(), "trial"].sort_values())
    return [int(trial) for trial in dict.fromkeys(wanted)]
