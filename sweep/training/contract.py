"""The face every trainer shows and the faces it sees.

A trainer takes assignments from a source, keeps states in a journal, and yields what has ended.
It knows neither the store nor the search, so the loop can be tested with a trainer that does
nothing. `sweep.testing` holds the suite that every trainer must pass.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from sweep.records import Assignment, EpochRecord, Outcome
from sweep.training.checkpoint import TrialState
from sweep.training.queue import Queue

StopRequested = Callable[[], bool]


@dataclass(frozen=True)
class Ended:
    """An assignment that has ended, and all that is to be kept of it."""

    assignment: Assignment
    outcome: Outcome
    state: TrialState | None
    """The trial's state at its last epoch; None if it has failed or was never trained."""
    records: tuple[EpochRecord, ...]
    """The epochs that no checkpoint holds yet."""
    worker: int | None = None
    """Who trained it, as the sweep numbers the workers of pools."""


Endings = Generator[Ended, None, None]
"""What a trainer yields. Closing it ends the training, and waits for epochs under way."""


class Source(Protocol):
    """Where a trainer takes its assignments from."""

    def take(self, *, by_turns: bool = False) -> Assignment | None:
        """Return the next assignment, or None if none waits now.

        After each `Ended` that the trainer has yielded there may be more. `by_turns` asks for
        the same share of every bracket (see `training.queue`).
        """


class Journal(Protocol):
    """Where a trainer reads a trial's state, and writes how far it is."""

    def load(self, assignment: Assignment) -> TrialState | None:
        """Return the trial's complete state at its last checkpoint, or None before its first epoch.

        Raises DataError when the checkpoint is damaged or belongs to another trial.
        """

    def checkpoint(
        self, assignment: Assignment, state: TrialState, records: Sequence[EpochRecord]
    ) -> None:
        """Keep `state` and the epochs recorded since the last checkpoint, both or neither."""

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        """Take note that an epoch ended, for live progress and limits; nothing is kept yet."""


class KeepingJournal(Journal, Protocol):
    """A journal that also keeps how assignments ended."""

    def finish(self, ended: Ended) -> object:
        """Keep the state, the remaining records and the outcome together."""


@runtime_checkable
class Grouping(Protocol):
    """What a journal may offer besides: to keep much at once."""

    def together(self) -> AbstractContextManager[None]:
        """While open, what is kept waits for the end, and is on the disk when that has passed."""


class Trainer(Protocol):
    """Carries out assignments."""

    def train(self, source: Source, journal: Journal, stop: StopRequested) -> Endings:
        """Train what `source` holds and yield each assignment's end, in whatever order they end.

        The trainer takes an assignment when it has room for one, and returns when nothing is at
        work and the source has no more. Whoever takes what is yielded keeps it (see
        `KeepingJournal.finish`) and may then put more into the source. An outcome names the
        trainer that carried the assignment.

        A trial that raises or whose loss is not finite ends as FAILED, and the others go on.
        When `stop()` turns true the epoch under way is finished, or left out if it does not end
        within `grace.GRACE_SECONDS`; its state is kept by `journal.checkpoint`, and the generator
        returns; the assignments that are left are not yielded.
        """


def train_all(
    trainer: Trainer, assignments: Iterable[Assignment], journal: KeepingJournal,
    stop: StopRequested = lambda: False,
) -> None:  # fmt: skip
    """Train these assignments and no more, outside any sweep; `journal` keeps how each ended."""
    for ended in trainer.train(Queue(assignments), journal, stop):
        journal.finish(ended)
