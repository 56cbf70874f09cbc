"""A pool of processes of this host, each with its share of the cores, or a GPU.

A process that ends is replaced by another in its place, unless such processes do not start, or end
again and again before they have trained an epoch.
"""

import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from sweep.data.split import Split
from sweep.disk import new_space_folder
from sweep.errors import PlatformError
from sweep.numerics import flags_of
from sweep.pool import memory
from sweep.pool.briefing import Opens, write_briefing
from sweep.pool.channel import Channel, ClosedError
from sweep.pool.face import Alive, Event, GivenAssignment, Lost, Ready, Said
from sweep.pool.places import Place
from sweep.pool.seat import Seat

_COMMAND = (sys.executable, "-P", "-m", "sweep.pool.process_worker")
_START_SECONDS = 300.0
"""Within which a worker has to be ready."""
_END_SECONDS = 2.0
"""For workers to end by themselves, once they are no longer needed."""
_DEATH_SECONDS = 10.0
"""For a process to be gone once it was killed; one that a driver holds fast is left behind."""


@dataclass
class _ProcessWorker:
    """A process at work."""

    process: subprocess.Popen[bytes]
    channel: Channel
    place: Place
    seat: Seat
    orders: queue.SimpleQueue[list[GivenAssignment] | int | None] = field(
        default_factory=queue.SimpleQueue
    )
    started_at: float = field(default_factory=time.monotonic)
    n_killed: int = field(default_factory=memory.n_killed)
    is_ready: bool = False
    given_up: str | None = None
    """Why the head has ended it."""
    is_refused: bool = False


class ProcessPool:
    """A `Pool` of a process at each place."""

    def __init__(self, briefing: Opens, split: Split, places: Sequence[Place]) -> None:
        self._said: queue.SimpleQueue[Said] = queue.SimpleQueue()
        self._workers: dict[int, _ProcessWorker] = {}
        self._n_started = 0
        self._why = "none was started"
        self._folder = new_space_folder()
        try:
            write_briefing(briefing, split, self._folder)
            for place in places:
                self._start(place, Seat())
        except OSError as error:
            self.close()
            raise PlatformError(
                f"cannot start workers ({error}); see that {self._folder.parent} has room for the "
                "rows (TMPDIR names another folder), and the system for processes"
            ) from error
        except BaseException:
            self.close()
            raise

    @property
    def processes(self) -> list[int]:
        """The workers' process numbers."""
        return [worker.process.pid for worker in self._workers.values()]

    def _start(self, place: Place, seat: Seat) -> None:
        number, self._n_started = self._n_started, self._n_started + 1
        own = self._folder / f"worker-{number}"
        own.mkdir()
        channel, other = Channel.pair()
        cores = ",".join(map(str, place.cores))
        with other:
            process = subprocess.Popen(
                (*_COMMAND, str(other.fileno()), cores, str(seat.most), self._folder, own),
                pass_fds=[other.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=_environment(place),
                start_new_session=True,  # a terminal's Ctrl-C is the head's to hear
            )
        worker = self._workers[number] = _ProcessWorker(process, channel, place, seat)
        for target in (self._hear, self._speak):
            threading.Thread(target=target, args=(number, worker), daemon=True).start()

    def _hear(self, number: int, worker: _ProcessWorker) -> None:
        """Pass on what a worker says, and at last that it is gone."""
        why = None
        try:
            while True:
                event: Event = worker.channel.receive()
                if isinstance(event, Lost):
                    why = event.why
                else:
                    self._said.put((number, event))
        except ClosedError:
            pass
        except Exception as error:  # whatever unpickling raises; a thread that ends says nothing
            why = f"it said what cannot be read: {type(error).__name__}: {error}"
            worker.process.kill()
        worker.orders.put(None)
        code = _code(worker.process, _DEATH_SECONDS)
        if code is None:  # it has closed its end, and does not end itself
            worker.process.kill()
            code = _code(worker.process, _DEATH_SECONDS)
        self._said.put((number, Lost(worker.given_up or why or _ended(code, worker))))

    def _speak(self, number: int, worker: _ProcessWorker) -> None:
        with suppress(ClosedError):
            while (order := worker.orders.get()) is not None:
                worker.channel.send(order)

    def give(self, worker: int, work: Sequence[GivenAssignment]) -> None:
        if (one := self._workers.get(worker)) is not None:
            one.orders.put([*work])

    def events(self, timeout: float) -> Sequence[Said]:
        if not self._workers:
            raise PlatformError(
                f"no worker of the pool can work ({self._why}); mend that, or leave out --pool"
            )
        self._end_late_starters()
        found: list[Said] = []
        with suppress(queue.Empty):
            found.append(self._said.get(timeout=timeout))
            while True:
                found.append(self._said.get_nowait())
        for number, event in found:
            self._note(number, event)
        return found

    def _note(self, number: int, event: Event) -> None:
        worker = self._workers.get(number)
        if worker is None:
            return
        if isinstance(event, Lost):
            self._replace(number, worker, event.why)
        elif isinstance(event, Ready):
            worker.is_ready = True
            worker.seat.started()
        elif not isinstance(event, Alive):
            worker.seat.worked()

    def _replace(self, number: int, worker: _ProcessWorker, why: str) -> None:
        """Start another one where a worker was lost, if that has a point."""
        del self._workers[number]
        worker.channel.close()
        shutil.rmtree(self._folder / f"worker-{number}", ignore_errors=True)
        self._why = why
        wanted_memory = memory.n_killed() > worker.n_killed
        goes_on = worker.seat.is_lost(why, was_ready=worker.is_ready, wanted_memory=wanted_memory)
        if goes_on and not worker.is_refused:
            try:
                self._start(worker.place, worker.seat)
            except OSError as error:  # too many processes or files, no memory, no room
                self._why = f"cannot start a worker: {error}"

    def _end_late_starters(self) -> None:
        for worker in self._workers.values():
            waited = time.monotonic() - worker.started_at
            if not worker.is_ready and waited > _START_SECONDS:
                worker.given_up = f"it was not ready after {_START_SECONDS:.0f} seconds"
                worker.process.kill()
                worker.channel.hang_up()

    def stop(self, token: int) -> None:
        for worker in self._workers.values():
            worker.orders.put(token)

    def close(self, worker: int | None = None, refused: str | None = None) -> None:
        if worker is not None:
            if (one := self._workers.get(worker)) is not None:
                one.given_up = refused or "nothing was heard of its work"
                one.is_refused = refused is not None
                one.process.kill()
                one.channel.hang_up()
            return
        for one in self._workers.values():
            one.channel.close()
        deadline = time.monotonic() + _END_SECONDS
        for one in self._workers.values():
            if _code(one.process, max(0.0, deadline - time.monotonic())) is None:
                one.process.kill()
                _code(one.process, _DEATH_SECONDS)
        self._workers.clear()
        shutil.rmtree(self._folder, ignore_errors=True)


def _environment(place: Place) -> dict[str, str]:
    """A worker's: the head's, but for files in which libraries of the head's process write."""
    environment = {name: value for name, value in os.environ.items() if name != "TF_XLA_FLAGS"}
    environment |= flags_of(os.environ)
    if place.gpu is not None:
        environment["CUDA_VISIBLE_DEVICES"] = place.gpu
    return environment


def _code(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """Wait for a process' end; return its exit code, None if it has not ended by then."""
    with suppress(subprocess.TimeoutExpired):
        return process.wait(seconds)
    return None


def _ended(code: int | None, worker: _ProcessWorker) -> str:
    """How a process ended, in words."""
    if code is None:
        return f"process {worker.process.pid} hangs and cannot be killed"
    if code >= 0:
        return f"it ended by itself with exit code {code}"
    name = signal.Signals(-code).name if -code in {*signal.Signals} else f"signal {-code}"
    if memory.n_killed() > worker.n_killed:
        return f"killed for want of memory ({name})"
    return f"killed by {name}"
