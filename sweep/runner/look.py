"""Looks at a sweep that may be running: its state, its progress, the time left.

Importing this starts neither TensorFlow nor pandas, and nothing is locked or written.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from sweep.records import SweepState, state_now
from sweep.store import Store, SweepProgress, SweepRow
from sweep.store.workers import WorkerRow, workers
from sweep.sweep_folder import SweepFolder

_MOST_LOOKS = 5
_Read = TypeVar("_Read")


@dataclass(frozen=True)
class TimeLeft:
    """What a process at work has still to do if no trial stops early."""

    seconds: float
    """At the rate of the epochs that it was told from."""
    epochs: int


def time_left(seconds: float, epochs: int, left: int) -> TimeLeft:
    """Return how long `left` more epochs take at the rate of `epochs` epochs in `seconds`.

    At least one epoch has ended. Less than none are none.
    """
    left = max(0, left)
    return TimeLeft(seconds / epochs * left, left)


@dataclass(frozen=True)
class Look:
    """A sweep at one moment."""

    sweep: SweepRow
    progress: SweepProgress
    workers: Sequence[WorkerRow]
    """Of its pools, if it was worked on with any."""
    holder: str | None
    """The process at work on the sweep, in words; None if there is none."""

    @property
    def state(self) -> SweepState:
        """The state now: a sweep whose process has died is interrupted."""
        return state_now(self.sweep.state, is_held=self.holder is not None)

    @property
    def at_work(self) -> list[WorkerRow]:
        """The workers of a pool that is open now."""
        return [one for one in self.workers if self.holder is not None and one.left_at is None]

    @property
    def epochs_planned(self) -> int:
        """Epochs of the search and of the baselines if no trial stops early."""
        return self.sweep.plan.all_epochs or 0

    @property
    def time_left(self) -> TimeLeft | None:
        """None if no process is at work, or if the first epoch has not ended."""
        done = self.progress.epochs_done
        if self.holder is None or not done:
            return None
        left = self.epochs_planned - done - self.progress.epochs_left_out
        return time_left(self.sweep.active_seconds, done, left)


def look(folder: SweepFolder) -> Look:
    """Return what a sweep is doing now. Raises DataError if its database is damaged."""
    return look_and_read(folder, lambda store, progress: None)[0]


def look_and_read(
    folder: SweepFolder, read: Callable[[Store, SweepProgress], _Read]
) -> tuple[Look, _Read]:
    """Return what a sweep is doing now, and what `read` finds in its database meanwhile.

    The database is opened once, which takes longer than reading. Raises DataError if it is damaged.
    """
    holder = folder.holder()
    for _ in range(_MOST_LOOKS):
        before = holder
        with Store(folder.database, read_only=True) as store:
            sweep, progress = replace(store.sweep(), name=folder.name), store.progress()
            crew, more = workers(store), read(store, progress)
        holder = folder.holder()
        if holder == before:  # else a process began or ended while the database was read
            break
    return Look(sweep, progress, crew, holder), more
