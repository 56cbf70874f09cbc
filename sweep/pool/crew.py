"""The workers as the head knows them: who may join, what each holds, what each death counts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sweep.pool.face import GivenAssignment, Ready
from sweep.records import Assignment, EpochRecord


class Crew(Protocol):
    """Decides who may work, and is told who does."""

    def joins(self, worker: int, ready: Ready) -> str | None:
        """Enter a worker; return why it may not work here, in one line, or None if it may."""

    def probed(self, worker: int, sha256: str) -> str | None:
        """Compare what a worker computed for the probe; return why it may not work here."""

    def leaves(self, worker: int, why: str) -> None:
        """A worker that had joined is gone."""

    def number(self, worker: int) -> int | None:
        """Return the number under which a worker was entered; None if it was not."""


class AnyCrew:
    """A `Crew` that takes everybody."""

    def joins(self, worker: int, ready: Ready) -> str | None:
        return None

    def probed(self, worker: int, sha256: str) -> str | None:
        return None

    def leaves(self, worker: int, why: str) -> None:
        return

    def number(self, worker: int) -> int | None:
        return None


@dataclass
class Held:
    """An assignment that a worker holds."""

    given: GivenAssignment
    kept: int = field(init=False)
    """The trial's last epoch that the head has kept."""
    seen: int = field(init=False)
    """The trial's last epoch that was told of."""

    def __post_init__(self) -> None:
        self.kept = self.seen = 0 if self.given.state is None else self.given.state.epoch

    @property
    def assignment(self) -> Assignment:
        return self.given.assignment

    def follows(self, records: Sequence[EpochRecord]) -> bool:
        """Whether these are the epochs after the last one that was kept, all of them."""
        epochs = range(self.kept + 1, self.kept + 1 + len(records))
        return [record.epoch for record in records] == [*epochs]


@dataclass
class Member:
    """A worker that has joined."""

    capacity: int
    heard_at: float
    """When it said anything."""
    moved_at: float
    """When it said something of its work, or was given some."""
    held: dict[int, Held] = field(default_factory=dict)
    """By token."""
    is_alone: bool = False
    """Whether what it holds may have no company."""

    @property
    def room(self) -> int:
        return 0 if self.is_alone else self.capacity - len(self.held)


@dataclass
class Deaths:
    """How often workers died with an assignment that has got no further since."""

    most: int
    _found: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By assignment: how far its trial was, and the deaths there."""

    def count(self, held: Held) -> int:
        """Count one more; return how many there were at this epoch."""
        number = held.assignment.assignment
        kept, before = self._found.get(number, (held.kept, 0))
        deaths = before + 1 if kept == held.kept else 1
        self._found[number] = held.kept, deaths
        return deaths

    def forget(self, assignment: Assignment) -> None:
        """Forget an assignment that has ended."""
        self._found.pop(assignment.assignment, None)
