"""What the tests of pools compare: a search's tables with those of one without a pool."""

from typing import Any

from sweep.records import Assignment

NEVER = 10**6
"""Deaths that no search comes to."""


def comparable(store: Any) -> dict[str, Any]:
    """What must be the same whoever trained: all but numbers of assignments, waves and times."""
    db = store._db
    queries = {
        "trial": "SELECT * FROM trial ORDER BY trial",
        "assignment": "SELECT trial, rung, first_epoch, last_epoch, oracle_id, root_id, status,"
        " epochs, score, error FROM assignment ORDER BY trial, rung",
        "epoch": "SELECT * FROM epoch ORDER BY trial, epoch",
        "checkpoint": "SELECT trial, epoch FROM checkpoint ORDER BY trial",
        "sweep": "SELECT state, message, wave > 0 FROM sweep",
    }
    return {name: [tuple(row) for row in db.execute(text)] for name, text in queries.items()}


def work(n: int = 1, last: int = 2) -> list[Assignment]:
    """Return assignments of `n` trials from their first epoch to the `last`."""
    return [Assignment(number, number, 0, 0, last, {}, 1) for number in range(n)]
