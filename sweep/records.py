"""The values that pass between the layers: what is asked, what is recorded, what comes back.

Frozen dataclasses only; no logic, no TensorFlow. The words are the project's glossary:
trial, rung, bracket, wave, assignment, epoch record, outcome.
"""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Annotated, Any, get_type_hints

Value = bool | int | float | str
"""A hyperparameter's value."""


@dataclass(frozen=True)
class EpochRecord:
    """What one trial measured in one epoch.

    BCE is the binary cross-entropy in nats, with no penalty in it, unless the name says `loss`.
    """

    epoch: Annotated[int, "epochs trained so far, this one included: the first is 1"]
    fit_loss: Annotated[
        float, "training loss with penalty as Keras reports it: weights moving, dropout on"
    ]
    fit_bce: Annotated[float, "training BCE as Keras reports it: weights moving, dropout on"]
    train_bce: Annotated[float, "training BCE in evaluation mode at the epoch's end, in nats"]
    val_bce: Annotated[float, "validation BCE with the same weights, in nats"]
    val_loss: Annotated[float, "val_bce plus the penalty"]
    val_accuracy: Annotated[float, "share of validation rows on the right side of probability 1/2"]
    val_auc: Annotated[float, "area under the validation ROC curve, ties averaged"]
    learning_rate: Annotated[float, "the optimizer's rate after the epoch's last step"]
    seconds: Annotated[float, "wall time of training and evaluation"]

    @classmethod
    def meanings(cls) -> dict[str, str]:
        """Return what each field holds, as the annotations say, by the field's name."""
        annotated = get_type_hints(cls, include_extras=True)
        return {field.name: annotated[field.name].__metadata__[0] for field in fields(cls)}


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
