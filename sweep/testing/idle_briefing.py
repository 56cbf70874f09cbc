"""Workers that train nothing, and come to grief where a test wants it: for tests of pools."""

import os
import resource
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from sweep.data.rows import Split
from sweep.errors import DataError
from sweep.pool.briefing import OpenedBriefing
from sweep.pool.face import Ready
from sweep.records import Assignment, EpochRecord
from sweep.testing.idle_trainer import IdleTrainer
from sweep.testing.splits import small_split
from sweep.training.checkpoint import TrialState
from sweep.training.contract import Endings, Journal, Source, StopRequested

_PROGRAM = "keras-sweep"


@dataclass(frozen=True)
class Grief:
    """What becomes of a worker, by the trial that it is given."""

    killed: int | None = None
    stopped: int | None = None
    """By SIGSTOP, once: the file `once` is made then."""
    once: Path | None = None
    hungry: int | None = None
    """It needs more memory than the process can get: RLIMIT_AS is set."""


@dataclass(frozen=True)
class IdleBriefing:
    """A `pool.briefing.Opens` of idle trainers."""

    seconds: float = 0.0
    """That each assignment takes."""
    floats: int = 2
    """Numbers in a state."""
    fails_to_start: str = ""
    grief: Grief = Grief()
    capacity: int = 2
    epoch_seconds: float = 0.0
    """That pass before each state that is kept."""

    names_rows: bool = False
    needs_rows: int = 0
    """It does not start without so many training rows."""

    def own_rows(self) -> Split:
        return small_split(self.needs_rows, 10)

    def opened(self, split: Split, folder: Path, most: int) -> OpenedBriefing:
        if self.fails_to_start:
            raise ImportError(self.fails_to_start)
        if self.needs_rows and len(split.train) != self.needs_rows:
            raise DataError(f"it has {len(split.train)} rows")
        trainer = SlowTrainer(self.seconds, self.floats, self.grief, self.epoch_seconds)
        own = {_PROGRAM: version(_PROGRAM)}
        host, process = socket.gethostname(), os.getpid()
        ready = Ready(min(most, self.capacity), host, process, "nothing", None, own)
        return OpenedBriefing(trainer, ready)


@dataclass(frozen=True)
class SlowTrainer:
    """An `IdleTrainer` that keeps each epoch, takes its time, and may come to grief."""

    seconds: float = 0.0
    floats: int = 2
    grief: Grief = Grief()
    epoch_seconds: float = 0.0

    def train(self, source: Source, journal: Journal, stop: StopRequested) -> Endings:
        idle = IdleTrainer(keeps_each_epoch=True)
        while not stop() and (assignment := source.take()) is not None:
            self._grieve(assignment)
            time.sleep(self.seconds)
            ended = idle.end(assignment, _SizedJournal(journal, self.floats, self.epoch_seconds))
            state = None if ended.state is None else sized(ended.state, self.floats)
            yield replace(ended, state=state)

    def _grieve(self, assignment: Assignment) -> None:
        grief = self.grief
        if assignment.trial == grief.killed:
            os.kill(os.getpid(), signal.SIGKILL)
        if assignment.trial == grief.stopped and grief.once and not grief.once.exists():
            grief.once.touch()
            os.kill(os.getpid(), signal.SIGSTOP)
        if assignment.trial == grief.hungry:
            resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
            np.ones(1 << 30)


def sized(state: TrialState, floats: int) -> TrialState:
    """Return the state with so many numbers in its weights."""
    return replace(state, model=(np.zeros(floats, np.float32),))


@dataclass(frozen=True)
class _SizedJournal:
    """A journal whose states have so many numbers, and come after so many seconds."""

    journal: Journal
    floats: int
    seconds: float

    def load(self, assignment: Assignment) -> TrialState | None:
        return self.journal.load(assignment)

    def checkpoint(
        self, assignment: Assignment, state: TrialState, records: Sequence[EpochRecord]
    ) -> None:
        time.sleep(self.seconds)
        self.journal.checkpoint(assignment, sized(state, self.floats), records)

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        self.journal.epoch(assignment, record)
