"""Looks at a sweep that may be running: its state, its progress, the time left.

Importing this starts neither TensorFlow nor pandas, and nothing is locked or written.
"""

from dataclasses import dataclass, replace

from sweep.records import SweepState
from sweep.store import Store, SweepProgress, SweepRow
from sweep.sweep_folder import SweepFolder


@dataclass(frozen=True)
class TimeLeft:
    """What a process at work has still to do if no trial stops early."""

    seconds: float
    """At the mean rate of all epochs so far."""
    epochs: int


@dataclass(frozen=True)
class Look:
    """A sweep at one moment."""

    sweep: SweepRow
    progress: SweepProgress
    holder: str | None
    """The process at work on the sweep, in words; None if there is none."""

    @property
    def state(self) -> SweepState:
        """The state now: a sweep whose process has died is interrupted."""
        if self.holder is not None:
            return SweepState.RUNNING
        died = self.sweep.state is SweepState.RUNNING
        return SweepState.INTERRUPTED if died else self.sweep.state

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
        return TimeLeft(self.sweep.active_seconds / done * left, left)


def look(folder: SweepFolder) -> Look:
    """Return what a sweep is doing now. Raises DataError if its database is damaged."""
    holder = folder.holder()
    with Store(folder.database, read_only=True) as store:
        sweep, progress = replace(store.sweep(), name=folder.name), store.progress()
    # asked twice: a process that ends or begins between has not died
    return Look(sweep, progress, holder or folder.holder())
