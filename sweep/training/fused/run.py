"""One assignment on its way through the fused trainer, from its model to its outcome."""

import time
import traceback
from dataclasses import dataclass, field

import numpy as np

from sweep.errors import SweepError
from sweep.records import Assignment, EpochRecord, Outcome, OutcomeStatus
from sweep.training.checkpoint import TrialState
from sweep.training.contract import Ended, Journal
from sweep.training.early_stopping import Patience
from sweep.training.fused.description import Description
from sweep.training.fused.group import TrialSeat
from sweep.training.fused.layers.refusal import NotCarriedError
from sweep.training.fused.packing import Generators, Packing, generators
from sweep.training.fused.program.arrays import State
from sweep.training.fused.program.shape import Shape
from sweep.training.fused.reading.kept import Readings
from sweep.training.queue import urgency
from sweep.training.trial_progress import TrialProgress, error_line

TRAINER = "fused"
"""The trainer's name in outcomes."""


@dataclass(eq=False)
class FusedRun:
    """An assignment waiting, in a slot, or done.

    `seat` and `arrays` stand once it has entered; `arrays` only until it sits.
    """

    assignment: Assignment
    journal: Journal
    patience: Patience
    description: Description | None = None
    regularisation: str | None = None
    records: list[EpochRecord] = field(default_factory=list)
    seconds: float = 0.0
    progress: TrialProgress[Generators] = field(init=False)
    seat: TrialSeat = field(init=False)
    arrays: State = field(init=False)
    _entered: bool = False

    def __post_init__(self) -> None:
        self.progress = TrialProgress.begun(self.assignment, self.patience)

    def __lt__(self, other: "FusedRun") -> bool:
        """Whether this trial goes first: it is under way, or more waits for its assignment."""
        return self._urgency < other._urgency

    @property
    def depth(self) -> int:
        """Hidden layers. Raises RuntimeError before the model has been read."""
        return len(self._described.hidden)

    @property
    def _described(self) -> Description:
        if self.description is None:
            raise RuntimeError("a trial's model is read before anything else is done with it")
        return self.description

    @property
    def _urgency(self) -> tuple[bool, tuple[int, int]]:
        return not self._entered, urgency(self.assignment)

    def read(self, readings: Readings) -> Ended | None:
        """Get the description of the trial's model; returns the end of a trial that has none."""
        started = time.perf_counter()
        try:
            self.description = readings.description(self.assignment)
            self.regularisation = readings.regularisation(self.assignment)
        except NotCarriedError as error:
            return self._failed(f"the fused trainer cannot carry this model: {error}", None)
        except Exception as exception:  # whatever a user's build raises is that trial's failure
            return self.fail(exception)
        self.seconds += time.perf_counter() - started
        return None

    def enter(self, shape: Shape, readings: Readings) -> Ended | None:
        """Load the trial's state, unless it is loaded; returns its end if nothing is to train."""
        if self._entered:  # back from a group that was too large
            self.seat.packing = Packing(self._described, shape)
            return None
        started = time.perf_counter()
        try:
            self._restore(Packing(self._described, shape), readings)
        except SweepError:
            raise
        except Exception as exception:
            return self.fail(exception)
        self.seconds += time.perf_counter() - started
        self._entered = True
        return None if self.progress.ended is None else self.finish(None)

    def _restore(self, packing: Packing, readings: Readings) -> None:
        kept = self.journal.load(self.assignment)
        state = readings.initial_state(self.assignment, self.patience) if kept is None else kept
        self.arrays, clock = packing.pack(state)
        if kept is not None:
            roles = packing.description.model_roles
            self.progress = self.progress.restored(
                kept, generators(roles, kept.best) if kept.best else None
            )
        self.seat = TrialSeat(packing, clock, self.assignment.seed, self.progress.epoch)

    def end_epoch(self, record: EpochRecord, val_losses: np.ndarray) -> bool:
        """Record the epoch that just ended; True when the trial is done."""
        self.seconds += record.seconds
        self.records.append(record)
        self.progress = self.progress.after(record, val_losses, lambda: self.seat.clock.generators)
        if self.progress.failure is None:
            self.seat.improved = self.progress.is_best
            self.journal.epoch(self.assignment, record)
        return self.progress.ended is not None

    def checkpoint(self, arrays: State) -> None:
        """Keep the trial's state and go on; nothing to do when it has been kept."""
        if not self.records:
            return
        self.journal.checkpoint(self.assignment, self._state(arrays), self.records)
        self.records = []

    def step_out(self, arrays: State) -> None:
        """Leave the slot with the state in hand, to enter another group."""
        self.arrays = arrays
        self.seat.improved = False

    def fail(self, error: Exception) -> Ended:
        """The end of a trial that failed by `error`, which is being handled."""
        return self._failed(error_line(error), traceback.format_exc())

    def finish(self, arrays: State | None) -> Ended:
        """The end of an assignment that is done; `arrays` are its slot's, if it has been in one."""
        if self.progress.failure is not None:
            return self._failed(self.progress.failure, None)
        status = self.progress.ended or OutcomeStatus.COMPLETED
        state = None if arrays is None or not self.progress.n_trained else self._state(arrays)
        return self._ended(self._outcome(status), state)

    def _failed(self, error: str, trace: str | None) -> Ended:
        return self._ended(self._outcome(OutcomeStatus.FAILED, error, trace), None)

    def _ended(self, outcome: Outcome, state: TrialState | None) -> Ended:
        return Ended(self.assignment, outcome, state, tuple(self.records))

    def _outcome(
        self, status: OutcomeStatus, error: str | None = None, trace: str | None = None
    ) -> Outcome:
        return Outcome(
            status=status,
            epochs=max(0, self.progress.epoch - self.assignment.first_epoch),
            params=None if self.description is None else self.description.params,
            seconds=self.seconds,
            error=error,
            traceback=trace,
            trainer=TRAINER,
            regularisation=self.regularisation,
        )

    def _state(self, arrays: State) -> TrialState:
        return self.seat.packing.unpack(arrays, self.seat.clock, self.progress)
