"""Routes of the service itself: devices, the queue, tokens, the audit log."""

import shutil
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from sweep.serve.access import tokens
from sweep.serve.access.tokens import TokenScope
from sweep.serve.api import paging
from sweep.serve.api.models import (
    DeviceOut,
    EntryOut,
    NewTokenOut,
    Page,
    QueueOut,
    TokenOut,
)  # fmt: skip
from sweep.serve.api.who import Admins, Reads
from sweep.serve.queue import audit, jobs
from sweep.serve.service import Service
from sweep.serve.work.asked import Flag, Real, RequestPart

router = APIRouter(tags=["service"])


class QueueChange(RequestPart):
    """What may be changed of the queue as a whole."""

    paused: Flag


class TokenAsked(RequestPart):
    """A token that is asked for."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    scopes: Annotated[list[TokenScope], Field(min_length=1)]
    days: Annotated[Real, Field(gt=0, le=36_500)] | None = None


@router.get("/devices")
def list_devices(who: Reads) -> Page[DeviceOut]:
    """The devices that jobs may use, and which job is on each."""
    return Page(items=devices_out(who.service))


def devices_out(service: Service) -> list[DeviceOut]:
    """Return the devices with the jobs on them."""
    on = {job.place: job.job for job in jobs.at_work(service.database)}
    return [
        DeviceOut(name=one.name, kind=one.kind, cores=list(one.cores), job=on.get(one.name))
        for one in service.options.devices
    ]


@router.get("/queue")
def get_queue(who: Reads) -> QueueOut:
    """The queue as a whole: whether it is drained, and how many jobs are in each state."""
    return queue_out(who.service)


def queue_out(service: Service) -> QueueOut:
    """Return the queue as a whole."""
    return QueueOut(
        paused=service.is_paused,
        jobs=jobs.counts(service.database),
        free_bytes=shutil.disk_usage(service.options.results).free,
    )


@router.patch("/queue")
def change_queue(who: Admins, asked: QueueChange) -> QueueOut:
    """Drain the queue, so that nothing new starts, or let it go on."""
    who.service.pause(asked.paused)
    who.note("pause" if asked.paused else "go on", "queue")
    return queue_out(who.service)


@router.get("/tokens")
def list_tokens(who: Admins) -> Page[TokenOut]:
    """All tokens, without their secrets."""
    return Page(items=[TokenOut.of(one) for one in tokens.tokens(who.service.database)])


@router.post("/tokens", status_code=201)
def add_token(who: Admins, asked: TokenAsked, response: Response) -> NewTokenOut:
    """Make a token. Its secret is in this answer and nowhere else."""
    scopes = tokens.scopes_of(asked.scopes)
    token, secret = tokens.add(who.service.database, asked.name, scopes, asked.days)
    who.note("add token", token.name, " ".join(sorted(scopes)))
    response.headers["Location"] = "/api/v1/tokens"
    return NewTokenOut(**TokenOut.of(token).model_dump(), secret=secret)


@router.delete("/tokens/{name}", status_code=204)
def remove_token(who: Admins, name: Annotated[str, Path(max_length=64)]) -> Response:
    """Remove a token, and end its sessions."""
    tokens.remove(who.service.database, name)
    who.note("remove token", name)
    return Response(status_code=204)


@router.get("/audit")
def list_audit(
    who: Reads,
    request: Request,
    response: Response,
    page_size: paging.PageSize = 100,
    page_token: paging.PageToken = None,
) -> Page[EntryOut]:
    """Who did what, when, from where, the latest first."""
    found = audit.entries(who.service.database, page_size + 1, paging.number_of(page_token))
    token = paging.cursor(found[page_size - 1].entry if len(found) > page_size else None)
    paging.link_next(request, response, token)
    return Page(items=[EntryOut.of(one) for one in found[:page_size]], next_page_token=token)
