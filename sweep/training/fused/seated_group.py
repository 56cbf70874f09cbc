"""A group at work: its slots filled from a queue, an epoch at a time."""

import time
from dataclasses import dataclass, field

from sweep.training.fused.group import Group, Measures
from sweep.training.fused.program.shape import Shape
from sweep.training.fused.queue import Queue
from sweep.training.fused.reading.kept import Readings
from sweep.training.fused.run import Run


@dataclass(frozen=True)
class Trained:
    """What a group's epoch brought: measures by slot, and each trial's share of its seconds."""

    measures: dict[int, Measures]
    seconds: float


@dataclass
class Lane:
    """A group and the trials in its slots.

    `train_epoch` may run in a thread of its own; all else belongs to the thread that owns the
    journal.
    """

    group: Group
    live: dict[int, Run] = field(default_factory=dict)
    _kept_at: float = field(default_factory=time.perf_counter)

    @property
    def shape(self) -> Shape:
        return self.group.shape

    def fill(self, queue: Queue, readings: Readings) -> None:
        """Seat trials of `queue` while there is room, of a seated depth if there are any."""
        while queue and len(self.live) < self.shape.slots:
            run = queue.pop({run.depth for run in self.live.values()})
            if run.enter(self.shape, readings):
                self.live[self.group.seat(run.seat, run.arrays)] = run

    def train_epoch(self) -> Trained:
        """Raises what the device raises when its memory does not suffice, nothing changed."""
        started = time.perf_counter()
        measures = self.group.train_epoch()
        return Trained(measures, (time.perf_counter() - started) / len(self.live))

    def end_epoch(self, trained: Trained) -> None:
        """Record the epoch; trials that are done leave."""
        for slot, run in list(self.live.items()):
            if run.end_epoch(trained.measures[slot], trained.seconds):
                run.finish(self.group.arrays(slot))
                self.group.leave(slot)
                del self.live[slot]

    def checkpoint(self, after_seconds: float = 0.0) -> None:
        """Keep every trial's state, if the last time was so long ago."""
        if time.perf_counter() - self._kept_at < after_seconds:
            return
        for slot, run in self.live.items():
            run.checkpoint(self.group.arrays(slot))
        self._kept_at = time.perf_counter()

    def clear(self) -> list[Run]:
        """Its trials in the order of their slots, their state in hand, for another group."""
        for slot, run in self.live.items():
            run.step_out(self.group.arrays(slot))
        return [run for _, run in sorted(self.live.items())]
