"""When each job that waits will begin: when those before it end, as their plans say."""

import time
from dataclasses import dataclass

from sweep.errors import SweepError
from sweep.serve.queue import jobs
from sweep.serve.queue.job import Job
from sweep.serve.service import Service
from sweep.sweep_folder import SweepFolder


@dataclass(frozen=True)
class PlaceInLine:
    """A job's place in the line, from 1, and when it begins; None if that cannot be told."""

    position: int
    starts_at: float | None


def forecast(service: Service) -> dict[int, PlaceInLine]:
    """Return the place of each job that waits."""
    queued = jobs.queued(service.database)
    if not queued:
        return {}
    free = _free_at(service)
    found = {}
    for position, job in enumerate(queued, start=1):
        if job.held or (job.reason is not None and job.not_before == 0 and job.started_at is None):
            found[job.job] = PlaceInLine(position, None)
            continue
        suiting = [one for one in service.options.devices if one.suits(job.device)]
        known = [(at, name) for name, at in free.items() if at is not None]
        names = {one.name for one in suiting}
        known = [(at, name) for at, name in known if name in names]
        if not known:
            found[job.job] = PlaceInLine(position, None)
            continue
        at, name = min(known)
        at = max(at, job.not_before)
        found[job.job] = PlaceInLine(position, at)
        free[name] = None if job.estimated_seconds is None else at + job.estimated_seconds
    return found


def _free_at(service: Service) -> dict[str, float | None]:
    """Return when each device is free; None if that cannot be told."""
    free: dict[str, float | None] = {one.name: time.time() for one in service.options.devices}
    for job in jobs.at_work(service.database):
        if job.place in free:
            left = seconds_left(service, job)
            free[job.place] = None if left is None else time.time() + left
    return free


def seconds_left(service: Service, job: Job) -> float | None:
    """Return how long a job at work still takes: at its rate so far, else as its plan says."""
    try:
        folder = SweepFolder(service.options.results, job.sweep)
        found = service.looks.look(folder).look if folder.exists else None
    except SweepError:
        found = None
    if found is not None and found.time_left is not None:
        return max(found.time_left.seconds, 0.0)
    if job.estimated_seconds is None or job.started_at is None:
        return None
    return max(job.estimated_seconds - (time.time() - job.started_at), 0.0)
