"""The workers that have joined: taken in or refused, given up when nothing is heard of them."""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sweep.pool.crew import AnyCrew, Crew, Held, Member
from sweep.pool.face import Done, GivenAssignment, Pool, Ready
from sweep.pool.fingerprint import fingerprint_of
from sweep.records import Assignment


@dataclass(frozen=True)
class Patience:
    """How long nothing may be heard of a worker, in seconds."""

    alive: float = 60.0
    """Without any sign of life; workers give one every few seconds."""
    work: float = 1800.0
    """Without news of its work: an epoch, in which models may be read and programs compiled."""
    epochs: int = 10
    """So many times as long as the longest epoch so far, if that is longer."""


@dataclass
class Team:
    """Who works for a pool's head."""

    pool: Pool
    crew: Crew = field(default_factory=AnyCrew)
    probe: Assignment | None = None
    """What each worker trains before it joins; None to believe what it says of itself."""
    patience: Patience = field(default_factory=Patience)
    clock: Callable[[], float] = time.monotonic
    members: dict[int, Member] = field(init=False, default_factory=dict)
    tokens: Iterator[int] = field(init=False, default_factory=lambda: itertools.count(1))
    _on_probation: dict[int, Member] = field(init=False, default_factory=dict)
    """Those who train the probe."""
    _longest: float = field(init=False, default=0.0)

    @property
    def is_at_work(self) -> bool:
        return any(member.held for member in self.members.values())

    def join(self, worker: int, ready: Ready) -> None:
        """Take a worker in, or on probation, or refuse it."""
        why = self.crew.joins(worker, ready)
        if why is not None:
            self.pool.close(worker, refused=why)
        elif self.probe is None:
            self._admit(worker, ready.capacity)
        else:
            self._on_probation[worker] = self._member(ready.capacity)
            self._give_probe(worker, self.probe)

    def _give_probe(self, worker: int, probe: Assignment) -> None:
        given = GivenAssignment(next(self.tokens), probe, None)
        self._on_probation[worker].held = {given.token: Held(given)}
        self.pool.give(worker, [given])

    def stopped(self, worker: int, token: int) -> None:
        """Give a worker on probation its probe again, if that was stopped with all else."""
        member = self._on_probation.get(worker)
        if member is not None and self.probe is not None and max(member.held) < token:
            self._give_probe(worker, self.probe)

    def judge(self, worker: int, done: Done) -> bool:
        """Take a worker in, or refuse it, by its probe; False if the event is of no probe."""
        member = self._on_probation.get(worker)
        if member is None or done.token not in member.held:
            return False
        del self._on_probation[worker]
        if done.state is None:
            why: str | None = f"its probe failed: {done.outcome.error}"
        else:
            why = self.crew.probed(worker, fingerprint_of(done.state, done.records))
        if why is None:
            self._admit(worker, member.capacity)
        else:
            self.pool.close(worker, refused=why)
        return True

    def _admit(self, worker: int, capacity: int) -> None:
        self.members[worker] = self._member(capacity)

    def _member(self, capacity: int) -> Member:
        now = self.clock()
        return Member(max(1, capacity), now, now)

    def leave(self, worker: int, why: str) -> list[Held]:
        """Forget a worker; return what it held, in the order in which it was given."""
        self._on_probation.pop(worker, None)
        self.crew.leaves(worker, why)
        member = self.members.pop(worker, None)
        return [] if member is None else [*member.held.values()]

    def heard(self, worker: int, *, moved: bool) -> None:
        """Take note that a worker said something, of its work if it `moved`."""
        member = self.members.get(worker) or self._on_probation.get(worker)
        if member is not None:
            member.heard_at = self.clock()
            if moved:
                member.moved_at = member.heard_at

    def held(self, worker: int, token: int) -> Held | None:
        """Return what a worker holds under a token; None if that counts no more."""
        member = self.members.get(worker)
        return None if member is None else member.held.get(token)

    def took(self, seconds: float) -> None:
        """Take note of how long an epoch took."""
        self._longest = max(self._longest, seconds)

    def give_up_silent(self) -> None:
        """End workers of which too little is heard; the pool then says that they are lost."""
        now, patience = self.clock(), self.patience
        longest = max(patience.work, patience.epochs * self._longest)
        for worker, member in [*self.members.items(), *self._on_probation.items()]:
            is_stuck = bool(member.held) and now - member.moved_at > longest
            if is_stuck or now - member.heard_at > patience.alive:
                member.heard_at = member.moved_at = now
                self.pool.close(worker)

    def let_go(self) -> None:
        """Nothing that was given counts any more."""
        if self.is_at_work:
            self.pool.stop(next(self.tokens))
        for member in self.members.values():
            member.held.clear()
            member.is_alone = False
