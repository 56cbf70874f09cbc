"""The dispatcher: one thread that settles what ended, stops what is to stop, and starts the next.

It keeps nothing that the queue does not hold, but for the processes that it has begun itself: a
service that was killed goes on from the queue and from the locks that its jobs hold.
"""

import logging
import shlex
import shutil
import signal
import threading
import time
from contextlib import suppress

from sweep.errors import LockedError, SweepError
from sweep.runner import stop as stopping
from sweep.serve.queue import audit, jobs
from sweep.serve.queue.job import Job, JobKind, JobState, Wanted
from sweep.serve.service import Service
from sweep.serve.work import commands, notices, processes, settle
from sweep.serve.work.ask import AWAITS_APPROVAL
from sweep.serve.work.control import kill
from sweep.serve.work.devices import Device
from sweep.serve.work.plans import last_error
from sweep.sweep_folder import SweepFolder

_TURN_SECONDS = 0.25
_STOP_SECONDS, _TERM_SECONDS = 30.0, 10.0
"""How long a job may take to stop before SIGTERM, and from there to SIGKILL."""
_MOST_PASSED = 3
"""How often a job that cannot start lets later ones pass."""
_WHO = "sweep serve"
_log = logging.getLogger(__name__)


class Dispatcher:
    """Turns until it is closed; `turn` is one turn, for tests."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._children: dict[int, processes.Child] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)

    def start(self) -> None:
        """Begin to turn, in a thread."""
        self._thread.start()

    def close(self) -> None:
        """Turn no more. Processes go on."""
        self._closing.set()
        self.service.wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self.turn()
            except Exception:  # a disk that is full now may have room later
                _log.exception("the dispatcher met a fault and goes on")
                time.sleep(1.0)
            self.service.wake.wait(_TURN_SECONDS)
            self.service.wake.clear()

    def turn(self) -> None:
        """Settle, stop, start: once."""
        self.service.turned_at = time.monotonic()
        for job in jobs.at_work(self.service.database):
            if self._has_ended(job):
                self._settle(job)
            elif job.wanted is not None:
                self._press(job)
            elif job.state is JobState.STARTING:
                self._see_whether_it_runs(job)
        if not self.service.is_paused:
            self._start_next()

    def stop_all(self) -> None:
        """Ask all jobs at work to stop, so that they go on when a service runs again."""
        for job in jobs.at_work(self.service.database):
            jobs.want(self.service.database, job, Wanted.LEAVE)

    # Ends

    def _folder(self, job: Job) -> SweepFolder:
        return SweepFolder(self.service.options.results, job.sweep)

    def _has_ended(self, job: Job) -> bool:
        child = self._children.get(job.job)
        if child is not None and child.exit_code() is None:
            return False
        return not processes.is_alive(self.service.folder.lock(job.job))

    def _settle(self, job: Job) -> None:
        """Enter how a job's process ended, or that it is to go on."""
        child = self._children.pop(job.job, None)
        code = None if child is None else child.exit_code()
        folder, log = self._folder(job), self.service.folder.log(job.job)
        model = self.service.folder.model(job.job, job.sweep)
        ended = settle.how_it_ended(job, code, folder, log, model)
        worked = 0.0 if job.started_at is None else max(0.0, time.time() - job.started_at)
        changes: dict[str, object] = {
            "worked_seconds": job.worked_seconds + worked, "pid": None, "wanted": None,
            "wanted_at": None, "epochs": ended.epochs,
        }  # fmt: skip
        database = self.service.database
        with database.changing():
            if ended.state is None:
                self._go_on_or_fail(job, ended, code, changes)
            elif ended.state is JobState.PREEMPTED:
                why = "stopped for the service's end" if job.wanted is Wanted.LEAVE else None
                reason = why or "stopped for an urgent job"
                jobs.change(database, job.job, state=ended.state.value, reason=reason, **changes)
            else:
                jobs.change(database, job.job, **changes)
                jobs.end(database, job, ended.state, error=ended.error, exit_code=code)
            now = jobs.get(database, job.job)
            detail = now.error or now.reason
            audit.enter(database, _WHO, "service", f"job {now.state}", f"job {job.job}", detail)
            if now.is_over:
                notices.enter(self.service, now)

    def _go_on_or_fail(
        self, job: Job, ended: settle.EndedJob, code: int | None, changes: dict[str, object]
    ) -> None:
        """A process was killed: its job goes on after a while, if it got further each time."""
        waits = self.service.options.retry_seconds
        further = ended.epochs > job.epochs or job.kills == 0
        if job.started_at is None or (job.state is JobState.STARTING and job.pid is None):
            # it was never begun: the service was killed on the way
            changes |= {"state": JobState.WAITING.value, "reason": None}
        elif job.kills < len(waits) and further:
            wait = waits[job.kills]
            changes |= {
                "state": JobState.WAITING.value,
                "reason": f"its process was killed; it goes on after {wait:g} s",
                "not_before": time.time() + wait,
                "kills": job.kills + 1,
            }
        else:
            words = last_error(settle.end_of(self.service.folder.log(job.job)))
            changes |= {
                "state": JobState.FAILED.value,
                "ended_at": time.time(),
                "error": f"its process was killed {job.kills + 1} times; its last words: {words}",
                "exit_code": code,
            }
        jobs.change(self.service.database, job.job, **changes)

    def _see_whether_it_runs(self, job: Job) -> None:
        """A job runs once its process holds the sweep: what it needs is loaded and checked."""
        if job.kind in (JobKind.TEST, JobKind.EXPORT) or self._folder(job).holder() is not None:
            with self.service.database.changing():
                jobs.change(self.service.database, job.job, state=JobState.RUNNING.value)
                audit.enter(self.service.database, _WHO, "service", "job running", f"job {job.job}")

    # Stops

    def _press(self, job: Job) -> None:
        """Ask a process to stop, the more firmly the longer it takes."""
        waited = time.time() - (job.wanted_at or 0.0)
        folder = self._folder(job)
        if waited > _STOP_SECONDS + _TERM_SECONDS:
            kill(self._pid(job), signal.SIGKILL)
        elif waited > _STOP_SECONDS:
            kill(self._pid(job), signal.SIGTERM)
        elif not folder.stop_request.exists():
            with suppress(SweepError):
                if stopping.request(folder):
                    return
            if job.kind in (JobKind.TEST, JobKind.EXPORT) or not folder.exists:
                kill(self._pid(job), signal.SIGTERM)  # there is nothing to save yet

    def _pid(self, job: Job) -> int | None:
        return job.pid if processes.is_alive(self.service.folder.lock(job.job)) else None

    # Starts

    def _start_next(self) -> None:
        """Start what can start, in order; what cannot lets others pass, a few times."""
        taken = {job.place for job in jobs.at_work(self.service.database)}
        free = [one for one in self.service.options.devices if one.name not in taken]
        blocked: set[str] = set()
        for job in jobs.queued(self.service.database):
            if not self._is_ready(job):
                continue
            suiting = [d for d in free if self._suits(job, d) and d.name not in blocked]
            if not suiting:
                self._wait_for_device(job, blocked)
                continue
            self._begin(job, suiting[0])
            free.remove(suiting[0])

    def _is_ready(self, job: Job) -> bool:
        """Return whether a job may start now; say in it why not."""
        reason = None
        if job.held:
            reason = "held"
        elif job.not_before > time.time():
            return False
        elif self._awaits_approval(job):
            reason = AWAITS_APPROVAL
        elif shutil.disk_usage(self.service.options.results).free < self._least_free:
            reason = "there is too little room on the disk of the results"
        if reason is not None and reason != job.reason:
            jobs.change(self.service.database, job.job, reason=reason)
        return reason is None

    @property
    def _least_free(self) -> int:
        return self.service.options.least_free_bytes

    def _awaits_approval(self, job: Job) -> bool:
        row = self.service.database.row(
            "SELECT approved_at FROM space WHERE sha256 = ?", job.space_sha256
        )
        return row is not None and row["approved_at"] is None

    def _suits(self, job: Job, device: Device) -> bool:
        """A job that has begun goes on on the same kind of device: its numbers depend on it."""
        return device.suits(job.device) and job.kind_of_place in (None, device.kind)

    def _wait_for_device(self, job: Job, blocked: set[str]) -> None:
        """Stop a lesser job if this one may not wait; keep its device if it was passed often."""
        suiting = [one for one in self.service.options.devices if self._suits(job, one)]
        running = [
            one
            for one in jobs.at_work(self.service.database)
            if one.place in {device.name for device in suiting}
        ]
        if job.preempt and not any(one.wanted is Wanted.PREEMPT for one in running):
            lesser = [one for one in running if one.priority < job.priority and one.wanted is None]
            if lesser:
                chosen = min(lesser, key=lambda one: (one.priority, -one.job))
                jobs.want(self.service.database, chosen, Wanted.PREEMPT)
                detail = f"for job {job.job}"
                audit.enter(
                    self.service.database, _WHO, "service", "preempt", f"job {chosen.job}", detail
                )
        if job.preempt or job.passed >= _MOST_PASSED:
            blocked |= {one.name for one in suiting}

    def _begin(self, job: Job, device: Device) -> None:
        """Start a job's process. The queue says so before, and the process's number after."""
        database, queue = self.service.database, self.service.folder
        folder = self._folder(job)
        with database.changing():
            mark = settle.mark_of(job.kind, folder) if job.mark is None else job.mark
            job = jobs.change(
                database, job.job, state=JobState.STARTING.value, reason=None, mark=mark,
                place=device.name, kind_of_place=device.kind, started_at=time.time(), pid=None,
                error=None, wanted=None, wanted_at=None,
            )  # fmt: skip
        try:
            if folder.holder() is not None:
                raise LockedError(f"sweep {job.sweep} is being worked on by {folder.holder()}")
            arguments = self._arguments(job, folder)
            command = commands.whole_command(arguments, self.service.options.run_with)
            log = queue.log(job.job)
            with log.open("ab") as file:
                file.write(f"$ sweep {shlex.join(arguments)}\n".encode())
            child = processes.begin(
                command, queue.lock(job.job), log, device, self.service.options.results
            )
        except SweepError as error:
            with database.changing():
                code = error.exit_code
                job = jobs.end(database, job, JobState.FAILED, error=str(error), exit_code=code)
                audit.enter(database, _WHO, "service", "job failed", f"job {job.job}", job.error)
                notices.enter(self.service, job)
            return
        self._children[job.job] = child
        with database.changing():
            jobs.change(database, job.job, pid=child.pid)
            audit.enter(database, _WHO, "service", "start", f"job {job.job}", f"on {device.name}")

    def _arguments(self, job: Job, folder: SweepFolder) -> list[str]:
        options = self.service.options
        if settle.goes_on(job, folder):
            return commands.resume_command(job, options)
        if job.kind is JobKind.START:
            path = self.service.shelf.copy_of(job.space_sha256 or "", job.space or "")
            return commands.start_command(job, path, options)
        model = self.service.folder.model(job.job, job.sweep)
        if job.kind is JobKind.EXPORT:
            model.parent.mkdir(parents=True, exist_ok=True)
            model.unlink(missing_ok=True)
        return commands.other_command(job, options, model.absolute())
