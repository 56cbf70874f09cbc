"""Trains many trials at once: each epoch of a group of alike trials is one compiled program.

Trials are queued by shape. A program's slots are filled from its queue; a trial that ends,
stops early or fails leaves its slot to the next, so that a slot is idle only when its queue is
empty.
"""

import gc
import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import keras
import tensorflow as tf

from sweep.data.split import Split
from sweep.records import Assignment
from sweep.training.contract import Journal, StopRequested
from sweep.training.fused.arrays import Program
from sweep.training.fused.group import Group, Resident
from sweep.training.fused.memory import memory_budget, on_gpu
from sweep.training.fused.programs import compiled
from sweep.training.fused.reading import Readings
from sweep.training.fused.run import Run
from sweep.training.fused.shapes import Rows, Shape, shape_of
from sweep.training.model import Build

_log = logging.getLogger(__name__)


@dataclass
class FusedTrainer:
    """Trains every trial whose model it can read; any other is finished as failed.

    `checkpoint_seconds` is how much training a killed process may lose. A trial's seconds are
    its share of the group's.
    """

    build: Build
    split: Split
    batch_size: int
    patience: int | None
    checkpoint_seconds: float = 10.0
    name: str = "fused"
    readings: Readings = field(init=False)
    _programs: dict[Shape, Program] = field(init=False, default_factory=dict)
    _narrower: dict[Shape, Shape] = field(init=False, default_factory=dict)
    _resident: Resident | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.readings = Readings(self.build)

    @property
    def compilations(self) -> int:
        """Programs compiled so far."""
        return len(self._programs)

    def train(
        self, assignments: Sequence[Assignment], journal: Journal, stop: StopRequested
    ) -> None:
        queues: dict[Shape, deque[Run]] = {}
        for assignment in assignments:
            if stop():
                return
            run = Run(assignment, journal, self.patience)
            description = run.read(self.readings)
            if description is not None:
                shape = shape_of(description, self._rows, memory_budget(), on_gpu())
                queues.setdefault(shape, deque()).append(run)
        for shape, queue in queues.items():
            if self._interrupted(shape, queue, stop):
                break
        keras.backend.clear_session()
        gc.collect()

    @property
    def _rows(self) -> Rows:
        return Rows(len(self.split.train.x), len(self.split.validation.x), self.batch_size)

    def _interrupted(self, shape: Shape, queue: deque[Run], stop: StopRequested) -> bool:
        """Train all of a queue; True when asked to stop before its end."""
        while shape in self._narrower:
            shape = self._narrower[shape]
        group = self._group(shape)
        live: dict[int, Run] = {}
        kept_at = time.perf_counter()
        while True:
            while queue and len(live) < shape.slots and not stop():
                run = queue.popleft()
                if run.enter(shape, self.readings):
                    live[group.seat(run.seat, run.arrays)] = run
            if not live:
                return stop()
            if stop():
                for slot, run in live.items():
                    run.checkpoint(group.arrays(slot))
                return True
            try:
                self._train_epoch(group, live)
            except (tf.errors.ResourceExhaustedError, MemoryError) as error:
                return self._interrupted(*self._split(shape, group, live, queue, error), stop)
            if time.perf_counter() - kept_at > self.checkpoint_seconds:
                for slot, run in live.items():
                    run.checkpoint(group.arrays(slot))
                kept_at = time.perf_counter()

    def _train_epoch(self, group: Group, live: dict[int, Run]) -> None:
        """Train an epoch of every trial in the group; those that are done leave."""
        started = time.perf_counter()
        measures = group.train_epoch()
        seconds = (time.perf_counter() - started) / len(live)
        for slot, run in list(live.items()):
            if run.end_epoch(measures[slot], seconds):
                run.finish(group.arrays(slot))
                group.leave(slot)
                del live[slot]

    def _split(
        self,
        shape: Shape,
        group: Group,
        live: dict[int, Run],
        queue: deque[Run],
        error: Exception,
    ) -> tuple[Shape, deque[Run]]:
        """Out of memory: half the slots from now on, the trials under way first.

        A single trial that does not fit fails.
        """
        for slot, run in sorted(live.items(), reverse=True):
            run.step_out(group.arrays(slot))
            queue.appendleft(run)
        if shape.slots == 1:
            queue.popleft().fail(error)
            return shape, queue
        narrower = replace(shape, slots=shape.slots // 2)
        self._narrower[shape] = narrower
        self._programs.pop(shape, None)
        _log.warning("out of memory with %d trials at once: trying %d", shape.slots, narrower.slots)
        return narrower, queue

    def _group(self, shape: Shape) -> Group:
        if self._resident is None:
            self._resident = Resident(self.split, self._rows)
        if shape not in self._programs:
            self._programs[shape] = compiled(shape)
            _log.info(
                "program %d: %d trials of widths %s",
                len(self._programs), shape.slots, "-".join(map(str, shape.widths)) or "none",
            )  # fmt: skip
        return Group(shape, self._programs[shape], self._resident)
