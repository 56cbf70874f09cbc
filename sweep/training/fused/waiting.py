"""The trials that wait for a program: the most urgent first, and company of their own depth."""

from collections.abc import Collection
from dataclasses import dataclass, field
from heapq import heappop, heappush

from sweep.training.fused.run import FusedRun


@dataclass
class Waiting:
    """Trials whose models have been read, in a heap for each depth.

    A program that loops over layers takes as long as its deepest trial.
    """

    _heaps: dict[int, list[FusedRun]] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(len(heap) for heap in self._heaps.values())

    def push(self, run: FusedRun) -> None:
        heappush(self._heaps.setdefault(run.depth, []), run)

    @property
    def first(self) -> FusedRun:
        """The most urgent trial of all."""
        return min(heap[0] for heap in self._heaps.values() if heap)

    def pop(self, depths: Collection[int] = ()) -> FusedRun:
        """Take the most urgent trial of these depths, or of all if no trial of them waits."""
        alike = [heap[0] for depth in depths if (heap := self._heaps.get(depth))]
        run = min(alike) if alike else self.first
        return heappop(self._heaps[run.depth])
