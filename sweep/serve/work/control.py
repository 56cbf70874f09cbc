"""What people do to jobs: cancel, hold, go on."""

import os
import signal
from contextlib import suppress

from sweep.serve.queue import jobs
from sweep.serve.queue.job import Job, JobState, Wanted
from sweep.serve.service import Service
from sweep.serve.work import notices


def cancel(service: Service, number: int, *, now: bool = False) -> Job:
    """Cancel a job: one that waits is over, one at work is asked to stop, or killed if `now`.

    A job that is over stays as it is. Raises NotFoundError.
    """
    with service.database.changing():
        job = jobs.get(service.database, number)
        if job.is_over:
            return job
        if not job.is_at_work:
            job = jobs.end(service.database, job, JobState.CANCELLED, reason="cancelled")
            notices.enter(service, job)
        else:
            job = jobs.want(service.database, job, Wanted.CANCEL)
            if now and job.wanted_at is not None:  # as if it had been asked long ago
                job = jobs.change(service.database, number, wanted_at=0.0)
    service.wake.set()
    return job


def kill(pid: int | None, number: signal.Signals) -> None:
    """Send a signal to a job's process, and with SIGKILL to all that it started."""
    if pid is None:
        return
    with suppress(ProcessLookupError, PermissionError):
        if number is signal.SIGKILL:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
