"""Trains any model that `build(hp)` returns, one trial at a time, with `model.fit`."""

import gc
import math
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from sweep import metrics
from sweep.data.split import Split
from sweep.errors import SweepError
from sweep.records import Assignment, EpochRecord, Outcome, OutcomeStatus
from sweep.training import model as trial_model
from sweep.training.checkpoint import TrialState
from sweep.training.contract import Journal, StopRequested
from sweep.training.early_stopping import EarlyStopping
from sweep.training.model import Build, Evaluation, Model
from sweep.training.start_keras import traces_forgotten


class TrialFailedError(Exception):
    """The trial itself went wrong: its loss is no longer finite."""


@dataclass(frozen=True)
class KerasTrainer:
    """Trains with `model.fit`: shuffled batches, an epoch record and early stopping each epoch.

    `checkpoint_seconds` is how much training a killed process may lose.
    """

    build: Build
    split: Split
    batch_size: int
    patience: int | None
    checkpoint_seconds: float = 10.0
    name: str = "keras"

    def train(
        self, assignments: Iterable[Assignment], journal: Journal, stop: StopRequested
    ) -> None:
        for assignment in assignments:
            if stop():
                return
            with traces_forgotten():
                self._train_one(assignment, journal, stop)
            keras.backend.clear_session()
            gc.collect()

    def _train_one(self, assignment: Assignment, journal: Journal, stop: StopRequested) -> None:
        started = time.perf_counter()
        run = _Run(self, assignment, journal, stop)
        try:
            status, error, trace = run.train(), None, None
        except SweepError:
            raise
        except Exception as exception:  # whatever a user's model raises is that trial's failure
            status, error = OutcomeStatus.FAILED, _one_line(exception)
            trace = traceback.format_exc()
        if status is not OutcomeStatus.INTERRUPTED:
            outcome = Outcome(
                status=status,
                epochs=max(0, run.epoch - assignment.first_epoch),
                params=run.params,
                seconds=time.perf_counter() - started,
                error=error,
                traceback=trace,
            )
            kept = status is not OutcomeStatus.FAILED and run.trained
            journal.finish(assignment, outcome, run.state() if kept else None, run.records)


@dataclass
class _Run:
    """One assignment under way."""

    trainer: KerasTrainer
    assignment: Assignment
    journal: Journal
    stop: StopRequested
    epoch: int = 0
    params: int | None = None
    trained: bool = False
    records: list[EpochRecord] = field(default_factory=list)
    model: Model = None
    best: tuple[Any, ...] = ()
    val_losses: np.ndarray | None = None
    early_stopping: EarlyStopping = field(init=False)

    def __post_init__(self) -> None:
        self.epoch = self.assignment.first_epoch
        self.early_stopping = EarlyStopping(self.trainer.patience)

    def train(self) -> OutcomeStatus:
        """Build, restore and fit; returns how it ended. Raises what the model raises."""
        assignment = self.assignment
        self.model = trial_model.build_model(
            self.trainer.build, assignment.hyperparameters, assignment.seed
        )
        self.params = trial_model.count_params(self.model)
        state = self.journal.load(assignment)
        if state is not None:
            self._restore(state)
        unfinished = not self.early_stopping.stopped and self.epoch < assignment.last_epoch
        if unfinished and self._fit_is_interrupted():
            return OutcomeStatus.INTERRUPTED
        stopped = self.early_stopping.stopped
        return OutcomeStatus.STOPPED if stopped else OutcomeStatus.COMPLETED

    def _restore(self, state: TrialState) -> None:
        trial_model.set_state(self.model.variables, state.model)
        trial_model.set_state(self.model.optimizer.variables, state.optimizer)
        self.epoch = state.epoch
        self.best, self.val_losses = state.best, state.val_losses
        self.early_stopping = state.early_stopping

    def _fit_is_interrupted(self) -> bool:
        rows, batch_size = self.trainer.split.train, self.trainer.batch_size
        last_epoch = self.assignment.last_epoch
        callback = _EpochEnd(self)
        self.model.fit(
            trial_model.shuffled_batches(
                rows, batch_size, self.assignment.seed, self.epoch, last_epoch
            ),
            initial_epoch=self.epoch,
            epochs=last_epoch,
            steps_per_epoch=math.ceil(len(rows.x) / batch_size),
            shuffle=False,  # the batches come shuffled
            callbacks=[callback],
            verbose=0,
        )
        return callback.interrupted

    def end_epoch(self, logs: dict[str, float], started: float) -> None:
        """Evaluate and record the epoch that just ended, then step early stopping."""
        validation = trial_model.evaluate(self.model, self.trainer.split.validation)
        record = self._record(logs, validation, started)
        self.epoch, self.trained = record.epoch, True
        self.records.append(record)
        for name in ("fit_loss", "val_bce", "train_bce"):
            value = getattr(record, name)
            if not math.isfinite(value):
                raise TrialFailedError(f"{name} became {value} in epoch {record.epoch}")
        self.early_stopping = self.early_stopping.after(record.epoch, record.val_bce)
        if self.early_stopping.best_epoch == record.epoch:
            self.best = trial_model.get_state(self.model.variables)
            self.val_losses = metrics.kept_losses(validation.losses)
        self.journal.epoch(self.assignment, record)

    def _record(
        self, logs: dict[str, float], validation: Evaluation, started: float
    ) -> EpochRecord:
        train = trial_model.evaluate(self.model, self.trainer.split.train)
        return EpochRecord(
            epoch=self.epoch + 1,
            fit_loss=float(logs["loss"]),
            fit_bce=float(logs["binary_crossentropy"]),
            train_bce=train.bce,
            val_bce=validation.bce,
            val_loss=validation.bce + trial_model.penalty(self.model),
            val_accuracy=validation.accuracy,
            val_auc=validation.auc,
            learning_rate=trial_model.learning_rate(self.model),
            seconds=time.perf_counter() - started,
        )

    def state(self) -> TrialState:
        return TrialState(
            epoch=self.epoch,
            model=trial_model.get_state(self.model.variables),
            optimizer=trial_model.get_state(self.model.optimizer.variables),
            best=self.best,
            early_stopping=self.early_stopping,
            val_losses=self.val_losses,
        )

    def checkpoint(self) -> None:
        self.journal.checkpoint(self.assignment, self.state(), self.records)
        self.records = []


class _EpochEnd(keras.callbacks.Callback):  # type: ignore[misc]
    """Hands each epoch's end to the run and stops the fit when it is over."""

    def __init__(self, run: _Run) -> None:
        super().__init__()
        self.run = run
        self.interrupted = False
        self.kept_at = time.perf_counter()
        self.started = self.kept_at

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        run = self.run
        run.end_epoch(logs or {}, self.started)
        if run.early_stopping.stopped or run.epoch == run.assignment.last_epoch:
            self.model.stop_training = True
        elif run.stop():
            self.interrupted = self.model.stop_training = True
            run.checkpoint()
        elif time.perf_counter() - self.kept_at > run.trainer.checkpoint_seconds:
            run.checkpoint()
            self.kept_at = time.perf_counter()


def _one_line(exception: Exception) -> str:
    text = " ".join(str(exception).split()) or "no message"
    name = type(exception).__name__
    return text if isinstance(exception, TrialFailedError) else f"{name}: {text}"
