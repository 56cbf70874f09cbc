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
from collections.abc import Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace

from sweep.data.split import Split
from sweep.tasks.scoring import BINARY_CROSSENTROPY, Scoring
from sweep.training.contract import Ended, Endings, Journal, Source, StopRequested
from sweep.training.early_stopping import Patience
from sweep.training.fused.description import Description
from sweep.training.fused.device import groups_at_once, program_bytes
from sweep.training.fused.epoch_threads import EpochThreads
from sweep.training.fused.group import Resident, SlotGroup, Trained
from sweep.training.fused.program.arrays import Program
from sweep.training.fused.program.backend import is_out_of_memory, on_gpu
from sweep.training.fused.program.epoch import compiled
from sweep.training.fused.program.shape import RowCounts, Shape
from sweep.training.fused.program.shape_policy import ALIKE, Sharing, rows_of, shape_of
from sweep.training.fused.program.tracing import TRACING
from sweep.training.fused.reading.kept import Readings
from sweep.training.fused.run import TRAINER, FusedRun
from sweep.training.fused.seated_group import SeatedGroup
from sweep.training.fused.waiting import Waiting
from sweep.training.grace import Grace
from sweep.training.model import Build

_log = logging.getLogger(__name__)

_POLL_SECONDS = 0.2
"""At most so long after somebody asked to stop, the time is counted until an epoch is left."""

ByShape = defaultdict[Shape, Waiting]
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
    patience: Patience
    checkpoint_seconds: float = 10.0
    name: str = TRAINER
    program_bytes: int | None = None
    scoring: Scoring = BINARY_CROSSENTROPY
    sharing: Sharing = ALIKE
    readings: Readings = field(init=False)
    _programs: dict[Shape, Program] = field(init=False, default_factory=dict)
    _compiled: set[Shape] = field(init=False, default_factory=set)
    _narrower: dict[Shape, Shape] = field(init=False, default_factory=dict)
    _resident: dict[RowCounts, Resident] = field(init=False, default_factory=dict)
    """The split on the device, for each size of a batch."""

    def __post_init__(self) -> None:
        self.readings = Readings(self.build, self.split.task)

    @property
    def compilations(self) -> int:
        """Programs compiled so far."""
        return len(self._programs)

    def train(self, source: Source, journal: Journal, stop: StopRequested) -> Endings:
        waiting: ByShape = defaultdict(Waiting)
        at_work: dict[Future[dict[int, Trained]], SeatedGroup] = {}
        grace = Grace(stop)
        with EpochThreads(groups_at_once()) as threads:
            while True:
                reading = not stop() and (yield from self._read_next(source, journal, waiting))
                while len(at_work) < groups_at_once() and not stop():
                    group = yield from self._open(waiting, at_work.values(), reading)
                    if group is None:
                        break
                    at_work[threads.submit(group.train_epoch)] = group
                if not at_work and stop():
                    break
                done = not at_work and not any(waiting.values())
                if done and not (yield from self._read_next(source, journal, waiting)):
                    break
                if grace.is_over():
                    threads.leave()
                    for future, group in at_work.items():
                        if not group.leave_epoch():
                            yield from self._goes_on(group, future, waiting, stop)
                    break
                poll = 0 if reading else _POLL_SECONDS
                for future in wait(at_work, poll, FIRST_COMPLETED).done:
                    group = at_work.pop(future)
                    if (yield from self._goes_on(group, future, waiting, stop)):
                        at_work[threads.submit(group.train_epoch)] = group
        self.readings.forget_models()

    def shape(self, description: Description) -> Shape:
        """The program that carries the described trial."""
        most = self.program_bytes or program_bytes()
        rows = rows_of(description, self.rows)
        shape = shape_of(description, rows, most, on_gpu(), self.sharing)
        while shape in self._narrower:
            shape = self._narrower[shape]
        return shape

    @property
    def rows(self) -> RowCounts:
        """What decides the number of steps in an epoch."""
        n_train, n_validation = len(self.split.train), len(self.split.validation)
        unscored = n_train - self.split.n_scored
        return RowCounts(n_train, n_validation, self.batch_size, unscored)

    def _read_next(
        self, source: Source, journal: Journal, waiting: ByShape
    ) -> Generator[Ended, None, bool]:
        """Read one more model, and let its trial wait; False when there is none now."""
        assignment = source.take(by_turns=True)
        if assignment is None:
            return False
        run = FusedRun(assignment, journal, self.patience)
        TRACING.wait()
        ended = run.read(self.readings)
        if ended is not None:
            yield ended
        elif run.description is not None:
            waiting[self.shape(run.description)].push(run)
        return True

    def _open(
        self, waiting: ByShape, at_work: Iterable[SeatedGroup], reading: bool
    ) -> Generator[Ended, None, SeatedGroup | None]:
        """A group for the most urgent trial whose program can be filled.

        A program that is not compiled comes first, and nobody waits for one that is being so.
        """
        compiling = {group.shape for group in at_work if group.shape not in self._compiled}
        ready = [
            shape
            for shape, runs in waiting.items()
            if len(runs) >= (shape.slots if reading else 1) and shape not in compiling
        ]
        while ready:
            shape = min(ready, key=lambda shape: (shape in self._compiled, waiting[shape].first))
            group = SeatedGroup(self._group(shape))
            yield from group.fill(waiting[shape], self.readings)
            if group.live:
                return group
            ready.remove(shape)
        return None

    def _goes_on(
        self,
        group: SeatedGroup,
        future: Future[dict[int, Trained]],
        waiting: ByShape,
        stop: StopRequested,
    ) -> Generator[Ended, None, bool]:
        """Record the epoch that a group has trained; True when it has another to train."""
        try:
            trained = future.result()
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            failed = self._split(group, waiting, error)
            if failed is not None:
                yield failed
            return False
        self._compiled.add(group.shape)
        yield from group.end_epoch(trained)
        if stop():
            group.checkpoint()
            return False
        if group.live:
            yield from group.fill(waiting[group.shape], self.readings)
        group.checkpoint(self.checkpoint_seconds)
        return bool(group.live)

    def _split(self, group: SeatedGroup, waiting: ByShape, error: Exception) -> Ended | None:
        """Out of memory: half the slots from now on, the trials under way first.

        Returns the end of a single trial that does not fit: it fails.
        """
        shape, runs = group.shape, group.clear()
        if shape.slots == 1:
            return runs[0].fail(error)
        narrower = replace(shape, slots=shape.slots // 2)
        self._narrower[shape] = narrower
        self._programs.pop(shape, None)
        queued = waiting[shape]
        for run in (*runs, *(queued.pop() for _ in range(len(queued)))):
            waiting[narrower].push(run)
        _log.warning("out of memory with %d trials at once: trying %d", shape.slots, narrower.slots)
        return None

    def _group(self, shape: Shape) -> SlotGroup:
        if shape.rows not in self._resident:
            like = next(iter(self._resident.values()), None)
            self._resident[shape.rows] = Resident(self.split, shape.rows, self.scoring, like)
        if shape not in self._programs:
            self._programs[shape] = compiled(shape)
            _log.info(
                "program %d: %d trials of widths %s",
                len(self._programs), shape.slots, "-".join(map(str, shape.widths)) or "none",
            )  # fmt: skip
        return SlotGroup(shape, self._programs[shape], self._resident[shape.rows])
