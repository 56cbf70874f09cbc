"""While a script searches: a line for each trial, and failures that follow each other."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sweep.records import Assignment, EpochRecord, Outcome, OutcomeStatus
from sweep.tasks.score_words import ScoreWords
from sweep.words import duration

Say = Callable[[str], None]


def silent(text: str) -> None:
    """Says nothing, for verbose=0."""


def to_stdout(text: str) -> None:
    """Print a line, as Keras does."""
    print(text, flush=True)


@dataclass
class Watcher:
    """Is told what is trained; says a line for each trial, and counts failures in a row."""

    shown: ScoreWords
    n_assignments: int
    n_done: int
    say: Say
    max_consecutive: int
    best: tuple[float, int] | None = None
    consecutive: int = 0
    """Trials that raised an error, one after the other, up to now."""
    last_error: str = ""
    began: float = field(default_factory=time.monotonic)

    def wave(self, assignments: Sequence[Assignment]) -> None:
        return

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        return

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
        best = (
            ""
            if self.best is None
            else (f" · best {self.shown.score(self.best[0])} (trial {self.best[1]})")
        )
        self.say(
            f"[{self.n_done}/{self.n_assignments}] trial {trial}{run}, "
            f"{assignment.first_epoch + outcome.epochs} epochs: {what}{best} · "
            f"{duration(time.monotonic() - self.began)}"
        )

    @property
    def has_failed(self) -> bool:
        return self.consecutive >= self.max_consecutive
