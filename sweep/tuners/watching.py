"""While a script searches: how far it is after each run, and failures that follow each other."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sweep.records import Assignment, EpochRecord, Outcome, OutcomeStatus
from sweep.tasks.score_words import ScoreWords
from sweep.tuners.showing import HowFar, Show
from sweep.words import counted


@dataclass
class Watcher:
    """Is told what is trained; shows it, and counts failures in a row."""

    shown: ScoreWords
    n_assignments: int
    n_done: int
    show: Show
    max_consecutive: int
    best: tuple[float, int] | None = None
    consecutive: int = 0
    """Trials that raised an error, one after the other, up to now."""
    counts_epochs: bool = True
    """False where only the script knows how many epochs a trial has had."""
    heard_by: Any = None
    """A tuner that is told when trials begin and end, or None."""
    last_error: str = ""
    latest: str = ""
    n_epochs: int = 0
    began: float = field(default_factory=time.monotonic)

    def wave(self, assignments: Sequence[Assignment]) -> None:
        if self.heard_by is not None:
            for one in assignments:
                if one.confirms is None:
                    self.heard_by.on_trial_begin(self._trial(one.trial))

    def _trial(self, trial: int) -> Any:
        oracle = self.heard_by.oracle
        return oracle.get_trial(oracle.id_of(trial))

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        self.n_epochs += 1
        self.show.epoch(self.standing)

    def finished(self, assignment: Assignment, outcome: Outcome, score: float | None) -> None:
        self.n_done += 1
        failed = outcome.status is OutcomeStatus.FAILED
        raised = failed and outcome.traceback is not None
        self.consecutive = self.consecutive + 1 if raised else 0
        self.last_error = outcome.error or self.last_error
        trial = assignment.trial if assignment.confirms is None else assignment.confirms
        if score is not None and not failed and (self.best is None or score < self.best[0]):
            self.best = (score, trial)
        what = "no score yet" if score is None else f"{self.shown.val} {self.shown.score(score)}"
        if failed:
            what = f"failed: {outcome.error}"
        run = "" if assignment.confirms is None else f", run {assignment.seed_number}"
        epochs = counted(assignment.first_epoch + outcome.epochs, "epoch")
        of = f", {epochs}" if self.counts_epochs else ""
        self.latest = f"trial {trial}{run}{of}: {what}"
        self.show.ended(self.standing)
        if self.heard_by is not None:
            ended = self._trial(trial)
            if ended.status != "RUNNING":  # all its executions have ended
                self.heard_by.on_trial_end(ended)

    @property
    def standing(self) -> HowFar:
        best = ""
        if self.best is not None:
            best = f"{self.shown.score(self.best[0])} (trial {self.best[1]})"
        return HowFar(
            n_done=self.n_done,
            n_assignments=self.n_assignments,
            latest=self.latest,
            best=best,
            n_epochs=self.n_epochs if self.counts_epochs else None,
            seconds=time.monotonic() - self.began,
        )

    @property
    def has_failed(self) -> bool:
        return self.consecutive >= self.max_consecutive
