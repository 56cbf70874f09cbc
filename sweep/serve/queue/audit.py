"""Who did what, when, and from where."""

import time
from dataclasses import dataclass

from sweep.serve.queue.database import QueueDatabase


@dataclass(frozen=True)
class AuditEntry:
    """A line of the audit log."""

    entry: int
    at: float
    """Unix time."""
    who: str
    """The token's name, or `sweep serve` for what the service does by itself."""
    origin: str
    """The address that asked; `terminal` for commands on the machine itself."""
    action: str
    subject: str
    detail: str | None


def enter(
    database: QueueDatabase,
    who: str,
    origin: str,
    action: str,
    subject: str,
    detail: str | None = None,
) -> None:
    """Add a line to the audit log."""
    with database.changing() as db:
        db.execute(
            "INSERT INTO audit (at, who, origin, action, subject, detail)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (time.time(), who, origin, action, subject, detail),
        )


def last_entry(database: QueueDatabase) -> int:
    """Return the number of the newest line.

    A page that reads it before all else misses nothing that happens while the page is made.
    """
    newest = entries(database, 1)
    return newest[0].entry if newest else 0


def entries(database: QueueDatabase, limit: int, before: int | None = None) -> list[AuditEntry]:
    """Return at most `limit` lines, the newest first, with numbers below `before`."""
    rows = database.rows(
        "SELECT * FROM audit WHERE entry < ? ORDER BY entry DESC LIMIT ?",
        2**62 if before is None else before,
        limit,
    )
    return [AuditEntry(**dict(row)) for row in rows]
