"""When a sweep is stopped, and why: time, trials, a target, failures, or the user's wish."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from sweep.records import Assignment, EpochRecord, OutcomeStatus, SweepState, Value
from sweep.settings import Budget
from sweep.tasks.score_words import BCE, ScoreWords
from sweep.training.contract import Ended
from sweep.words import trials

Failure = tuple[int, str, dict[str, Value]]
"""A failed trial: its number, its error in a line, its hyperparameters."""


@dataclass(frozen=True)
class Ending:
    """Why a sweep is worked on no longer."""

    state: SweepState
    sentence: str | None = None
    """What is said of it; None if the state says all."""


@dataclass
class Limits:
    """Counts what a sweep does against what it may do; says when it must stop, and why."""

    budget: Budget
    interrupted: Callable[[], bool]
    """True once the user asked to stop."""
    failures: Callable[[], Sequence[Failure]]
    """All failed trials of the sweep, to be described."""
    first_searched: Callable[[int], Collection[int]]
    """The first trials of the search, as many as are asked for."""
    ranked: Callable[[], tuple[int, bool]]
    """How many trials there are, and whether any can be ranked."""
    clock: Callable[[], float] = time.monotonic
    n_failures: int = 0
    """Failed assignments; those of earlier processes too if they count."""
    lowest: tuple[int, float] | None = None
    """The trial with the lowest validation score of earlier processes, and that."""
    shown: ScoreWords = BCE
    """How scores are shown to people, who name the target as they see it: an accuracy of 0.95."""
    _deadline: float | None = field(init=False, default=None)
    _over_failures: bool = field(init=False, default=False)
    _reached: tuple[int, float] | None = field(init=False, default=None)
    """The trial that reached the target, and its validation score."""

    def __post_init__(self) -> None:
        if self.budget.max_seconds is not None:
            self._deadline = self.clock() + self.budget.max_seconds
        if self.lowest is not None:
            self._look_for_target(*self.lowest)

    # What happens

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        """Count an epoch that was trained."""
        if assignment.confirms is None:
            self._look_for_target(assignment.trial, record.val_score)

    def count(self, ended: Ended, score: float | None, n_begun: int) -> None:
        """Count an assignment's end.

        `score` is its trial's. When as many have failed as were begun with, nothing is left.
        """
        if ended.outcome.status is OutcomeStatus.FAILED:
            self.n_failures += 1
            limit = min(self.budget.max_failures, n_begun)
            self._over_failures = self.n_failures >= limit
        elif score is not None and ended.assignment.confirms is None:
            self._look_for_target(ended.assignment.trial, score)

    def _look_for_target(self, trial: int, score: float) -> None:
        target = self.budget.target
        if target is None or self._reached is not None:
            return
        seen = self.shown.shown(score)
        if seen >= target if self.shown.is_turned else seen <= target:
            self._reached = trial, score

    # What follows from that

    def allowed(self, waiting: Sequence[Assignment]) -> list[Assignment]:
        """Return the assignments that may be trained."""
        limit = self.budget.max_trials
        if limit is None:
            return list(waiting)
        first = self.first_searched(limit)
        held = {one.trial for one in waiting if one.is_searched} - set(first)
        return [one for one in waiting if one.trial not in held and one.confirms not in held]

    def must_stop(self) -> bool:
        """Return whether to stop at once, in the midst of training."""
        return self.is_over() or self._over_failures or self._reached is not None

    def is_over(self) -> bool:
        """Return whether the user asked to stop, or the time is over: nothing more is worked on."""
        return self.interrupted() or self._out_of_time()

    def ending(self, waiting: Sequence[Assignment], allowed: Sequence[Assignment]) -> Ending | None:
        """Return why to go no further, or None to train the `allowed` ones of what is `waiting`."""
        if not allowed:
            return self._failed() or self._all_done(waiting)
        if self._reached is not None:
            trial, score = self._reached
            target = self.budget.target
            value = self.shown.precise(score)
            return Ending(
                SweepState.BUDGET, f"--target {target} was reached: {value} by trial {trial}"
            )
        return self.over() or self._failed()

    def over(self) -> Ending | None:
        """Return why nothing more is worked on, if that is so."""
        if self.interrupted():
            return Ending(SweepState.INTERRUPTED)
        if self._out_of_time():
            seconds = self.budget.max_seconds
            return Ending(SweepState.BUDGET, f"--max-time of {seconds:g} s ended the search")
        return None

    def _out_of_time(self) -> bool:
        return self._deadline is not None and self.clock() >= self._deadline

    def _failed(self) -> Ending | None:
        return Ending(SweepState.FAILED, describe(self.failures())) if self._over_failures else None

    def _all_done(self, waiting: Sequence[Assignment]) -> Ending:
        if not waiting:
            return self._with_what_failed()
        return Ending(SweepState.BUDGET, f"--max-trials {self.budget.max_trials} ended the search")

    def _with_what_failed(self) -> Ending:
        """The end of all that was planned: failed if nothing can be ranked; else most are said."""
        failures = self.failures()
        n_trials, any_ranked = self.ranked()
        if failures and not any_ranked:
            return Ending(SweepState.FAILED, describe(failures))
        if 2 * len(failures) > n_trials:
            return Ending(SweepState.FINISHED, describe(failures, n_trials))
        return Ending(SweepState.FINISHED)


def describe(failures: Sequence[Failure], n_trials: int | None = None) -> str:
    """Return how many failed, the most frequent error, and the values that all failures share.

    Of how many trials is said too if `n_trials` is given.
    """
    errors = Counter(error for _, error, _ in failures)
    error, count = errors.most_common(1)[0]
    share = "all" if count == len(failures) else f"{count} of them"
    failed = trials(len(failures)) if n_trials is None else f"{len(failures)} of {trials(n_trials)}"
    text = f"{failed} failed, {share} with: {error}"
    first = failures[0][2]
    common = [
        f"{name}={value}"
        for name, value in first.items()
        if all(hyperparameters.get(name) == value for _, _, hyperparameters in failures)
    ]
    if common and len(failures) > 1:
        text += f" (all have {', '.join(common)})"
    return text
