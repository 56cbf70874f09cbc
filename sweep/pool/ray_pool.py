"""A pool of Ray actors, on one machine or on a cluster. The only file that imports Ray.

Of Ray this uses actors, their death notices and the object store that every node has; no truth is
in Ray. The actors belong to this process: they end with it.
"""

import os
import signal
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ray as untyped_ray
from ray.exceptions import ActorDiedError, OutOfMemoryError, RayError

from sweep.data.split import Split
from sweep.errors import PlatformError
from sweep.numerics import flags_of
from sweep.pool.briefing import Opens, bytes_of
from sweep.pool.face import Alive, Event, GivenAssignment, Lost, Ready, Said
from sweep.pool.ray_worker import Actor, Share
from sweep.pool.seat import Seat

ray: Any = untyped_ray
"""Half of Ray's functions have no types."""

_ENV = ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL")
_MOST_BYTES = 2 << 30
_ANSWER_SECONDS = 3.0
"""In which a cluster's door must open."""
_DEATH_SECONDS = 3.0
"""After which one that was ended counts as lost, whatever Ray knows of it."""


@dataclass
class _RayWorker:
    actor: Any
    seat: Seat
    poll: Any
    """The answer that is waited for."""
    orders: set[Any] = field(default_factory=set)
    """Answers to what was handed over: they say whether it has arrived."""
    is_ready: bool = False
    why: str | None = None
    """Why the head has ended it."""
    is_refused: bool = False
    ended_at: float | None = None
    """When the head has ended it."""


class RayPool:
    """A `Pool` of `n_workers` actors, or of as many as the cluster has room for.

    Joins the cluster that RAY_ADDRESS names or that `ray start` has begun here, else starts one.
    `threads` is how many a worker computes with: more cores are of no use to it. Rows go to each
    node once; of more than `most_bytes`, each worker takes those that its host has.
    """

    def __init__(
        self,
        briefing: Opens,
        split: Split,
        n_workers: int | None = None,
        *,
        threads: int = 1,
        on_gpu: bool = False,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        self._workers: dict[int, _RayWorker] = {}
        self._n_started = 0
        self._why = "none was started"
        self._is_own = _join()
        try:
            is_sent = not briefing.names_rows or bytes_of(split) <= most_bytes
            self._briefing, self._split = ray.put(briefing), ray.put(split if is_sent else None)
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
            worker.orders.add(method.options(concurrency_group="orders").remote(value))

    def events(self, timeout: float) -> Sequence[Said]:
        if not self._workers:
            raise PlatformError(
                f"no worker of the pool can work ({self._why}); mend that, or leave out --pool"
            )
        self._end_deaf()
        polls = {worker.poll: number for number, worker in self._workers.items()}
        done, _ = ray.wait([*polls], num_returns=len(polls), timeout=0)
        if not done:
            done, _ = ray.wait([*polls], num_returns=1, timeout=timeout)
        said: list[Said] = []
        for poll in done:
            said += [(polls[poll], event) for event in self._heard(polls[poll])]
        return said + self._gone()

    def _gone(self) -> list[Said]:
        """Return workers that were ended, and whose node does not even say that they are dead."""
        said: list[Said] = []
        for number, worker in [*self._workers.items()]:
            if worker.ended_at is None or time.monotonic() - worker.ended_at < _DEATH_SECONDS:
                continue
            lost = Lost(worker.why or "it was ended")
            self._replace(number, worker, lost.why, wanted_memory=False)
            said.append((number, lost))
        return said

    def _end(self, worker: _RayWorker) -> None:
        worker.ended_at = time.monotonic()
        ray.kill(worker.actor)

    def _end_deaf(self) -> None:
        """End actors that something did not reach: what they hold would be waited for in vain."""
        for worker in self._workers.values():
            if not worker.orders:
                continue
            done, _ = ray.wait([*worker.orders], num_returns=len(worker.orders), timeout=0)
            worker.orders.difference_update(done)
            try:
                ray.get(done)
            except (ActorDiedError, OutOfMemoryError):
                continue  # its poll says so too
            except RayError as error:
                worker.orders.clear()
                worker.why = worker.why or f"an order did not reach it: {_in_a_line(error)}"
                self._end(worker)

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
            self._replace(number, worker, lost.why, wanted_memory=wanted_memory)
            return events[: events.index(lost) + 1]
        worker.poll = _polled(worker.actor)
        for event in events:
            if isinstance(event, Ready):
                worker.is_ready = True
                worker.seat.started()
            elif not isinstance(event, Alive):
                worker.seat.worked()
        return events

    def _replace(self, number: int, worker: _RayWorker, why: str, *, wanted_memory: bool) -> None:
        """Start another one for one that was lost, if that has a point."""
        del self._workers[number]
        self._why = why
        ray.kill(worker.actor)
        goes_on = worker.seat.is_lost(why, was_ready=worker.is_ready, wanted_memory=wanted_memory)
        if goes_on and not worker.is_refused:
            self._start(worker.seat)

    def close(self, worker: int | None = None, refused: str | None = None) -> None:
        if worker is not None:
            if (one := self._workers.get(worker)) is not None:
                one.why = refused or "nothing was heard of its work"
                one.is_refused = refused is not None
                self._end(one)
            return
        for one in self._workers.values():
            ray.kill(one.actor)
        self._workers.clear()
        if self._is_own:
            ray.shutdown()


def _polled(actor: Any) -> Any:
    return actor.poll.options(concurrency_group="polls").remote()


def _in_a_line(error: RayError) -> str:
    """The error's reason, which is not in its first line if an actor has died."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = next((line for line in lines if "because" in line), lines[0] if lines else "")
    return f"{type(error).__name__}: {said}".rstrip(": ")


def _join() -> bool:
    """Join a cluster, or start one; return whether that is this process' to end."""
    if ray.is_initialized():
        return False
    quiet = {"log_to_driver": False, "logging_level": "error"}
    before = signal.getsignal(signal.SIGTERM)
    asked = os.environ.get("RAY_ADDRESS")
    address = asked or _standing_cluster()
    try:
        if address is None:
            cores = len(os.sched_getaffinity(0))
            ray.init(address="local", include_dashboard=False, num_cpus=cores, **quiet)
        else:
            ray.init(address=address, **quiet)
    except ConnectionError:
        where = f"RAY_ADDRESS={asked}" if asked else f"{address}, where ray start has begun one"
        raise PlatformError(
            f"there is no Ray cluster at {where}; start it, or "
            f"{'remove the variable' if asked else 'run ray stop'} for a cluster on this machine"
        ) from None
    except Exception as error:
        raise PlatformError(
            f"Ray does not start or join here ({error}); mend that, or take --pool N for processes "
            "of this machine"
        ) from error
    finally:  # Ray's would end this process at once, with what it has not saved
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)
    return True


def _standing_cluster() -> str | None:
    """Return the address of the cluster that `ray start` has begun on this machine, if it answers.

    Ray itself would wait for minutes for one that was killed, and would join the cluster of another
    sweep, which ends with that sweep.
    """
    kept = Path(os.environ.get("RAY_TMPDIR", "/tmp"), "ray", "ray_current_cluster")
    try:
        address = kept.read_text().strip()
        host, _, port = address.rpartition(":")
        with socket.create_connection((host, int(port)), _ANSWER_SECONDS):
            return address
    except (OSError, ValueError, OverflowError):
        return None


def _shares(n_workers: int | None, threads: int, on_gpu: bool) -> tuple[int, Share]:
    """How many actors there are to be, and what each asks for.

    Raises PlatformError if the cluster has nothing of what they need.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if on_gpu:
        n_gpus = sum(int(node.get("GPU", 0)) for node in nodes)
        if not n_gpus and n_workers is None:
            raise PlatformError(
                "the Ray cluster has no GPU, and the sweep began on one; add a machine with one, "
                "or leave out --pool where this machine has one"
            )
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
