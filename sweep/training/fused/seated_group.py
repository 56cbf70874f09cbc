"""A group at work: trials that wait are seated in its slots, an epoch is trained at a time."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from sweep.training.contract import Ended
from sweep.training.fused.group import SlotGroup, Trained
from sweep.training.fused.program.shape import Shape
from sweep.training.fused.reading.kept import Readings
from sweep.training.fused.run import FusedRun
from sweep.training.fused.waiting import Waiting


@dataclass
class SeatedGroup:
    """A group and the trials in its slots.

    `train_epoch` may run in a thread of its own; all else belongs to the thread that owns the
    journal.
    """

    group: SlotGroup
    live: dict[int, FusedRun] = field(default_factory=dict)
    _kept_at: float = field(default_factory=time.perf_counter)

    @property
    def shape(self) -> Shape:
        return self.group.shape

    def fill(self, waiting: Waiting, readings: Readings) -> Iterator[Ended]:
        """Seat trials while there is room, of a seated depth if any waits.

        Yields the ends of those that have nothing to train.
        """
        while waiting and len(self.live) < self.shape.slots:
            run = waiting.pop({run.depth for run in self.live.values()})
            ended = run.enter(self.shape, readings)
            if ended is None:
                self.live[self.group.seat(run.seat, run.arrays)] = run
            else:
                yield ended

    def train_epoch(self) -> dict[int, Trained]:
        """What the epoch brought, by slot.

        Raises what the device raises when its memory does not suffice, nothing changed.
        """
        return self.group.train_epoch()

    def end_epoch(self, trained: dict[int, Trained]) -> Iterator[Ended]:
        """Record the epoch; yields the ends of the trials that are done and have left."""
        for slot, run in list(self.live.items()):
            if run.end_epoch(trained[slot].record, trained[slot].val_losses):
                ended = run.finish(self.group.arrays(slot))
                self.group.leave(slot)
                del self.live[slot]
                yield ended

    def checkpoint(self, after_seconds: float = 0.0) -> None:
        """Keep every trial's state, if the last time was so long ago."""
        if time.perf_counter() - self._kept_at < after_seconds:
            return
        for slot, run in self.live.items():
            run.checkpoint(self.group.arrays(slot))
        self._kept_at = time.perf_counter()

    def leave_epoch(self) -> bool:
        """Keep every trial's state as before the epoch under way; False if that has just ended."""
        self.group.leave_epoch()
        if any(run.seat.epoch > run.progress.epoch for run in self.live.values()):
            return False
        self.checkpoint()
        return True

    def clear(self) -> list[FusedRun]:
        """Its trials in the order of their slots, their state in hand, for another group."""
        for slot, run in self.live.items():
            run.step_out(self.group.arrays(slot))
        return [run for _, run in sorted(self.live.items())]
