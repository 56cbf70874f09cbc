"""What an epoch's end decides, the same for every trainer: go on, stop early, or fail."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np

from sweep import metrics
from sweep.records import Assignment, EpochRecord, OutcomeStatus
from sweep.space.home import EndedByItselfError
from sweep.training.checkpoint import TrialState
from sweep.training.early_stopping import EarlyStopping, Patience

Best = TypeVar("Best")
"""What a trainer keeps of the best epoch beside the losses: weights, or what it needs for them."""

_MUST_BE_FINITE = ("fit_loss", "val_score", "train_score")
_LARGEST = 1e30
"""A trial with a larger number has diverged. Losses of single rows are kept as float32, which ends
at 3.4e38: so much may one of 100 million rows have where the mean is this."""


@dataclass(frozen=True)
class TrialProgress(Generic[Best]):
    """How far a trial is, and what has been decided about it."""

    epoch: int
    """Epochs trained so far."""
    last_epoch: int
    """At which the assignment ends."""
    early_stopping: EarlyStopping
    best: Best | None = None
    """None before the first epoch."""
    val_losses: np.ndarray | None = None
    """Score of each validation row at the best epoch, as `TrialState` keeps it."""
    failure: str | None = None
    """Why the trial cannot go on, in a line: a number that is not finite, or huge."""
    most_epochs: int | None = None
    """After which the space's own `fit` ends a trial; None if it sets no end."""
    n_trained: int = 0
    """Epochs trained since the progress was begun or restored."""

    @classmethod
    def begun(cls, assignment: Assignment, patience: Patience) -> "TrialProgress[Best]":
        """Return the progress of an assignment whose trial's state has not been looked at."""
        return cls(assignment.first_epoch, assignment.last_epoch, EarlyStopping.of(patience))

    def restored(self, state: TrialState, best: Best | None) -> "TrialProgress[Best]":
        """Return the progress of a trial that goes on from `state`; `best` is of its best epoch."""
        return replace(
            self,
            epoch=state.epoch,
            early_stopping=state.early_stopping,
            best=best,
            val_losses=state.val_losses,
        )

    def after(
        self, record: EpochRecord, losses: np.ndarray | None, best: Callable[[], Best]
    ) -> "TrialProgress[Best]":
        """Return the progress once an epoch has ended.

        `losses` are the validation rows' scores after it, shape (rows,), or None if the score has
        no rows. `best` is called if no epoch was better, for what is to be kept of this one.
        """
        trained = replace(self, epoch=record.epoch, n_trained=self.n_trained + 1)
        for name in _MUST_BE_FINITE:
            value = getattr(record, name)
            if not abs(value) <= _LARGEST:
                return replace(
                    trained, failure=f"{name} became {value:.4g} in epoch {record.epoch}"
                )
        early_stopping = self.early_stopping.after(record.epoch, record.val_score).watched(record)
        trained = replace(trained, early_stopping=early_stopping)
        if not trained.is_best:
            return trained
        kept = None if losses is None else metrics.kept_losses(losses)
        return replace(trained, best=best(), val_losses=kept)

    @property
    def is_best(self) -> bool:
        """Whether the last epoch is the best so far."""
        return self.n_trained > 0 and self.early_stopping.best_epoch == self.epoch

    @property
    def ended(self) -> OutcomeStatus | None:
        """How the assignment has ended, or None if it goes on."""
        if self.failure is not None:
            return OutcomeStatus.FAILED
        at_its_end = self.most_epochs is not None and self.epoch >= self.most_epochs
        if self.early_stopping.stopped or at_its_end:
            return OutcomeStatus.STOPPED
        return OutcomeStatus.COMPLETED if self.epoch >= self.last_epoch else None


def error_line(exception: BaseException) -> str:
    """Return an exception's type and message in one line: the user's own, if it was to end all."""
    if isinstance(exception, EndedByItselfError) and exception.__cause__ is not None:
        exception = exception.__cause__
    text = " ".join(str(exception).split()) or "no message"
    return f"{type(exception).__name__}: {text}"
