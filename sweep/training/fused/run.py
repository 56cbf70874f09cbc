"""One assignment on its way through the fused trainer, from its model to its outcome."""

import math
import time
import traceback
from dataclasses import dataclass, field, replace

import numpy as np

from sweep import metrics
from sweep.errors import SweepError
from sweep.records import Assignment, EpochRecord, Outcome, OutcomeStatus
from sweep.training.checkpoint import TrialState
from sweep.training.contract import Journal
from sweep.training.early_stopping import EarlyStopping
from sweep.training.fused.description import Description
from sweep.training.fused.group import Measures, Seat
from sweep.training.fused.packing import Generators, Packing, generators
from sweep.training.fused.program.arrays import State
from sweep.training.fused.program.shape import Shape
from sweep.training.fused.reading.kept import Readings
from sweep.training.fused.reading.refusal import NotCarriedError


@dataclass(eq=False)
class Run:
    """An assignment waiting, in a slot, or done.

    `seat` and `arrays` stand once it has entered; `arrays` only until it sits.
    """

    assignment: Assignment
    journal: Journal
    patience: int | None
    description: Description | None = None
    records: list[EpochRecord] = field(default_factory=list)
    early_stopping: EarlyStopping = field(init=False)
    seconds: float = 0.0
    seat: Seat = field(init=False)
    arrays: State = field(init=False)
    _entered: bool = False
    _trained: bool = False
    _best: Generators | None = None
    _val_losses: np.ndarray | None = None
    _failure: str | None = None

    def __post_init__(self) -> None:
        self.early_stopping = EarlyStopping(self.patience)

    def __lt__(self, other: "Run") -> bool:
        """Whether it is more urgent: under way, or of a bracket with more rungs to wait for."""
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
    def _urgency(self) -> tuple[bool, int, int]:
        bracket = self.assignment.bracket or 0
        return not self._entered, -bracket, self.assignment.assignment

    def read(self, readings: Readings) -> Description | None:
        """The description of the trial's model; None when it could not be had: it has failed."""
        started = time.perf_counter()
        try:
            self.description = readings.description(self.assignment)
        except NotCarriedError as error:
            self._finish_failed(f"the fused trainer cannot carry this model: {error}", None)
        except Exception as exception:  # whatever a user's build raises is that trial's failure
            self._finish_failed(_one_line(exception), traceback.format_exc())
        self.seconds += time.perf_counter() - started
        return self.description

    def enter(self, shape: Shape, readings: Readings) -> bool:
        """Load the trial's state, unless it is loaded; False when nothing is left to train."""
        if self._entered:  # back from a group that was too large
            self.seat.packing = Packing(self._described, shape)
            return True
        started = time.perf_counter()
        try:
            state = self.journal.load(self.assignment)
            if state is None:
                state = readings.initial_state(self.assignment, self.patience)
            self._restore(state, Packing(self._described, shape))
        except SweepError:
            raise
        except Exception as exception:
            self._finish_failed(_one_line(exception), traceback.format_exc())
            return False
        self.seconds += time.perf_counter() - started
        self._entered = True
        if self._done:
            self.finish(None)
        return not self._done

    def _restore(self, state: TrialState, packing: Packing) -> None:
        self.arrays, clock = packing.pack(state)
        self.early_stopping = state.early_stopping
        self._val_losses = state.val_losses
        if state.best:
            self._best = generators(packing.description.model_roles, state.best)
        epoch = max(state.epoch, self.assignment.first_epoch)
        self.seat = Seat(packing, clock, self.assignment.seed, epoch)

    @property
    def _done(self) -> bool:
        reached = self.seat.epoch >= self.assignment.last_epoch
        return reached or self.early_stopping.stopped or self._failure is not None

    def end_epoch(self, measures: Measures, seconds: float) -> bool:
        """Record the epoch that just ended; True when the trial is done."""
        epoch = self.seat.epoch
        self.seconds += seconds
        record = EpochRecord(
            epoch=epoch,
            fit_loss=measures.fit_loss,
            fit_bce=measures.fit_bce,
            train_bce=measures.train_bce,
            val_bce=measures.val_bce,
            val_loss=measures.val_loss,
            val_accuracy=measures.val_accuracy,
            val_auc=measures.val_auc,
            learning_rate=measures.learning_rate,
            seconds=seconds,
        )
        self.records.append(record)
        self._trained = True
        for name in ("fit_loss", "val_bce", "train_bce"):
            value = getattr(record, name)
            if not math.isfinite(value):
                self._failure = f"{name} became {value} in epoch {epoch}"
                return True
        self.early_stopping = self.early_stopping.after(epoch, record.val_bce)
        if self.early_stopping.best_epoch == epoch:
            self.seat.improved = True
            self._best = self.seat.clock.generators
            self._val_losses = metrics.kept_losses(measures.val_losses)
        self.journal.epoch(self.assignment, record)
        return self._done

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

    def fail(self, error: Exception) -> None:
        """End the trial as failed by `error`."""
        self._finish_failed(_one_line(error), traceback.format_exc())

    def finish(self, arrays: State | None) -> None:
        """End the assignment: completed, stopped early, or failed."""
        if self._failure is not None:
            self._finish_failed(self._failure, None)
            return
        stopped = self.early_stopping.stopped
        status = OutcomeStatus.STOPPED if stopped else OutcomeStatus.COMPLETED
        kept = None if arrays is None or not self._trained else self._state(arrays)
        self.journal.finish(self.assignment, self._outcome(status), kept, self.records)

    def _finish_failed(self, error: str, trace: str | None) -> None:
        outcome = self._outcome(OutcomeStatus.FAILED, error, trace)
        self.journal.finish(self.assignment, outcome, None, self.records)

    def _outcome(
        self, status: OutcomeStatus, error: str | None = None, trace: str | None = None
    ) -> Outcome:
        first = self.assignment.first_epoch
        return Outcome(
            status=status,
            epochs=max(0, self.seat.epoch - first) if self._entered else 0,
            params=None if self.description is None else self.description.params,
            seconds=self.seconds,
            error=error,
            traceback=trace,
        )

    def _state(self, arrays: State) -> TrialState:
        seat = self.seat
        state = seat.packing.unpack(seat.epoch, arrays, seat.clock, self._best, self.early_stopping)
        return replace(state, val_losses=self._val_losses)


def _one_line(exception: Exception) -> str:
    text = " ".join(str(exception).split()) or "no message"
    return f"{type(exception).__name__}: {text}"
