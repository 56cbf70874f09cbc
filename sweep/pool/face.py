"""The face that every pool shows: what is handed to workers, and what they say.

A trial's state travels to the worker with the assignment and comes back with its records, so a
worker needs no file of the head's. What comes back carries the token under which it was given; the
head drops what comes under a token that counts no more, so a worker that was given up and lives on
can do no harm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sweep.numerics import Numerics
from sweep.records import Assignment, EpochRecord, Outcome
from sweep.training.checkpoint import TrialState


@dataclass(frozen=True)
class GivenAssignment:
    """One assignment as it is handed over."""

    token: int
    """Unlike all others."""
    assignment: Assignment
    state: TrialState | None
    """The trial's at its last checkpoint; None before its first epoch."""


@dataclass(frozen=True)
class Ready:
    """A worker has started."""

    capacity: int
    """Assignments that it can use at the same time, those that wait for room included."""
    host: str = ""
    process: int = 0
    device: str = ""
    """What it computes on, in words."""
    numerics: Numerics | None = None
    """Under what it computes; None if its trainer computes nothing."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of Python and of the packages that compute."""


@dataclass(frozen=True)
class Alive:
    """A worker has not said anything for a while, and is there."""


@dataclass(frozen=True)
class EpochTrained:
    """An epoch has ended; nothing is kept of it yet."""

    token: int
    record: EpochRecord


@dataclass(frozen=True)
class KeptState:
    """A state to be kept, with the epochs since the one before."""

    token: int
    state: TrialState
    records: tuple[EpochRecord, ...]


@dataclass(frozen=True)
class Done:
    """An assignment has ended."""

    token: int
    outcome: Outcome
    state: TrialState | None
    records: tuple[EpochRecord, ...]


@dataclass(frozen=True)
class Idle:
    """A worker has stopped, as it was asked to under this token; all it had has been said."""

    token: int


@dataclass(frozen=True)
class Lost:
    """A worker is gone, with what it held; nothing more comes from it."""

    why: str


Event = Ready | Alive | EpochTrained | KeptState | Done | Idle | Lost
Said = tuple[int, Event]
"""The number of a worker, unlike that of any other before it, and what it said."""


class Pool(Protocol):
    """Workers that carry out assignments; it knows neither the store nor the search."""

    def give(self, worker: int, work: Sequence[GivenAssignment]) -> None:
        """Hand over and return at once. That a worker is lost is told by `events`."""

    def events(self, timeout: float) -> Sequence[Said]:
        """Return what was said since, in each worker's order; wait for the first at most so long.

        Raises PlatformError when there is no worker and none can be started any more.
        """

    def stop(self, token: int) -> None:
        """Have all workers end the epoch under way, say `KeptState` of what they hold, then `Idle`.

        What is given afterwards is carried out as ever.
        """

    def close(self, worker: int | None = None, refused: str | None = None) -> None:
        """End a worker at once: `Lost` is told, and another one may take its place.

        None does if the worker was `refused`, for the reason given. Without a number, end all for
        good.
        """
