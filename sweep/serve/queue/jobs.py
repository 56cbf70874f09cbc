"""The jobs in the queue: entered, listed in order, and changed one step at a time.

Every change is one transaction and raises the job's version; nothing here starts a process.
"""

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sweep.errors import NotFoundError
from sweep.serve.queue.database import QueueDatabase
from sweep.serve.queue.job import AT_WORK, QUEUED, Job, JobState, NewJob, Wanted

_ORDER = "priority DESC, state = 'preempted' DESC, job"
"""What is started first: urgent ones, then those that were stopped for others, then the oldest."""


def add(database: QueueDatabase, new: NewJob, who: str) -> Job:
    """Enter a job and return it."""
    values = asdict(new) | {
        "kind": new.kind.value,
        "options": json.dumps(new.options),
        "state": JobState.WAITING.value,
        "created_at": time.time(),
        "created_by": who,
    }
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    with database.changing() as db:
        cursor = db.execute(f"INSERT INTO job ({names}) VALUES ({marks})", values)
        return _job(db, int(cursor.lastrowid or 0))


def get(database: QueueDatabase, number: int) -> Job:
    """Return a job. Raises NotFoundError."""
    row = database.row("SELECT * FROM job WHERE job = ?", number)
    if row is None:
        raise NotFoundError(f"there is no job {number}; see which there are: GET /api/v1/jobs")
    return Job.from_row(row)


def queued(database: QueueDatabase) -> list[Job]:
    """Return the jobs that are to be started, the next one first; those held stand in line too."""
    return _jobs(database, f"WHERE state IN ({_marks(QUEUED)}) ORDER BY {_ORDER}", *QUEUED)


def at_work(database: QueueDatabase) -> list[Job]:
    """Return the jobs that may have a process, the oldest first."""
    return _jobs(database, f"WHERE state IN ({_marks(AT_WORK)}) ORDER BY job", *AT_WORK)


def open_of_sweep(database: QueueDatabase, sweep: str) -> Job | None:
    """Return the job that works on a sweep or will; None if there is none."""
    states = (*QUEUED, *AT_WORK)
    found = _jobs(
        database, f"WHERE sweep = ? AND state IN ({_marks(states)}) ORDER BY job", sweep, *states
    )
    return found[0] if found else None


def latest_of_sweep(database: QueueDatabase, sweep: str) -> Job | None:
    """Return the newest job of a sweep."""
    found = _jobs(database, "WHERE sweep = ? ORDER BY job DESC LIMIT 1", sweep)
    return found[0] if found else None


def latest_of_sweeps(database: QueueDatabase) -> dict[str, int]:
    """Return the number of the newest job of each sweep."""
    rows = database.rows("SELECT sweep, MAX(job) AS job FROM job GROUP BY sweep")
    return {row["sweep"]: int(row["job"]) for row in rows}


def newest(
    database: QueueDatabase,
    limit: int,
    before: int | None = None,
    state: JobState | None = None,
    sweep: str | None = None,
) -> list[Job]:
    """Return at most `limit` jobs, the newest first, with numbers below `before`."""
    conditions, values = ["1"], []
    for condition, value in (("job < ?", before), ("state = ?", state), ("sweep = ?", sweep)):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    where = " AND ".join(conditions)
    return _jobs(database, f"WHERE {where} ORDER BY job DESC LIMIT ?", *values, limit)


def counts(database: QueueDatabase) -> dict[JobState, int]:
    """Return how many jobs there are in each state."""
    rows = database.rows("SELECT state, COUNT(*) AS n FROM job GROUP BY state")
    found = {JobState(row["state"]): int(row["n"]) for row in rows}
    return {state: found.get(state, 0) for state in JobState}


def change(database: QueueDatabase, number: int, **values: Any) -> Job:
    """Set columns of a job, raise its version and return it."""
    names = ", ".join(f"{name} = :{name}" for name in values)
    with database.changing() as db:
        db.execute(
            f"UPDATE job SET {names}, version = version + 1 WHERE job = :number",
            values | {"number": number},
        )
        return _job(db, number)


def end(
    database: QueueDatabase,
    job: Job,
    state: JobState,
    *,
    reason: str | None = None,
    error: str | None = None,
    exit_code: int | None = None,
) -> Job:
    """Enter that a job is over, and how."""
    return change(
        database,
        job.job,
        state=state.value,
        reason=reason,
        error=error,
        exit_code=exit_code,
        ended_at=time.time(),
        pid=None,
        wanted=None,
        wanted_at=None,
    )


def want(database: QueueDatabase, job: Job, why: Wanted) -> Job:
    """Enter that a running job is to be stopped. A cancellation is not taken back by others."""
    if job.wanted is Wanted.CANCEL:
        return job
    at = time.time() if job.wanted_at is None else job.wanted_at
    return change(database, job.job, wanted=why.value, wanted_at=at)


def _jobs(database: QueueDatabase, rest: str, *values: object) -> list[Job]:
    return [Job.from_row(row) for row in database.rows(f"SELECT * FROM job {rest}", *values)]


def _job(db: sqlite3.Connection, number: int) -> Job:
    return Job.from_row(db.execute("SELECT * FROM job WHERE job = ?", (number,)).fetchone())


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
