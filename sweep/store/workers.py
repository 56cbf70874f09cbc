"""The workers of a sweep's pools, as its database has them."""

from dataclasses import dataclass

from sweep.store.reading import Reader


@dataclass(frozen=True)
class WorkerRow:
    """A worker that joined once, and what it has done."""

    worker: int
    host: str
    process: int
    device: str
    joined_at: float
    """Unix time."""
    left_at: float | None
    """None while it works, or if its head was killed."""
    why: str | None
    """Why it left."""
    assignments: int
    """That it ended."""
    seconds: float
    """Of training, as these assignments have it."""


def workers(reader: Reader) -> list[WorkerRow]:
    """Return all workers in the order in which they joined."""
    query = (
        "SELECT worker.worker, host, process, device, joined_at, left_at, why,"
        " COUNT(assignment) AS assignments, TOTAL(seconds) AS seconds"
        " FROM worker LEFT JOIN assignment USING (worker)"
        " GROUP BY worker.worker ORDER BY worker.worker"
    )
    return [WorkerRow(**row) for row in reader.rows(query)]


def probe_of_first(reader: Reader) -> str | None:
    """Return the fingerprint of the first worker's probe; None if there was none yet."""
    query = "SELECT probe FROM worker WHERE probe IS NOT NULL ORDER BY worker LIMIT 1"
    rows = reader.rows(query)
    return rows[0]["probe"] if rows else None
