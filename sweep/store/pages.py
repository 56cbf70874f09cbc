"""Parts of a sweep's tables, for readers that take them page by page."""

from typing import Any

from sweep.store.fragments import IS_FAILED, IS_PENDING
from sweep.store.reading import Reader


def epochs_of(reader: Reader, trial: int, after: int, limit: int) -> list[dict[str, Any]]:
    """Return at most `limit` epoch records of a trial behind epoch `after`, in order."""
    return reader.rows(
        "SELECT * FROM epoch WHERE trial = ? AND epoch > ? ORDER BY epoch LIMIT ?",
        trial, after, limit,
    )  # fmt: skip


def assignments_after(reader: Reader, number: int, limit: int) -> list[dict[str, Any]]:
    """Return at most `limit` assignments with higher numbers, in order, without tracebacks."""
    return reader.rows(
        "SELECT assignment, trial, wave, rung, first_epoch, last_epoch, status, epochs, score,"
        " seconds, trainer, error, ended_at FROM assignment"
        " WHERE assignment > ? ORDER BY assignment LIMIT ?",
        number, limit,
    )  # fmt: skip


def rungs(reader: Reader) -> list[dict[str, Any]]:
    """Return each rung's trials: how many were assigned, have ended and failed, and the best score.

    Rungs of the search only, by iteration, bracket (the longest first) and rung.
    """
    return reader.rows(
        "SELECT iteration, bracket, rung, MIN(first_epoch) AS first_epoch,"
        " MAX(last_epoch) AS last_epoch, COUNT(*) AS assigned,"
        f" SUM(NOT {IS_PENDING}) AS ended, SUM({IS_FAILED}) AS failures, MIN(score) AS score"
        " FROM assignment JOIN trial USING (trial) WHERE oracle_id IS NOT NULL"
        " GROUP BY iteration, bracket, rung ORDER BY iteration, bracket DESC, rung"
    )


def losses_of(reader: Reader, trial: int) -> bytes | None:
    """Return a trial's validation losses row by row, float32, little-endian; None if unknown."""
    rows = reader.rows("SELECT losses FROM losses WHERE trial = ?", trial)
    return rows[0]["losses"] if rows else None
