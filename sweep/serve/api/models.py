"""What the routes answer: the names of `-o json`, times as RFC 3339 in UTC, seconds as numbers."""

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, Field, PlainSerializer

from sweep.serve.access.tokens import Token, TokenScope
from sweep.serve.queue.audit import AuditEntry
from sweep.serve.queue.job import Job, JobKind, JobState
from sweep.serve.work.plans import AskedPlan
from sweep.serve.work.shelf import ShelfSpace

_Item = TypeVar("_Item")


def _written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


Instant = Annotated[datetime, PlainSerializer(_written, return_type=str, when_used="json")]


def instant(at: float) -> datetime:
    """Return a Unix time as a date."""
    return datetime.fromtimestamp(at, UTC)


def instant_or_none(at: float | None) -> datetime | None:
    """Return a Unix time as a date, None for none."""
    return None if at is None else instant(at)


class Page(BaseModel, Generic[_Item]):
    """A part of a collection, and what to ask for the next one."""

    items: list[_Item]
    next_page_token: str | None = None


class ProblemOut(BaseModel):
    """An RFC 9457 problem document; `detail` is the one line that a terminal shows."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    exit_code: int | None = None
    errors: list[dict[str, str]] | None = None


class JobOut(BaseModel):
    """A job: what was asked for, and what has become of it."""

    job: int
    kind: JobKind
    sweep: str
    space: str | None
    space_sha256: str | None
    options: dict[str, Any]
    device: str
    priority: int
    preempt: bool
    held: bool
    state: JobState
    reason: str | None
    created_at: Instant
    created_by: str
    started_at: Instant | None
    ended_at: Instant | None
    place: str | None
    """The device that it runs or ran on."""
    position: int | None
    """Its place among those that wait, from 1."""
    estimated_seconds: float | None
    estimated_start: Instant | None
    """When it will begin, if all before it take as long as their plans say; null if unknown."""
    exit_code: int | None
    error: ProblemOut | None
    """Why it failed, as a problem document."""

    @classmethod
    def of(cls, job: Job, position: int | None = None, starts_at: float | None = None) -> "JobOut":
        """Return a job as it is answered."""
        values = {name: getattr(job, name) for name in cls.model_fields if hasattr(job, name)}
        for name in ("created_at", "started_at", "ended_at"):
            values[name] = instant_or_none(values[name])
        values |= {"position": position, "estimated_start": instant_or_none(starts_at)}
        values["error"] = None if job.error is None else _how_it_ended(job)
        return cls(**values)


def _how_it_ended(job: Job) -> ProblemOut:
    return ProblemOut(
        type=f"/problems/job-{job.state}",
        title=f"The job is {job.state}",
        status=200,
        detail=job.error or "",
        instance=f"/api/v1/jobs/{job.job}",
        exit_code=job.exit_code,
    )


class BestOut(BaseModel):
    """The best trial so far. `score_se` is its standard error over the validation rows."""

    trial: int
    score: float | None
    score_se: float | None


class ProgressOut(BaseModel):
    """Counts, as `sweep status` shows them."""

    assignments: int
    assignments_planned: int
    epochs: int
    epochs_planned: int
    trials: int
    trials_failed: int
    confirmations: int
    confirmations_done: int


class SweepOut(BaseModel):
    """A sweep, in the list and by itself. What cannot be read of a damaged one is null."""

    name: str
    identity: str | None
    space: str | None
    data: str | None
    seed: int | None
    state: str
    """running, interrupted, finished, failed, budget, or damaged."""
    process: str | None
    """The process at work on it, in words."""
    message: str | None
    created_at: Instant | None
    active_seconds: float | None
    seconds_left: float | None
    """At the rate so far if nothing stops early; null unless it runs."""
    progress: ProgressOut | None
    best: BestOut | None
    job: int | None
    """Its latest job."""
    event: int
    """Its latest event: listen from there."""
    tags: list[str]


class EpochOut(BaseModel):
    """An epoch record of a trial."""

    epoch: int
    values: dict[str, float | None]


class RungOut(BaseModel):
    """A rung of the search, planned and as far as it is."""

    iteration: int
    bracket: int
    rung: int
    first_epoch: int
    last_epoch: int
    planned: int | None
    assigned: int
    ended: int
    failures: int
    score: float | None


class AssignmentOut(BaseModel):
    """An assignment: a trial trained from one epoch to another."""

    assignment: int
    trial: int
    wave: int
    rung: int
    first_epoch: int
    last_epoch: int
    status: str
    epochs: int
    score: float | None
    seconds: float | None
    trainer: str | None
    error: str | None
    ended_at: Instant | None


class SpaceOut(BaseModel):
    """A search space that jobs may name."""

    name: str
    sha256: str
    origin: str
    summary: str
    is_approved: bool
    uploaded_by: str | None
    approved_by: str | None

    @classmethod
    def of(cls, space: ShelfSpace) -> "SpaceOut":
        """Return a space as it is answered."""
        return cls(**{name: getattr(space, name) for name in cls.model_fields})


class SpaceTextOut(SpaceOut):
    """A search space with the text of its files by name."""

    files: dict[str, str]


class PlanOut(BaseModel):
    """A plan; `result` is what `sweep plan -o json` prints, once it is made."""

    plan: int
    space: str
    space_sha256: str
    settings: dict[str, Any]
    state: str
    result: dict[str, Any] | None
    error: ProblemOut | None
    created_at: Instant

    @classmethod
    def of(cls, plan: AskedPlan) -> "PlanOut":
        """Return a plan as it is answered."""
        values = {name: getattr(plan, name) for name in cls.model_fields}
        error = None
        if plan.error is not None:
            error = ProblemOut(
                type="/problems/plan", title="No plan could be made", status=200,
                detail=plan.error, exit_code=plan.exit_code,
            )  # fmt: skip
        return cls(**values | {"error": error, "created_at": instant(plan.created_at)})


class DeviceOut(BaseModel):
    """A device, and the job on it."""

    name: str
    kind: str
    cores: list[int]
    job: int | None


class QueueOut(BaseModel):
    """The queue as a whole."""

    paused: bool
    jobs: dict[JobState, int]
    free_bytes: int


class TokenOut(BaseModel):
    """A token; its secret is shown once, when it is made."""

    name: str
    scopes: list[TokenScope]
    created_at: Instant
    expires_at: Instant | None
    used_at: Instant | None

    @classmethod
    def of(cls, token: Token) -> "TokenOut":
        """Return a token as it is answered."""
        return cls(
            name=token.name,
            scopes=sorted(token.scopes),
            created_at=instant(token.created_at),
            expires_at=instant_or_none(token.expires_at),
            used_at=instant_or_none(token.used_at),
        )


class NewTokenOut(TokenOut):
    """A token just made, with its secret."""

    secret: str


class EntryOut(BaseModel):
    """A line of the audit log."""

    entry: int
    at: Instant
    who: str
    origin: str
    action: str
    subject: str
    detail: str | None

    @classmethod
    def of(cls, entry: AuditEntry) -> "EntryOut":
        """Return a line as it is answered."""
        values = {name: getattr(entry, name) for name in cls.model_fields}
        return cls(**values | {"at": instant(entry.at)})


class NoteOut(BaseModel):
    """What people wrote about a sweep or a trial."""

    text: str
    tags: list[str]
    at: Instant | None
    who: str | None


class LogOut(BaseModel):
    """The end of what a job printed."""

    job: int | None
    text: str


Tags = Annotated[list[Annotated[str, Field(pattern=r"^[\w .:-]{1,40}$")]], Field(max_length=20)]
