"""What has happened in a sweep, in the order in which it was committed: an outbox for readers.

An event is written in the transaction that it tells of, so whoever has read all events up to a
number has missed nothing. It says where to look, not what is there.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sweep.errors import DataError
from sweep.exact import NUMBER
from sweep.store.reading import Reader


class EventKind(StrEnum):
    """What an event tells of."""

    SWEEP = "sweep"
    """Its state or its plan is another."""
    WAVE = "wave"
    """Assignments were added."""
    EPOCHS = "epochs"
    """A trial has its records up to an epoch."""
    FINISHED = "finished"
    """An assignment has ended, its trial's records reach up to an epoch."""
    OPENING = "opening"
    """The sealed test rows were opened."""


@dataclass(frozen=True)
class Event:
    """A line of a sweep's history."""

    event: int
    at: float
    """Unix time."""
    kind: EventKind
    trial: int | None
    assignment: int | None
    epoch: int | None


def last_event(reader: Reader) -> int:
    """Return the number of the latest event; 0 if there is none."""
    (row,) = reader.rows("SELECT COALESCE(MAX(event), 0) AS event FROM event")
    return int(row["event"])


def events_after(reader: Reader, number: int, limit: int) -> list[Event]:
    """Return at most `limit` events with higher numbers, in order. Raises DataError."""
    query = (
        "SELECT event, at, kind, trial AS of_trial, assignment AS of_assignment, epoch AS to_epoch"
        " FROM event WHERE event > ? ORDER BY event LIMIT ?"
    )
    return [_event(row) for row in reader.rows(query, number, limit)]


def _event(row: dict[str, Any]) -> Event:
    try:
        numbers = [
            None if row[name] is None else NUMBER.check(row[name])
            for name in ("of_trial", "of_assignment", "to_epoch")
        ]
        return Event(row["event"], row["at"], EventKind(row["kind"]), *numbers)
    except ValueError as error:
        raise DataError(f"the sweep is damaged: table event: {error}") from error
