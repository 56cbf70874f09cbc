"""The values that pass between the layers: what is asked, what is recorded, what comes back.

Frozen dataclasses only; no logic, no TensorFlow. The words are the project's glossary:
trial, rung, bracket, wave, assignment, epoch record, outcome.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Value = bool | int | float | str
"""A hyperparameter's value."""


@dataclass(frozen=True)
class EpochRecord:
    """What one trial measured in one epoch.

    BCE is the binary cross-entropy in nats, with no penalty in it, unless the name says `loss`.
    """

    epoch: int
    """Epochs trained so far, this one included: the first is 1."""
    fit_loss: float
    """Training loss with penalty, as Keras reports it: averaged while weights moved, dropout on."""
    fit_bce: float
    """Training BCE as Keras reports it, likewise averaged over the moving epoch."""
    train_bce: float
    """Training BCE in evaluation mode, with the weights at the epoch's end."""
    val_bce: float
    """Validation BCE with the same weights."""
    val_loss: float
    """Validation BCE plus the penalty."""
    val_accuracy: float
    """Share of validation rows on the right side of probability 1/2."""
    val_auc: float
    """Area under the validation ROC curve, exact (ranks with ties averaged)."""
    learning_rate: float
    """The optimizer's rate after the epoch's last step."""
    seconds: float
    """Wall time of training and evaluation."""


@dataclass(frozen=True)
class Assignment:
    """Train this trial from epoch `first_epoch` (exclusive) to `last_epoch` (inclusive)."""

    assignment: int
    trial: int
    rung: int
    first_epoch: int
    last_epoch: int
    hyperparameters: dict[str, Value]
    seed: int
    baseline: str | None = None
    """Name of the baseline, None for a trial of the search."""
    iteration: int | None = None
    bracket: int | None = None
    oracle_id: str | None = None
    """Its name in the search, None for a baseline or a confirmation."""
    confirms: int | None = None
    """Of a confirmation: the trial that it trains again with another seed."""
    seed_number: int | None = None


class OutcomeStatus(StrEnum):
    """How an assignment ended."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    """Early stopping ended the trial at or before this assignment's last epoch."""
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """Asked to stop; a checkpoint holds what was trained."""


@dataclass(frozen=True)
class Outcome:
    """What became of an assignment. `epochs` counts the epochs this assignment trained."""

    status: OutcomeStatus
    epochs: int = 0
    params: int | None = None
    """Trainable parameters of the model, or None when it could not be built."""
    seconds: float = 0.0
    error: str | None = None
    """One line saying why the trial failed."""
    traceback: str | None = None
    trainer: str = ""
    """Name of the trainer that carried the assignment."""


@dataclass(frozen=True)
class Proposal:
    """An assignment as the oracle proposes it, before the store gives it a number."""

    oracle_id: str
    root_id: str
    """Oracle id of the trial's first assignment: one root, one trial."""
    iteration: int
    bracket: int
    rung: int
    first_epoch: int
    last_epoch: int
    hyperparameters: dict[str, Value]


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % confidence interval. NaN where it cannot be told."""

    value: float
    low: float
    high: float


Json = dict[str, Any]
"""A JSON object, at the edge of a file or a database column only."""
