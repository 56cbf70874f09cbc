"""Routes of jobs: everything that takes time and trains."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import Field

from sweep.errors import NotFoundError, UsageError
from sweep.serve.api import paging
from sweep.serve.api.models import JobOut, LogOut, Page
from sweep.serve.api.sweeps import tail
from sweep.serve.api.who import Reads, Runs, Who
from sweep.serve.queue import jobs
from sweep.serve.queue.answers import RequestAnswer, once
from sweep.serve.queue.job import Job, JobKind, JobState
from sweep.serve.work import control
from sweep.serve.work.ask import ask
from sweep.serve.work.asked import AnyAsked, Flag, RequestPart, Whole
from sweep.serve.work.forecast import forecast

router = APIRouter(tags=["jobs"])
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)]


def job_out(who: Who, job: Job) -> JobOut:
    """Return a job as it is answered, with its place in the line."""
    place = forecast(who.service).get(job.job)
    return JobOut.of(job) if place is None else JobOut.of(job, place.position, place.starts_at)


@router.get("/jobs")
def list_jobs(
    who: Reads,
    request: Request,
    response: Response,
    state: JobState | None = None,
    sweep: Annotated[str | None, Query(max_length=80)] = None,
    page_size: paging.PageSize = 100,
    page_token: paging.PageToken = None,
) -> Page[JobOut]:
    """Jobs, the newest first."""
    before = paging.number_of(page_token)
    found = jobs.newest(who.service.database, page_size + 1, before, state, sweep)
    token = paging.cursor(found[page_size - 1].job if len(found) > page_size else None)
    paging.link_next(request, response, token)
    places = forecast(who.service)
    items = []
    for job in found[:page_size]:
        place = places.get(job.job)
        items.append(
            JobOut.of(job) if place is None else JobOut.of(job, place.position, place.starts_at)
        )
    return Page(items=items, next_page_token=token)


@router.post("/jobs", status_code=202, response_model=JobOut)
async def add_job(
    who: Runs, request: Request, response: Response, asked: AnyAsked, key: Key = None
) -> Any:
    """Ask for a search, or for work on one. With an Idempotency-Key it is safe to send again."""
    from starlette.concurrency import run_in_threadpool

    body = await request.body()
    return await run_in_threadpool(_add, who, response, asked, key, body)


def _add(who: Who, response: Response, asked: AnyAsked, key: str | None, body: bytes) -> Any:
    def make() -> RequestAnswer:
        job = ask(who.service, asked, who.token)
        who.note(job.kind, f"job {job.job}", f"sweep {job.sweep}")
        where = f"/api/v1/jobs/{job.job}"
        return RequestAnswer(202, where, job_out(who, job).model_dump(mode="json"))

    answer = once(who.service.database, key, who.token.name, "/jobs", body, make)
    response.headers["Location"] = answer.location or ""
    return answer.body


@router.get("/jobs/{job}", response_model=JobOut)
def get_job(who: Reads, job: paging.Number, request: Request, response: Response) -> Any:
    """One job; `error` says why it failed."""
    found = jobs.get(who.service.database, job)
    etag = etag_of(found)
    response.headers["ETag"] = etag
    if paging.is_known(request, etag) and found.is_over:
        return Response(status_code=304, headers={"ETag": etag})
    return job_out(who, found)


def etag_of(job: Job) -> str:
    """Return the name of a job's version."""
    return f'W/"{job.version}"'


class JobChange(RequestPart):
    """What may be changed of a job that waits."""

    priority: Annotated[Whole, Field(ge=0, le=100)] | None = None
    held: Flag | None = None


@router.patch("/jobs/{job}")
def change_job(who: Runs, job: paging.Number, asked: JobChange, request: Request) -> JobOut:
    """Change a job's priority, hold it, or let it go. Needs If-Match."""
    with who.service.database.changing():
        found = jobs.get(who.service.database, job)
        paging.check_version(request, etag_of(found), needed=True)
        if found.is_over:
            raise UsageError(f"job {job} is over ({found.state}); ask for a new one")
        changes = asked.model_dump(exclude_none=True)
        if changes:
            found = jobs.change(who.service.database, job, **changes)
            told = ", ".join(f"{name} {value}" for name, value in changes.items())
            who.note("change", f"job {job}", told)
    who.service.wake.set()
    return job_out(who, found)


class CancelAsked(RequestPart):
    """How a job is cancelled."""

    now: Flag = False
    """Kill its process in place of letting the epoch end; what was saved stays."""


@router.post("/jobs/{job}/cancel", status_code=202)
def cancel_job(who: Runs, job: paging.Number, asked: CancelAsked | None = None) -> JobOut:
    """Cancel a job: one that waits is gone, one that runs is asked to stop. May be sent again."""
    now = asked is not None and asked.now
    found = control.cancel(who.service, job, now=now)
    who.note("cancel", f"job {job}", "now" if now else None)
    return job_out(who, found)


@router.get("/jobs/{job}/log")
def get_job_log(
    who: Reads, job: paging.Number, bytes: Annotated[int, Query(ge=1, le=1_000_000)] = 65_536
) -> LogOut:
    """The end of what a job printed."""
    jobs.get(who.service.database, job)
    return LogOut(job=job, text=tail(who.service.folder.log(job), bytes))


@router.get(
    "/jobs/{job}/model",
    response_class=FileResponse,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
def get_model(who: Reads, job: paging.Number) -> FileResponse:
    """The Keras file that an export wrote."""
    found = jobs.get(who.service.database, job)
    path = who.service.folder.model(job, found.sweep)
    if found.kind is not JobKind.EXPORT or found.state is not JobState.FINISHED:
        raise NotFoundError(f"job {job} has written no model ({found.kind}, {found.state})")
    if not path.is_file():
        raise NotFoundError(f"the model of job {job} was removed; export it again")
    return FileResponse(path, filename=path.name, media_type="application/octet-stream")
