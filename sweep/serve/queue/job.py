"""A job: what is asked of the service that takes time, and what has become of it."""

import json
import sqlite3
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from sweep.records import Json, SweepState


class JobKind(StrEnum):
    """What a job does: the command of the same name."""

    START = "start"
    RESUME = "resume"
    EXTEND = "extend"
    CONFIRM = "confirm"
    TEST = "test"
    EXPORT = "export"


class JobState(StrEnum):
    """What has become of a job. How a sweep ends is said in the sweep's own words."""

    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    PREEMPTED = "preempted"
    """It was stopped for another one, and goes on by itself."""
    FINISHED = SweepState.FINISHED.value
    BUDGET = SweepState.BUDGET.value
    FAILED = SweepState.FAILED.value
    INTERRUPTED = SweepState.INTERRUPTED.value
    CANCELLED = "cancelled"


QUEUED = (JobState.WAITING, JobState.PREEMPTED)
"""States of jobs that are to be started."""
AT_WORK = (JobState.STARTING, JobState.RUNNING)
"""States of jobs that may have a process."""
OVER = (
    *(JobState.FINISHED, JobState.BUDGET, JobState.FAILED),
    *(JobState.INTERRUPTED, JobState.CANCELLED),
)


class Wanted(StrEnum):
    """Why a running job is being stopped."""

    CANCEL = "cancel"
    PREEMPT = "preempt"
    """For a job that may not wait."""
    LEAVE = "leave"
    """For the service's own end."""


@dataclass(frozen=True)
class NewJob:
    """A job that is asked for; what it needs has been checked."""

    kind: JobKind
    sweep: str
    options: Json
    """Options of the command by their names, without what names sweep and space."""
    space: str | None = None
    """Name of the search space, for a start."""
    space_sha256: str | None = None
    device: str = "any"
    priority: int = 50
    preempt: bool = False
    held: bool = False
    estimated_seconds: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Job:
    """A job as the queue holds it. Times are Unix times."""

    job: int
    kind: JobKind
    sweep: str
    space: str | None
    space_sha256: str | None
    options: Json
    device: str
    """What it asked for: any, a kind, or the name of a device."""
    priority: int
    preempt: bool
    held: bool
    state: JobState
    reason: str | None
    """Why it is in this state, in words."""
    created_at: float
    created_by: str
    started_at: float | None
    """Of its latest process."""
    ended_at: float | None
    worked_seconds: float
    """Of the processes before the latest."""
    estimated_seconds: float | None
    pid: int | None
    place: str | None
    """The device that it runs or ran on."""
    kind_of_place: str | None
    """A sweep goes on where its numbers stay the same: on this kind of device."""
    mark: int | None
    """What the sweep held when the job first began; tells whether its work was entered."""
    epochs: int
    """Epochs recorded when its process was last found dead."""
    kills: int
    not_before: float
    passed: int
    """How often a later job was let pass."""
    wanted: Wanted | None
    wanted_at: float | None
    exit_code: int | None
    error: str | None
    version: int
    """Grows with each change."""

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "Job":
        """Return the job that a row of table `job` holds."""
        values: dict[str, Any] = {field.name: row[field.name] for field in fields(cls)}
        wanted = values["wanted"]
        return cls(
            **values
            | {
                "kind": JobKind(values["kind"]),
                "state": JobState(values["state"]),
                "options": json.loads(values["options"]),
                "preempt": bool(values["preempt"]),
                "held": bool(values["held"]),
                "wanted": None if wanted is None else Wanted(wanted),
            }
        )

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    @property
    def is_at_work(self) -> bool:
        return self.state in AT_WORK
