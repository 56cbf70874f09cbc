"""While a script searches: a line for each trial, Ctrl-C, and failures that follow each other."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Any

from sweep.records import Assignment, EpochRecord, Outcome, OutcomeStatus
from sweep.sweep_folder import SweepFolder
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


class Interruption:
    """While open, the first Ctrl-C asks the search to stop at an epoch's end; a second one ends it.

    So does `sweep stop`. Only the main thread of a program hears Ctrl-C.
    """

    def __init__(self, folder: SweepFolder) -> None:
        self.folder = folder
        self.asked = False
        self._before: Any = None

    def __enter__(self) -> "Interruption":
        self.folder.stop_request.unlink(missing_ok=True)  # of an earlier run
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._hear)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        print("stopping after this epoch; interrupt again to stop at once", file=sys.stderr)

    def requested(self) -> bool:
        return self.asked or self.folder.stop_is_requested
