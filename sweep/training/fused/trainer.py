"""Trains many trials at once: each epoch of a group of alike trials is one compiled program.

Trials wait by shape, the most urgent first: those of brackets with many rungs, whose next rung
waits for them. A program's slots are filled from its queue; a trial that ends, stops early or
fails leaves its slot to the next, and an empty group gives way to the most urgent trial of any
shape. On a CPU a few groups are at work at a time, each epoch in a thread of its own: what one
program does on a single core, and its compilation, is hidden behind another. Training begins as
soon as a program's slots can be filled, while further models are read; and what the end of a
trial brings is taken up at once.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

from sweep.data.split import Split
from sweep.records import Assignment
from sweep.training.contract import Journal, StopRequested
from sweep.training.fused.description import Description
from sweep.training.fused.device import groups_at_once, program_bytes
from sweep.training.fused.group import Group, Resident
from sweep.training.fused.program.arrays import Program
from sweep.training.fused.program.backend import is_out_of_memory, on_gpu
from sweep.training.fused.program.epoch import compiled
from sweep.training.fused.program.shape import RowCounts as Rows
from sweep.training.fused.program.shape import Shape
from sweep.training.fused.program.shape_policy import shape_of
from sweep.training.fused.queue import Queue
from sweep.training.fused.reading.kept import Readings
from sweep.training.fused.run import Run
from sweep.training.fused.seated_group import Lane, Trained
from sweep.training.model import Build

_log = logging.getLogger(__name__)

Queues = defaultdict[Shape, Queue]
"""Of each program, the trials that wait for it."""


@dataclass
class FusedTrainer:
    """Trains every trial whose model it can read; any other is finished as failed.

    `checkpoint_seconds` is how much training a killed process may lose. A program takes at most
    `program_bytes`, or what fits this machine. A trial's seconds are its share of the group's;
    groups that are at work together both count theirs.
    """

    build: Build
    split: Split
    batch_size: int
    patience: int | None
    checkpoint_seconds: float = 10.0
    name: str = "fused"
    program_bytes: int | None = None
    readings: Readings = field(init=False)
    _programs: dict[Shape, Program] = field(init=False, default_factory=dict)
    _compiled: set[Shape] = field(init=False, default_factory=set)
    _narrower: dict[Shape, Shape] = field(init=False, default_factory=dict)
    _resident: Resident | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.readings = Readings(self.build)

    @property
    def compilations(self) -> int:
        """Programs compiled so far."""
        return len(self._programs)

    def train(
        self, assignments: Iterable[Assignment], journal: Journal, stop: StopRequested
    ) -> None:
        unread = iter(assignments)
        waiting: Queues = defaultdict(Queue)
        at_work: dict[Future[Trained], Lane] = {}
        with ThreadPoolExecutor(groups_at_once()) as pool:
            while True:
                reading = not stop() and self._read_next(unread, journal, waiting)
                while len(at_work) < groups_at_once() and not stop():
                    lane = self._open(waiting, at_work.values(), reading)
                    if lane is None:
                        break
                    at_work[pool.submit(lane.train_epoch)] = lane
                if not at_work and stop():
                    break
                done = not at_work and not any(waiting.values())
                if done and not self._read_next(unread, journal, waiting):
                    break
                poll = 0 if reading else None
                for future in wait(at_work, poll, FIRST_COMPLETED).done:
                    lane = at_work.pop(future)
                    if self._goes_on(lane, future, waiting, stop):
                        at_work[pool.submit(lane.train_epoch)] = lane
        self.readings.forget_models()

    def shape(self, description: Description) -> Shape:
        """The program that carries the described trial."""
        most = self.program_bytes or program_bytes()
        shape = shape_of(description, self._rows, most, on_gpu())
        while shape in self._narrower:
            shape = self._narrower[shape]
        return shape

    @property
    def _rows(self) -> Rows:
        return Rows(len(self.split.train.x), len(self.split.validation.x), self.batch_size)

    def _read_next(self, unread: Iterator[Assignment], journal: Journal, waiting: Queues) -> bool:
        """Read one more model and queue its trial; False when there is none now."""
        assignment = next(unread, None)
        if assignment is None:
            return False
        run = Run(assignment, journal, self.patience)
        description = run.read(self.readings)
        if description is not None:
            waiting[self.shape(description)].push(run)
        return True

    def _open(self, waiting: Queues, at_work: Iterable[Lane], reading: bool) -> Lane | None:
        """A group for the most urgent trial whose program can be filled.

        A program that is not compiled comes first, and nobody waits for one that is being so.
        """
        compiling = {lane.shape for lane in at_work if lane.shape not in self._compiled}
        ready = [
            shape
            for shape, queue in waiting.items()
            if len(queue) >= (shape.slots if reading else 1) and shape not in compiling
        ]
        while ready:
            shape = min(ready, key=lambda shape: (shape in self._compiled, waiting[shape].first))
            lane = Lane(self._group(shape))
            lane.fill(waiting[shape], self.readings)
            if lane.live:
                return lane
            ready.remove(shape)
        return None

    def _goes_on(
        self, lane: Lane, future: Future[Trained], waiting: Queues, stop: StopRequested
    ) -> bool:
        """Record the epoch that a group has trained; True when it has another to train."""
        try:
            trained = future.result()
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            self._split(lane, waiting, error)
            return False
        self._compiled.add(lane.shape)
        lane.end_epoch(trained)
        if stop():
            lane.checkpoint()
            return False
        if lane.live:
            lane.fill(waiting[lane.shape], self.readings)
        lane.checkpoint(self.checkpoint_seconds)
        return bool(lane.live)

    def _split(self, lane: Lane, waiting: Queues, error: Exception) -> None:
        """Out of memory: half the slots from now on, the trials under way first.

        A single trial that does not fit fails.
        """
        shape, runs = lane.shape, lane.clear()
        if shape.slots == 1:
            runs[0].fail(error)
            return
        narrower = replace(shape, slots=shape.slots // 2)
        self._narrower[shape] = narrower
        self._programs.pop(shape, None)
        queued = waiting[shape]
        for run in (*runs, *(queued.pop() for _ in range(len(queued)))):
            waiting[narrower].push(run)
        _log.warning("out of memory with %d trials at once: trying %d", shape.slots, narrower.slots)

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
