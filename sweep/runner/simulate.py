"""How long a plan takes with a number of workers: a simulation of discrete events.

Each worker carries out one assignment at a time; brackets do not wait for each other, a rung waits
for all of the one below, and what waits is taken in the order in which a pool takes it.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from sweep.records import Assignment, Proposal
from sweep.training.queue import Queue

_Rung = tuple[int, int, int]
"""Iteration, bracket, rung."""


@dataclass(frozen=True)
class Simulated:
    """What came of a simulation."""

    seconds: float
    """Until the last assignment has ended."""
    busy: float
    """Share of the workers' time in which they trained."""


def simulated(
    proposals: Sequence[Proposal],
    cost: Callable[[Proposal], float],
    beside: Sequence[float],
    n_workers: int,
) -> Simulated:
    """Return how long a plan's proposals take, and what is trained `beside`, in seconds each."""
    seconds: list[float] = []
    rungs: dict[_Rung, list[Assignment]] = defaultdict(list)
    for one in proposals:
        where = one.iteration, one.bracket, one.rung
        rungs[where].append(_numbered(len(seconds), where))
        seconds.append(cost(one))
    first = [one for where, rung in rungs.items() if where[2] == 0 for one in rung]
    for each in beside:
        first.append(_numbered(len(seconds), (0, None, 0)))
        seconds.append(each)
    untold = {where: len(rung) for where, rung in rungs.items()}
    queue, free, now = Queue(first), n_workers, 0.0
    at_work: list[tuple[float, int, Assignment]] = []
    while True:
        while free and (taken := queue.take(by_turns=True)) is not None:
            free -= 1
            number = taken.assignment
            heappush(at_work, (now + seconds[number], number, taken))
        if not at_work:
            break
        now, _, ended = heappop(at_work)
        free += 1
        if ended.bracket is None:
            continue
        where = ended.iteration or 0, ended.bracket, ended.rung
        untold[where] -= 1
        if not untold[where]:
            queue.extend(rungs.get((where[0], where[1], where[2] + 1), ()))
    return Simulated(now, sum(seconds) / (n_workers * now) if now else 0.0)


def _numbered(number: int, where: tuple[int, int | None, int]) -> Assignment:
    iteration, bracket, rung = where
    return Assignment(number, number, rung, 0, 0, {}, 0, iteration=iteration, bracket=bracket)
