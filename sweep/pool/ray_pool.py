"""A pool of Ray actors, on one machine or on a cluster. The only file that imports Ray.

Of Ray this uses actors, their death notices and the object store that every node has; no truth is
in Ray. The actors belong to this process: they end with it.
"""

import fcntl
import os
import queue
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ray as untyped_ray
from ray.exceptions import OutOfMemoryError, RayError

from sweep.data.split import Split
from sweep.disk import of_this_process
from sweep.errors import PlatformError
from sweep.numerics import flags_of
from sweep.pool.briefing import Opens
from sweep.pool.face import Alive, Event, GivenAssignment, Lost, Ready, Said
from sweep.pool.seat import Seat
from sweep.pool.worker import Carrier

ray: Any = untyped_ray
"""Half of Ray's functions have no types."""

_POLL_SECONDS = 5.0
"""After which an actor that has nothing to say gives a sign of life."""
_ENV = ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL")
_OF_THE_NODE = "sweep-cores-{}"


@dataclass(frozen=True)
class Share:
    """What each actor asks Ray for."""

    cores: int
    gpus: int = 0


class Actor:
    """A worker in a process of Ray's. What it says is fetched by `poll`."""

    def __init__(self, briefing: Opens, split: Split, share: Share, most: int) -> None:
        self._said: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._carrier = Carrier(self._said.put)
        # a core is claimed by the thread that imports TensorFlow: what it starts inherits it
        work = partial(self._work, briefing, split, share, most)
        threading.Thread(target=work, daemon=True).start()

    def _work(self, briefing: Opens, split: Split, share: Share, most: int) -> None:
        try:
            if not share.gpus:
                _claim_cores(share.cores)
            own = Path(tempfile.mkdtemp(prefix=of_this_process("sweep-space-")))
            opened = briefing.opened(split, own, most)
            self._said.put(opened.ready)
            self._carrier.run(opened.trainer)
        except BaseException as error:
            self._said.put(Lost(" ".join(f"{type(error).__name__}: {error}".split())))

    def give(self, work: Sequence[GivenAssignment]) -> None:
        """Take assignments."""
        self._carrier.give(work)

    def stop(self, token: int) -> None:
        """End the epoch under way."""
        self._carrier.stop(token)

    def poll(self) -> list[Event]:
        """Return what was said since; wait for the first, or give a sign of life."""
        found: list[Event] = []
        with suppress(queue.Empty):
            found.append(self._said.get(timeout=_POLL_SECONDS))
            while True:
                found.append(self._said.get_nowait())
        return found or [Alive()]


@dataclass
class _RayWorker:
    actor: Any
    seat: Seat
    poll: Any
    """The answer that is waited for."""
    is_ready: bool = False
    why: str | None = None
    """Why the head has ended it."""
    is_refused: bool = False


class RayPool:
    """A `Pool` of `n_workers` actors, or of as many as the cluster has room for.

    Joins the cluster that runs here or that RAY_ADDRESS names, else starts one on this machine.
    `threads` is how many a worker computes with: more cores are of no use to it.
    """

    def __init__(
        self,
        briefing: Opens,
        split: Split,
        n_workers: int | None = None,
        *,
        threads: int = 1,
        on_gpu: bool = False,
    ) -> None:
        self._workers: dict[int, _RayWorker] = {}
        self._n_started = 0
        self._why = "none was started"
        self._is_own = _join()
        try:
            self._briefing, self._split = ray.put(briefing), ray.put(split)
            number, self._share = _shares(n_workers, threads, on_gpu)
            for _ in range(number):
                self._start(Seat())
        except BaseException:
            self.close()
            raise

    @property
    def actors(self) -> list[Any]:
        """Handles of the actors."""
        return [worker.actor for worker in self._workers.values()]

    def _start(self, seat: Seat) -> None:
        grouped = ray.remote(concurrency_groups={"orders": 1, "polls": 1})(Actor)
        kind = grouped.options(
            num_cpus=self._share.cores,
            num_gpus=self._share.gpus,
            max_restarts=0,
            runtime_env={"env_vars": _environment()},
        )
        actor = kind.remote(self._briefing, self._split, self._share, seat.most)
        number, self._n_started = self._n_started, self._n_started + 1
        self._workers[number] = _RayWorker(actor, seat, _polled(actor))

    def give(self, worker: int, work: Sequence[GivenAssignment]) -> None:
        if (one := self._workers.get(worker)) is not None:
            self._send(one, one.actor.give, [*work])

    def stop(self, token: int) -> None:
        for worker in self._workers.values():
            self._send(worker, worker.actor.stop, token)

    def _send(self, worker: _RayWorker, method: Any, value: object) -> None:
        with suppress(RayError):  # its loss is told by its poll
            method.options(concurrency_group="orders").remote(value)

    def events(self, timeout: float) -> Sequence[Said]:
        if not self._workers:
            raise PlatformError(
                f"no worker of the pool can work ({self._why}); mend that, or leave out --pool"
            )
        polls = {worker.poll: number for number, worker in self._workers.items()}
        done, _ = ray.wait([*polls], num_returns=len(polls), timeout=0)
        if not done:
            done, _ = ray.wait([*polls], num_returns=1, timeout=timeout)
        said: list[Said] = []
        for poll in done:
            said += [(polls[poll], event) for event in self._heard(polls[poll])]
        return said

    def _heard(self, number: int) -> list[Event]:
        """What an actor's poll brought, the next poll being under way."""
        worker = self._workers[number]
        wanted_memory = False
        try:
            events: list[Event] = ray.get(worker.poll)
        except RayError as error:
            wanted_memory = isinstance(error, OutOfMemoryError)
            events = [Lost(worker.why or _in_a_line(error))]
        if (lost := next((e for e in events if isinstance(e, Lost)), None)) is not None:
            self._replace(number, worker, lost.why, wanted_memory)
            return events[: events.index(lost) + 1]
        worker.poll = _polled(worker.actor)
        for event in events:
            if isinstance(event, Ready):
                worker.is_ready = True
                worker.seat.started()
            elif not isinstance(event, Alive):
                worker.seat.worked()
        return events

    def _replace(self, number: int, worker: _RayWorker, why: str, wanted_memory: bool) -> None:
        """Start another one for one that was lost, if that has a point."""
        del self._workers[number]
        self._why = why
        ray.kill(worker.actor)
        goes_on = worker.seat.is_lost(was_ready=worker.is_ready, wanted_memory=wanted_memory)
        if goes_on and not worker.is_refused:
            self._start(worker.seat)

    def close(self, worker: int | None = None, refused: str | None = None) -> None:
        if worker is not None:
            if (one := self._workers.get(worker)) is not None:
                one.why = refused or "nothing was heard of its work"
                one.is_refused = refused is not None
                ray.kill(one.actor)
            return
        for one in self._workers.values():
            ray.kill(one.actor)
        self._workers.clear()
        if self._is_own:
            ray.shutdown()


def _polled(actor: Any) -> Any:
    return actor.poll.options(concurrency_group="polls").remote()


def _in_a_line(error: RayError) -> str:
    first = str(error).strip().splitlines()[0] if str(error).strip() else ""
    return f"{type(error).__name__}: {first}".rstrip(": ")


def _join() -> bool:
    """Join a cluster, or start one; return whether that is this process' to end."""
    if ray.is_initialized():
        return False
    quiet = {"log_to_driver": False, "logging_level": "error"}
    try:
        ray.init(address="auto", **quiet)
    except ConnectionError:
        if os.environ.get("RAY_ADDRESS"):
            raise PlatformError(
                f"there is no Ray cluster at RAY_ADDRESS={os.environ['RAY_ADDRESS']}; start it, or "
                "remove the variable for a cluster on this machine"
            ) from None
        cores = len(os.sched_getaffinity(0))
        ray.init(address="local", include_dashboard=False, num_cpus=cores, **quiet)
    except Exception as error:
        raise PlatformError(f"Ray does not start or join here ({error})") from error
    return True


def _shares(n_workers: int | None, threads: int, on_gpu: bool) -> tuple[int, Share]:
    """How many actors there are to be, and what each asks for.

    Raises PlatformError if the cluster has nothing of what they need.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if on_gpu:
        n_gpus = sum(int(node.get("GPU", 0)) for node in nodes)
        if not n_gpus and n_workers is None:
            raise PlatformError("the Ray cluster has no GPU, and the sweep began on one")
        return n_workers or n_gpus, Share(1, 1)
    cores = [int(node.get("CPU", 0)) for node in nodes if node.get("CPU", 0) >= 1]
    if not cores:
        raise PlatformError("the Ray cluster has no CPU to give; see: ray status")
    if n_workers is not None:
        each = max(1, min(threads, min(cores), sum(cores) // n_workers))
        return n_workers, Share(each)
    each = max(1, min(threads, min(cores)))
    return sum(number // each for number in cores), Share(each)


def _environment() -> dict[str, str]:
    """What actors need of this process' environment; threads are set as the sweep stored them."""
    named = {name: os.environ[name] for name in _ENV if name in os.environ}
    return {**flags_of(os.environ), **named}


_claimed: list[int] = []
"""Descriptors that hold this process' cores until it ends."""


def _claim_cores(number: int) -> None:
    """Keep this thread, and those it starts, to cores of the node that no other actor has.

    To Ray cores are numbers only: without this each actor would start groups for all of them.
    """
    folder = Path(tempfile.gettempdir()) / _OF_THE_NODE.format(os.getuid())
    folder.mkdir(mode=0o700, exist_ok=True)
    found: list[int] = []
    for core in sorted(os.sched_getaffinity(0)):
        if len(found) == number:
            break
        descriptor = os.open(folder / str(core), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
        else:
            _claimed.append(descriptor)
            found.append(core)
    if len(found) == number:
        os.sched_setaffinity(0, found)
