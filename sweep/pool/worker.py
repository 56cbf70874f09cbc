"""The worker's half: it takes what it is given, and says what its trainer reports.

It is the same whatever carries the messages. Two threads use a `Carrier`: the one that owns the
trainer calls `run`, another one calls `give`, `stop` and `close`.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from sweep.pool.face import Done, EpochTrained, Event, GivenAssignment, Idle, KeptState
from sweep.records import Assignment, EpochRecord
from sweep.training.checkpoint import TrialState
from sweep.training.contract import Trainer


class Carrier:
    """A `training.contract.Source` of what was given, and a `Journal` that says what it is told."""

    def __init__(self, say: Callable[[Event], None]) -> None:
        self._say = say
        self._inbox: deque[GivenAssignment] = deque()
        self._taken: dict[int, GivenAssignment] = {}
        """By the number of the assignment."""
        self._stopping: int | None = None
        self._is_closed = False
        self._changed = threading.Condition()

    def give(self, work: Iterable[GivenAssignment]) -> None:
        """Put assignments behind those that wait."""
        with self._changed:
            self._inbox.extend(work)
            self._changed.notify()

    def stop(self, token: int) -> None:
        """End the epoch under way; nothing is begun of what was given before."""
        with self._changed:
            self._inbox = deque(given for given in self._inbox if given.token > token)
            self._stopping = token
            self._changed.notify()

    def close(self) -> None:
        """Have `run` return after the epoch under way."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def run(self, trainer: Trainer) -> None:
        """Carry out what is given until the carrier is closed. Raises what the trainer raises."""
        while not self._is_closed:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._inbox or self._stopping is not None or self._is_closed
                )
            for ended in trainer.train(self, self, self._must_stop):
                given = self._taken.pop(ended.assignment.assignment)
                self._say(Done(given.token, ended.outcome, ended.state, ended.records))
            self._answer_stop()

    def _must_stop(self) -> bool:
        return self._is_closed or self._stopping is not None

    def _answer_stop(self) -> None:
        with self._changed:
            token, self._stopping = self._stopping, None
        if token is not None:
            self._taken.clear()
            self._say(Idle(token))

    # Source

    def take(self, *, by_turns: bool = False) -> Assignment | None:
        """Return what was given first; the head has chosen the order."""
        with self._changed:
            if self._stopping is not None or not self._inbox:
                return None
            given = self._inbox.popleft()
        self._taken[given.assignment.assignment] = given
        return given.assignment

    # Journal

    def load(self, assignment: Assignment) -> TrialState | None:
        return self._taken[assignment.assignment].state

    def checkpoint(
        self, assignment: Assignment, state: TrialState, records: Sequence[EpochRecord]
    ) -> None:
        self._say(KeptState(self._token(assignment), state, tuple(records)))

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        self._say(EpochTrained(self._token(assignment), record))

    def _token(self, assignment: Assignment) -> int:
        return self._taken[assignment.assignment].token
