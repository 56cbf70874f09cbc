"""Keeps what a trainer reports: checkpoint files first, then the database row that counts them.

A checkpoint is a file of its own name, written whole; the database says which one counts, in
the same transaction as the epoch records up to it. A file that no row names is an orphan of a
kill and is swept away at the next start.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from sweep.disk import sync_folder
from sweep.errors import DataError, PlatformError
from sweep.records import Assignment, EpochRecord, Outcome
from sweep.store import Store, TrialLosses, explained
from sweep.sweep_folder import SweepFolder
from sweep.training.checkpoint import TrialState, read_checkpoint, write_checkpoint
from sweep.training.contract import Ended

_WRITERS = 16
"""Files that are flushed at the same time: a disk flushes many in little more than the time of one.
"""


class Observer(Protocol):
    """Is told what happens, for display only."""

    def wave(self, assignments: Sequence[Assignment]) -> None:
        """A wave, or what is left of it, begins."""

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        """A trial trained one epoch."""

    def finished(self, assignment: Assignment, outcome: Outcome, score: float | None) -> None:
        """An assignment ended with the trial's score so far."""


class EpochListener(Protocol):
    """Is told of each epoch as it is trained."""

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        """A trial trained one epoch; no checkpoint holds it yet."""


@dataclass
class _Writers:
    """Threads that write files while much is kept together."""

    is_open: bool = False
    """Whether much is kept together now."""
    written: dict[Path, tuple[Future[None], TrialState]] = field(default_factory=dict)
    """What was given to the threads since that began."""
    _pool: ThreadPoolExecutor | None = None

    def write(self, path: Path, state: TrialState, write: Callable[[], None]) -> Callable[[], None]:
        """Begin to write a state's file; what is returned waits for its end, and raises OSError."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_WRITERS, thread_name_prefix="checkpoints")
        if path in self.written:
            self.written[path][0].exception()  # one at a time, the last one counts
        future = self._pool.submit(write)
        self.written[path] = future, state
        return future.result

    def state(self, path: Path) -> TrialState | None:
        """Return the state of a file that may still be on its way to the disk."""
        found = self.written.get(path)
        return None if found is None else found[1]


@dataclass(frozen=True)
class StoreJournal:
    """A `training.contract.KeepingJournal` over a sweep's folder and database."""

    folder: SweepFolder
    store: Store
    identity: str
    """The sweep's: its checkpoints carry it."""
    listeners: tuple[EpochListener, ...] = ()
    _writers: _Writers = field(default_factory=_Writers, compare=False, repr=False)

    def load(self, assignment: Assignment) -> TrialState | None:
        with self._faults_explained():
            found = self.store.checkpoint(assignment.trial)
        if found is None:
            return None
        name, epoch = found
        path = self.folder.checkpoints / name
        state = self._writers.state(path) or read_checkpoint(path, self._identity(assignment))
        if state.epoch != epoch:
            raise DataError(
                f"checkpoint {path} is of epoch {state.epoch}, expected {epoch}; "
                "it was moved or renamed: put the right file back"
            )
        return state

    def checkpoint(
        self, assignment: Assignment, state: TrialState, records: Sequence[EpochRecord]
    ) -> None:
        with self._faults_explained():
            file, old = self._write(assignment, state)
            self.store.save_progress(assignment, file, state.epoch, records, _losses(state))
            self._drop(old, file)

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        for listener in self.listeners:
            listener.epoch(assignment, record)

    def finish(self, ended: Ended) -> float | None:
        """Keep how an assignment ended; return its trial's score so far."""
        assignment, outcome, state = ended.assignment, ended.outcome, ended.state
        finish = partial(
            self.store.finish,
            assignment,
            outcome,
            ended.records,
            outcome.trainer,
            worker=ended.worker,
        )
        with self._faults_explained():
            if state is None:
                return finish()
            file, old = self._write(assignment, state)
            score = finish(file=file, epoch=state.epoch, losses=_losses(state))
            self._drop(old, file)
        return score

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keep all that comes meanwhile at once, at the end; files are flushed beside each other.

        What is loaded meanwhile of what is kept is the state that was given, not yet on the disk:
        whoever is handed that may lose it in a kill, and must own nothing.
        """
        writers = self._writers
        with self._faults_explained():
            try:
                with self.store.together():
                    writers.is_open = True
                    try:
                        yield
                    finally:
                        if writers.written:
                            folder = self.folder.checkpoints
                            self.store.before_commit(lambda: sync_folder(folder))
            finally:
                writers.is_open = False
                writers.written.clear()

    @contextmanager
    def _faults_explained(self) -> Iterator[None]:
        """Raise the machine's and the database's faults as SweepError: they are never a trial's."""
        try:
            yield
        except sqlite3.Error as error:
            raise explained(error, self.store.path) from error
        except OSError as error:
            raise PlatformError(
                f"cannot write to {self.folder.checkpoints} ({error.strerror or error}); "
                f"make room or permission there, then: sweep resume {self.folder.address}"
            ) from error

    def _identity(self, assignment: Assignment) -> str:
        return f"{self.identity}/{assignment.trial}"

    def _write(self, assignment: Assignment, state: TrialState) -> tuple[str, str | None]:
        found = self.store.checkpoint(assignment.trial)
        path = self.folder.checkpoint(assignment.trial, state.epoch)
        later = self._writers.is_open
        write = partial(
            write_checkpoint, path, self._identity(assignment), state, named_later=later
        )
        if later:
            self.store.before_commit(self._writers.write(path, state, write))
        else:
            write()
        return path.name, None if found is None else found[0]

    def _drop(self, old: str | None, new: str) -> None:
        if old is not None and old != new:
            file = self.folder.checkpoints / old
            self.store.when_committed(lambda: file.unlink(missing_ok=True))


def _losses(state: TrialState) -> TrialLosses | None:
    if state.val_losses is None:
        return None
    return TrialLosses(state.early_stopping.best_epoch, state.val_losses)
