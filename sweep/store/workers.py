"""The workers of a sweep's pools, as its database has them."""

from collections import defaultdict
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
    """Of training, as these assignments have it; of those at work beside each other, the sum."""
    busy: float
    """Seconds in which it trained any of them."""

    def share(self, until: float) -> float:
        """Return the share of its time in which it trained; `until` is the time if it works on."""
        here = (until if self.left_at is None else self.left_at) - self.joined_at
        return min(1.0, self.busy / here) if here > 0 else 0.0


def workers(reader: Reader) -> list[WorkerRow]:
    """Return all workers in the order in which they joined."""
    query = (
        "SELECT worker.worker, host, process, device, joined_at, left_at, why,"
        " COUNT(assignment) AS assignments, TOTAL(seconds) AS seconds"
        " FROM worker LEFT JOIN assignment USING (worker)"
        " GROUP BY worker.worker ORDER BY worker.worker"
    )
    trained: dict[int, list[tuple[float, float]]] = defaultdict(list)
    ended = "SELECT worker, ended_at, seconds FROM assignment WHERE worker IS NOT NULL"
    for row in reader.rows(f"{ended} AND ended_at IS NOT NULL AND seconds IS NOT NULL"):
        trained[row["worker"]].append((row["ended_at"] - row["seconds"], row["ended_at"]))
    return [
        WorkerRow(**row, busy=_covered(trained[row["worker"]], row["joined_at"]))
        for row in reader.rows(query)
    ]


def _covered(spans: list[tuple[float, float]], first: float) -> float:
    """The seconds after `first` that lie in at least one of the spans."""
    found, reached = 0.0, first
    for begin, end in sorted(spans):
        found += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return found


def probe_of_first(reader: Reader) -> str | None:
    """Return the fingerprint of the first worker's probe; None if there was none yet."""
    query = "SELECT probe FROM worker WHERE probe IS NOT NULL ORDER BY worker LIMIT 1"
    rows = reader.rows(query)
    return rows[0]["probe"] if rows else None
