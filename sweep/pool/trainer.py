"""A trainer whose work is done by a pool: whole assignments to whole workers, a few ahead.

What a lost worker held goes on from its last checkpoint on another one. An assignment that has cost
several workers without getting further has its last try alone, and fails if that costs one too; so
it never takes others with it. As a trial's numbers depend on its own settings, seed and
state alone, they are the same whoever trains it, and however often it is begun again.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from sweep.pool.crew import Deaths, Held
from sweep.pool.face import (
    Alive,
    Done,
    EpochTrained,
    Event,
    GivenAssignment,
    Idle,
    KeptState,
    Lost,
    Ready,
    Said,
)
from sweep.pool.team import Team
from sweep.records import Assignment, Outcome, OutcomeStatus
from sweep.training.contract import Ended, Endings, Grouping, Journal, Source, StopRequested

_POLL_SECONDS = 0.2
"""At most so long after somebody asked to stop, workers are told."""


@dataclass
class PooledTrainer:
    """A `training.contract.Trainer` over a pool. Whoever has made the pool closes it."""

    team: Team
    most_deaths: int = 3
    """An assignment fails when so many workers have died with it before it got any further."""

    def train(self, source: Source, journal: Journal, stop: StopRequested) -> Endings:
        team, work = self.team, _Work(self.team, source, journal, Deaths(self.most_deaths))
        try:
            is_stopping = False
            said: Sequence[Said] = ()
            while True:
                with work.together():
                    for worker, event in said:
                        yield from work.hear(worker, event)
                    if not is_stopping and stop():
                        is_stopping = True
                        team.pool.stop(next(team.tokens))
                    if not is_stopping:
                        work.hand_out()  # before all is on the disk: they work meanwhile
                if not team.is_at_work and (is_stopping or not work.is_waiting):
                    return
                team.give_up_silent()
                said = team.pool.events(_POLL_SECONDS)
        finally:
            team.let_go()


class _Work:
    """One call of `train`: what waits, what is held, what was told."""

    def __init__(self, team: Team, source: Source, journal: Journal, deaths: Deaths) -> None:
        self._team = team
        self._source = source
        self._journal = journal
        self._deaths = deaths
        self._next: Assignment | None = None
        """One that was taken from the source to know whether there is any."""
        self._again: deque[Assignment] = deque()
        """What lost workers held: it goes first."""
        self._alone: deque[Assignment] = deque()
        """What has its last try: each goes to a worker that has nothing, and gets no company."""
        self._told: dict[int, int] = {}
        """The last epoch that the journal was told of, by trial."""

    @property
    def is_waiting(self) -> bool:
        """Whether there is an assignment that no worker has."""
        return self._look() is not None or bool(self._alone)

    def _look(self) -> Assignment | None:
        """The next one that may have company; it stays there."""
        if self._again:
            return self._again[0]
        if self._next is None:
            self._next = self._source.take(by_turns=True)
        return self._next

    def _take(self) -> Assignment:
        """The one that `_look` has shown."""
        if self._again or self._next is None:
            return self._again.popleft()
        found, self._next = self._next, None
        return found

    def together(self) -> AbstractContextManager[None]:
        """While open, what is kept is kept at once at the end, if the journal can do that."""
        journal = self._journal
        return journal.together() if isinstance(journal, Grouping) else nullcontext()

    def hand_out(self) -> None:
        """Give each worker what it has room for, the emptiest first."""
        members = self._team.members
        free = [worker for worker, member in members.items() if not member.held]
        while self._alone and free:
            self._give(free.pop(), self._alone.popleft(), alone=True)
        while self._look() is not None and (worker := self._with_most_room()) is not None:
            self._give(worker, self._take())

    def _with_most_room(self) -> int | None:
        """The worker to be given the next; one is kept free for what has to be alone."""

        def share(worker: int) -> float:
            return len(members[worker].held) / members[worker].capacity

        members = self._team.members
        kept_free = {min(members, key=share)} if self._alone and members else set()
        with_room = [w for w, one in members.items() if one.room > 0 and w not in kept_free]
        return min(with_room, key=share, default=None)

    def _give(self, worker: int, assignment: Assignment, *, alone: bool = False) -> None:
        team = self._team
        one = GivenAssignment(next(team.tokens), assignment, self._journal.load(assignment))
        member = team.members[worker]
        if not member.held:
            member.moved_at = team.clock()
        member.held[one.token] = Held(one)
        member.is_alone = alone
        team.pool.give(worker, [one])

    def hear(self, worker: int, event: Event) -> Iterator[Ended]:
        """Do what an event asks for; yields the end of an assignment."""
        team = self._team
        team.heard(worker, moved=not isinstance(event, Alive))
        if isinstance(event, Ready):
            team.join(worker, event)
        elif isinstance(event, Lost):
            yield from self._take_back(worker, event.why)
        elif isinstance(event, Idle):
            self._drop(worker, event.token)
            team.stopped(worker, event.token)
        elif isinstance(event, Done) and team.judge(worker, event):
            pass
        elif isinstance(event, EpochTrained | KeptState | Done):
            held = team.held(worker, event.token)
            if held is not None:
                yield from self._of_work(worker, held, event)

    def _of_work(
        self, worker: int, held: Held, event: EpochTrained | KeptState | Done
    ) -> Iterator[Ended]:
        if isinstance(event, EpochTrained):
            self._tell(held, event)
            return
        if isinstance(event, KeptState) and event.state.epoch <= held.kept:
            return  # said twice
        if not held.follows(event.records):
            self._team.pool.close(worker)  # something it said before was lost
            return
        if isinstance(event, KeptState):
            self._journal.checkpoint(held.assignment, event.state, event.records)
            held.kept = event.state.epoch
            return
        self._release(worker, held)
        self._deaths.forget(held.assignment)
        number = self._team.crew.number(worker)
        yield Ended(held.assignment, event.outcome, event.state, event.records, number)

    def _tell(self, held: Held, event: EpochTrained) -> None:
        """Tell of an epoch once, also if it is trained again."""
        trial, epoch = held.assignment.trial, event.record.epoch
        self._team.took(event.record.seconds)
        if epoch > self._told.get(trial, held.kept):
            self._told[trial] = epoch
            self._journal.epoch(held.assignment, event.record)

    def _release(self, worker: int, held: Held) -> None:
        member = self._team.members[worker]
        del member.held[held.given.token]
        member.is_alone = member.is_alone and bool(member.held)

    def _drop(self, worker: int, token: int) -> None:
        """A worker has stopped: it has no more to say of what it was given before."""
        member = self._team.members.get(worker)
        if member is not None:
            for held in [h for h in member.held.values() if h.given.token < token]:
                self._release(worker, held)

    def _take_back(self, worker: int, why: str) -> Iterator[Ended]:
        """Let wait, in front, what a lost worker held; what has cost too many workers fails."""
        again = []
        for held in self._team.leave(worker, why):
            n_deaths = self._deaths.count(held)
            if n_deaths >= self._deaths.most:
                self._deaths.forget(held.assignment)
                yield Ended(held.assignment, self._killed(held, why), None, ())
            elif n_deaths == self._deaths.most - 1:
                self._alone.append(held.assignment)
            else:
                again.append(held.assignment)
        self._again.extendleft(reversed(again))

    def _killed(self, held: Held, why: str) -> Outcome:
        return Outcome(
            OutcomeStatus.FAILED,
            epochs=max(0, held.kept - held.assignment.first_epoch),
            error=f"its worker died {self._deaths.most} times: {why}",
            trainer="pool",
        )
