"""The assignments that wait for a trainer, and the order in which they are trained.

Two rules, each where it is needed: a trainer that reads models faster than it trains them takes
the same share of every bracket (`Queue.take` by turns), and of the models that have been read the
most urgent is trained first (`urgency`).
"""

from collections import Counter, deque
from collections.abc import Iterable

from sweep.records import Assignment


class Queue:
    """Assignments that nobody has taken yet.

    The loop puts them in, a trainer takes them out when it has room: a `training.contract.Source`.
    """

    def __init__(self, assignments: Iterable[Assignment] = ()) -> None:
        self._brackets: dict[int, deque[tuple[int, Assignment]]] = {}
        """Of each bracket, what waits, each with its number in the order of arrival."""
        self._taken: Counter[int] = Counter()
        self._n_arrived = 0
        self.extend(assignments)

    def __len__(self) -> int:
        return sum(map(len, self._brackets.values()))

    def extend(self, assignments: Iterable[Assignment]) -> None:
        """Put assignments behind those that wait."""
        for assignment in assignments:
            waiting = self._brackets.setdefault(assignment.bracket or 0, deque())
            waiting.append((self._n_arrived, assignment))
            self._n_arrived += 1

    def take(self, *, by_turns: bool = False) -> Assignment | None:
        """Return the assignment whose turn it is, or None if none waits.

        That is the first that came. By turns it is the first of the bracket of which the smallest
        share has been taken, so that long assignments are among the first: a bracket of many
        trials has short ones.
        """
        waiting = [bracket for bracket, queue in self._brackets.items() if queue]
        if not waiting:
            return None
        bracket = min(waiting, key=self._share if by_turns else self._first_arrival)
        self._taken[bracket] += 1
        return self._brackets[bracket].popleft()[1]

    def _first_arrival(self, bracket: int) -> int:
        return self._brackets[bracket][0][0]

    def _share(self, bracket: int) -> tuple[float, int]:
        taken = self._taken[bracket]
        return taken / (taken + len(self._brackets[bracket])), -bracket


def urgency(assignment: Assignment) -> tuple[int, int]:
    """Return a key that sorts assignments: first those of a bracket with many rungs to come."""
    return -(assignment.bracket or 0), assignment.assignment
