"""A pool of threads, for tests: its workers die and its events go astray on purpose.

What a real pool cannot be made to do at a chosen moment, this one does by chance, from a seed.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from sweep.pool.face import Done, Event, GivenAssignment, KeptState, Lost, Ready, Said
from sweep.pool.worker import Carrier
from sweep.training.contract import Trainer


@dataclass(frozen=True)
class FaultRates:
    """How often something goes wrong, as shares of all events."""

    doubled: float = 0.0
    delayed: float = 0.0
    """Together with all that the worker says afterwards, until the next look."""
    lost: float = 0.0
    """Only of `KeptState` and `Done`."""
    deaths: float = 0.0
    """The worker dies, and goes on speaking."""
    seed: int = 0


class ThreadPool:
    """A `Pool` of `n_workers` threads, each with a trainer of its own."""

    def __init__(
        self,
        make_trainer: Callable[[], Trainer],
        n_workers: int,
        faults: FaultRates | None = None,
        capacity: int = 2,
    ) -> None:
        self._make_trainer = make_trainer
        self._capacity = capacity
        self._faults = faults or FaultRates()
        self._random = Random(self._faults.seed)
        self._said: queue.SimpleQueue[Said] = queue.SimpleQueue()
        self._late: list[Said] = []
        self._carriers: dict[int, Carrier] = {}
        self._threads: list[threading.Thread] = []
        self.n_started = 0
        for _ in range(n_workers):
            self._start()

    def _start(self) -> None:
        worker, self.n_started = self.n_started, self.n_started + 1
        carrier = Carrier(lambda event: self._said.put((worker, event)))
        self._carriers[worker] = carrier
        self._said.put((worker, Ready(self._capacity, host="here", device="a thread")))
        thread = threading.Thread(
            target=carrier.run, args=(self._make_trainer(),), name=f"worker-{worker}", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def give(self, worker: int, work: Sequence[GivenAssignment]) -> None:
        if (carrier := self._carriers.get(worker)) is not None:
            carrier.give(work)

    def events(self, timeout: float) -> Sequence[Said]:
        found, self._late = self._late, []
        try:
            found.append(self._said.get(timeout=0 if found else timeout))
            while True:
                found.append(self._said.get_nowait())
        except queue.Empty:
            return self._disturbed(found)

    def stop(self, token: int) -> None:
        for carrier in self._carriers.values():
            carrier.stop(token)

    def close(self, worker: int | None = None, refused: str | None = None) -> None:
        if worker is None:
            for carrier in self._carriers.values():
                carrier.close()
            self._carriers.clear()
            for thread in self._threads:
                thread.join()
        elif worker in self._carriers:
            self._die(worker, refused or "closed", again=refused is None)

    def _die(self, worker: int, why: str, *, again: bool = True) -> None:
        """Say that a worker is lost; what it is at work on, it ends, and says so too."""
        self._carriers.pop(worker).close()
        self._said.put((worker, Lost(why)))
        if again:
            self._start()

    def _disturbed(self, said: Sequence[Said]) -> list[Said]:
        """The events in an order that differs between workers, with what goes wrong by chance."""
        faults, chance = self._faults, self._random.random
        heard: list[Said] = []
        is_late: set[int] = set()
        for worker, event in self._reordered(said):
            if chance() < faults.deaths and worker in self._carriers:
                self._die(worker, "died by chance")
            if chance() < faults.delayed:
                is_late.add(worker)
            if worker in is_late:
                self._late.append((worker, event))
            elif chance() >= faults.lost or not isinstance(event, KeptState | Done):
                heard += [(worker, event)] * (2 if self._is_doubled(event) else 1)
        return heard

    def _is_doubled(self, event: Event) -> bool:
        return not isinstance(event, Ready | Lost) and self._random.random() < self._faults.doubled

    def _reordered(self, said: Sequence[Said]) -> list[Said]:
        """Return the events, each worker's in their order; which worker comes first is chance."""
        of: dict[int, list[Said]] = {}
        for one in said:
            of.setdefault(one[0], []).append(one)
        turns = [worker for worker, _ in said]
        self._random.shuffle(turns)
        return [of[worker].pop(0) for worker in turns]
