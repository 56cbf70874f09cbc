"""Trains any model that `build(hp)` returns, one trial at a time, with `model.fit`."""

import gc
import math
import time
import traceback
from dataclasses import dataclass, field, replace

import keras

from sweep.data.split import Rows, Split
from sweep.errors import SweepError
from sweep.records import Assignment, EpochRecord, Outcome, OutcomeStatus
from sweep.space.fit import FitArguments, fit_arguments
from sweep.space.keras_loss import TargetForm
from sweep.space.outputs import n_outputs
from sweep.space.scoring import own_metrics
from sweep.space.targets import target_form
from sweep.statistics.choice_of_epoch import fold_means
from sweep.tasks.scoring import BINARY_CROSSENTROPY, Scoring
from sweep.training import model as trial_model
from sweep.training.batches import shuffled_batches, training_weights
from sweep.training.checkpoint import Arrays, TrialState
from sweep.training.contract import Ended, Endings, Journal, Source, StopRequested
from sweep.training.early_stopping import Patience
from sweep.training.fit_score import NAME as OF_FIT
from sweep.training.fit_score import report_fit_score
from sweep.training.grace import GRACE_SECONDS, EpochLeftError, Grace
from sweep.training.model import Build, Evaluation, Model
from sweep.training.regularisation import regularisation
from sweep.training.tensorflow_private import traces_forgotten
from sweep.training.trial_progress import TrialProgress, error_line


@dataclass(frozen=True)
class KerasTrainer:
    """Trains with `model.fit`: shuffled batches, an epoch record and early stopping each epoch.

    `checkpoint_seconds` is how much training a killed process may lose.
    """

    build: Build
    split: Split
    batch_size: int
    patience: Patience
    checkpoint_seconds: float = 10.0
    name: str = "keras"
    scoring: Scoring = BINARY_CROSSENTROPY

    def train(self, source: Source, journal: Journal, stop: StopRequested) -> Endings:
        while not stop() and (assignment := source.take()) is not None:
            with traces_forgotten():
                ended = self._train_one(assignment, journal, stop)
            keras.backend.clear_session()
            gc.collect()
            if ended is not None:
                yield ended

    def _train_one(
        self, assignment: Assignment, journal: Journal, stop: StopRequested
    ) -> Ended | None:
        """Train one assignment; return how it ended, or None if it was interrupted and kept."""
        started = time.perf_counter()
        run = _Run(self, assignment, journal, stop)
        error = trace = None
        try:
            status = run.train()
        except SweepError:
            raise
        except EpochLeftError:
            return None  # all before that epoch is kept
        except Exception as exception:  # whatever a user's model raises is that trial's failure
            status, error = OutcomeStatus.FAILED, error_line(exception)
            trace = traceback.format_exc()
        if status is OutcomeStatus.INTERRUPTED:
            return None
        progress = run.progress
        outcome = Outcome(
            status=status,
            epochs=max(0, progress.epoch - assignment.first_epoch),
            params=run.params,
            regularisation=run.regularisation,
            seconds=time.perf_counter() - started,
            error=error or progress.failure,
            traceback=trace,
            trainer=self.name,
        )
        kept = status is not OutcomeStatus.FAILED and progress.n_trained > 0
        state = run.state() if kept else None
        return Ended(assignment, outcome, state, tuple(run.records))


@dataclass
class _Run:
    """One assignment under way."""

    trainer: KerasTrainer
    assignment: Assignment
    journal: Journal
    stop: StopRequested
    params: int | None = None
    regularisation: str | None = None
    records: list[EpochRecord] = field(default_factory=list)
    model: Model = None
    form: TargetForm = TargetForm.AS_THEY_ARE
    """How the model's loss takes targets."""
    fit_score: str | None = None
    """Under which name `fit` reports the training score."""
    has_metrics: bool = False
    """Whether the model has metrics beside the one that is the score."""
    given: FitArguments = field(default_factory=FitArguments)
    """What the space's own `fit` says of the training."""
    measured: EpochRecord | None = None
    """The last epoch."""
    recorded: int = 0
    """Epochs that are recorded already though they are trained again."""
    progress: TrialProgress[Arrays] = field(init=False)
    grace: Grace = field(init=False)

    def __post_init__(self) -> None:
        self.grace = Grace(self.stop)
        self.progress = TrialProgress.begun(self.assignment, self.trainer.patience)

    def train(self) -> OutcomeStatus:
        """Build, restore and fit; return how the assignment ended. Raises what the model raises."""
        assignment = self.assignment
        task, scoring = self.trainer.split.task, self.trainer.scoring
        self.model = trial_model.build_model(
            self.trainer.build,
            assignment.hyperparameters,
            assignment.seed,
            task=task,
            whole=True,
        )
        self.form = target_form(self.model, task)
        self.fit_score = report_fit_score(self.model, task, scoring, self.form)
        self.has_metrics = any(name != self.fit_score for name in own_metrics(self.model))
        self.params = trial_model.count_params(self.model)
        self.regularisation = regularisation(self.model)
        train, validation = self.trainer.split.train, self.trainer.split.validation
        self.given = fit_arguments(self.model, train.x, train.y, (validation.x, validation.y))
        self.progress = replace(self.progress, most_epochs=self.given.epochs)
        state = self.journal.load(assignment)
        if self.given.make is not None:
            self._begin_again(state)
        elif state is not None:
            self._restore(state)
        if self.progress.ended is None:
            self._fit()
        return self.progress.ended or OutcomeStatus.INTERRUPTED

    def _restore(self, state: TrialState) -> None:
        trial_model.set_state(self.model.variables, state.model)
        trial_model.set_state(self.model.optimizer.variables, state.optimizer)
        self.progress = self.progress.restored(state, state.best)

    def _begin_again(self, state: TrialState | None) -> None:
        """From the first epoch, as nobody can tell which state callbacks would have.

        The same seeds give the same epochs again; those that are recorded are not recorded twice.
        """
        self.recorded = 0 if state is None else state.epoch
        self.progress = replace(self.progress, epoch=0)

    def _callbacks(self) -> list[keras.callbacks.Callback]:
        """What `fit` is given: callbacks of a script's see what is measured of the epoch."""
        if self.given.make is None:
            return [*self.given.callbacks, _EpochEnd(self)]
        one = self.assignment
        trial, run = (one.trial, 0) if one.confirms is None else (one.confirms, one.seed_number)
        made = self.given.make(trial, max(0, (run or 1) - 1), one.hyperparameters)
        return [_Measured(self), *self.given.callbacks, *made, _EpochEnd(self, measures=False)]

    def _fit(self) -> None:
        split, given = self.trainer.split, self.given
        batch_size = given.batch_size or self.trainer.batch_size
        first_epoch, last_epoch = self.progress.epoch, self.assignment.last_epoch
        self.model.fit(
            shuffled_batches(
                split.train,
                batch_size,
                self.assignment.seed,
                first_epoch,
                last_epoch,
                form=self.form,
                n_classes=n_outputs(self.model),
                weights=training_weights(split, given.class_weight),
                shuffle=given.shuffle,
            ),
            initial_epoch=first_epoch,
            epochs=last_epoch,
            steps_per_epoch=math.ceil(len(split.train) / batch_size),
            shuffle=False,  # the batches come shuffled
            callbacks=self._callbacks(),
            verbose=0,
        )

    def end_epoch(self, logs: dict[str, float], started: float) -> None:
        """Evaluate and record the epoch that just ended, and decide how the trial goes on."""
        validation = self._evaluated(
            self.trainer.split.validation, with_metrics=self.has_metrics, is_validation=True
        )
        record = self._record(logs, validation, started)
        if record.epoch > self.recorded:
            self.records.append(record)
        self.progress = self.progress.after(
            record, validation.losses, lambda: trial_model.get_state(self.model.variables)
        )
        if self.progress.failure is None and record.epoch > self.recorded:
            self.journal.epoch(self.assignment, record)
        self.measured = record

    def _record(
        self, logs: dict[str, float], validation: Evaluation, started: float
    ) -> EpochRecord:
        told = self.has_metrics and self.trainer.split.is_of_script
        train = self._evaluated(self.trainer.split.scored_train, with_metrics=told)
        return EpochRecord(
            epoch=self.progress.epoch + 1,
            fit_loss=float(logs["loss"]),
            fit_score=math.nan if self.fit_score is None else float(logs[self.fit_score]),
            train_score=train.score,
            val_score=validation.score,
            val_loss=validation.loss + trial_model.penalty(self.model),
            val_accuracy=validation.accuracy,
            val_auc=validation.auc,
            learning_rate=trial_model.learning_rate(self.model),
            seconds=time.perf_counter() - started,
            metrics=validation.metrics,
            train_metrics=train.metrics if told else {},
            val_folds=fold_means(validation.losses),
        )

    def _evaluated(
        self, rows: Rows, *, with_metrics: bool, is_validation: bool = False
    ) -> Evaluation:
        return trial_model.evaluate(
            self.model,
            rows,
            self.trainer.split.task,
            self.trainer.scoring,
            form=self.form,
            with_metrics=with_metrics,
            with_rare=is_validation,
            before_part=self.leave_if_due,
        )

    def leave_if_due(self) -> None:
        """Raise EpochLeftError if the epoch under way is to be left."""
        if self.grace.is_over():
            raise EpochLeftError

    def state(self) -> TrialState:
        progress = self.progress
        return TrialState(
            epoch=progress.epoch,
            model=trial_model.get_state(self.model.variables),
            optimizer=trial_model.get_state(self.model.optimizer.variables),
            best=progress.best or (),
            early_stopping=progress.early_stopping,
            val_losses=progress.val_losses,
        )

    def checkpoint(self) -> None:
        self.journal.checkpoint(self.assignment, self.state(), self.records)
        self.records = []


class _EpochEnd(keras.callbacks.Callback):  # type: ignore[misc]
    """Hands each epoch's end to the run and stops the fit when it is over."""

    def __init__(self, run: _Run, measures: bool = True) -> None:
        super().__init__()
        self.run = run
        self.measures = measures
        self.kept_at = time.perf_counter()
        self.started = self.kept_at

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.started = time.perf_counter()

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.run.leave_if_due()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        run = self.run
        if self.measures:
            run.end_epoch(logs or {}, self.started)
        elif self.model.stop_training:  # by a callback of the script's
            run.progress = replace(run.progress, most_epochs=run.progress.epoch)
        if run.progress.ended is not None:
            self.model.stop_training = True
        elif run.stop():
            self.model.stop_training = True
            run.checkpoint()
        elif self._is_due():
            run.checkpoint()
            self.kept_at = time.perf_counter()

    def _is_due(self) -> bool:
        """Whether to keep the state: the next epoch may be left, and that is to be all that is."""
        now = time.perf_counter()
        is_long = now - self.started > GRACE_SECONDS / 4
        return is_long or now - self.kept_at > self.run.trainer.checkpoint_seconds


class _Measured(keras.callbacks.Callback):  # type: ignore[misc]
    """Measures each epoch before a script's callbacks hear of its end, and tells them."""

    def __init__(self, run: _Run) -> None:
        super().__init__()
        self.run = run
        self.started = time.perf_counter()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = {} if logs is None else logs
        self.run.end_epoch(logs, self.started)
        record = self.run.measured
        if record is None:
            return
        logs.pop(OF_FIT, None)
        logs["val_loss"] = record.val_loss
        logs |= {f"val_{name}": value for name, value in record.metrics.items()}
        if "accuracy" in logs and math.isfinite(record.val_accuracy):
            logs.setdefault("val_accuracy", record.val_accuracy)
