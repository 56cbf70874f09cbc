"""Notes and tags that people give to sweeps and trials: kept beside the queue, never in a sweep."""

import json
import time
from dataclasses import dataclass

from sweep.serve.queue.database import QueueDatabase

_WHOLE = -1
"""Stands for the sweep itself in place of a trial's number."""


@dataclass(frozen=True)
class Note:
    """What somebody wrote."""

    text: str
    tags: list[str]
    at: float
    who: str


def get(database: QueueDatabase, sweep: str, trial: int | None = None) -> Note | None:
    """Return the note of a sweep or of one of its trials."""
    row = database.row(
        "SELECT * FROM note WHERE sweep = ? AND trial = ?",
        sweep,
        _WHOLE if trial is None else trial,
    )
    if row is None:
        return None
    return Note(row["text"], json.loads(row["tags"]), row["at"], row["who"])


def put(
    database: QueueDatabase, sweep: str, trial: int | None, text: str, tags: list[str], who: str
) -> None:
    """Keep a note in place of the one before; an empty one is removed."""
    key = (sweep, _WHOLE if trial is None else trial)
    with database.changing() as db:
        if not text and not tags:
            db.execute("DELETE FROM note WHERE sweep = ? AND trial = ?", key)
            return
        db.execute(
            "INSERT OR REPLACE INTO note VALUES (?, ?, ?, ?, ?, ?)",
            (*key, text, json.dumps(tags), time.time(), who),
        )


def tags_of_sweeps(database: QueueDatabase) -> dict[str, list[str]]:
    """Return the tags of each sweep that has some."""
    rows = database.rows("SELECT sweep, tags FROM note WHERE trial = ?", _WHOLE)
    return {row["sweep"]: json.loads(row["tags"]) for row in rows}


def of_trials(database: QueueDatabase, sweep: str) -> dict[int, Note]:
    """Return the notes of a sweep's trials by their numbers."""
    rows = database.rows("SELECT * FROM note WHERE sweep = ? AND trial >= 0", sweep)
    return {
        row["trial"]: Note(row["text"], json.loads(row["tags"]), row["at"], row["who"])
        for row in rows
    }
