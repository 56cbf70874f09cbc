"""The route of a pool's workers: who they are, where, and what each has trained."""

from dataclasses import asdict

from fastapi import APIRouter
from pydantic import BaseModel

from sweep.serve.api.models import Instant, Page, instant_or_none
from sweep.serve.api.who import Reads
from sweep.store import Reader
from sweep.store.workers import workers

router = APIRouter(tags=["trials"])


class WorkerOut(BaseModel):
    """A worker of a pool that joined once, and what it has done."""

    worker: int
    host: str
    process: int
    device: str
    joined_at: Instant | None
    left_at: Instant | None
    """None while it works, or if the process that leads the pool was killed."""
    why: str | None
    """Why it left."""
    assignments: int
    seconds: float
    """Of training, as the assignments that it ended have it."""


@router.get("/sweeps/{name}/workers")
def list_workers(who: Reads, name: str) -> Page[WorkerOut]:
    """The workers of a sweep's pools in the order in which they joined; none without a pool."""
    with Reader(who.service.sweep(name).database) as reader:
        found = workers(reader)
    times = ("joined_at", "left_at")
    return Page(
        items=[
            WorkerOut(**asdict(one) | {at: instant_or_none(getattr(one, at)) for at in times})
            for one in found
        ]
    )
