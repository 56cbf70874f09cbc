"""The values that pass between the layers: what is asked, what is recorded, what comes back.

Frozen dataclasses and enumerations only; no TensorFlow. The words are the project's glossary:
trial, rung, bracket, wave, assignment, epoch record, outcome.
"""

from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, field, fields, replace
from enum import StrEnum
from typing import Annotated, Any, get_type_hints

from sweep.exact import FINITE, FLAG, INTEGER, TEXT, Count, Epoch, Number

REGULARISERS = (
    "l1", "l2", "dropout", "noise", "weight decay", "label smoothing", "max norm", "augmentation",
    "other penalty", "batch normalization", "unseen",
)  # fmt: skip
"""Kinds of regulariser that a trial's model is read for, in the order in which they are named. The
last two are kept and not counted: see `sweep.training.regularisation`."""

Value = bool | int | float | str
"""A hyperparameter's value."""

StoredNumber = Annotated[int, INTEGER] | Annotated[float, replace(FINITE, infinite=True)]
StoredValue = Annotated[bool, FLAG] | StoredNumber | Annotated[str, TEXT]
"""A `Value` as it is read from a database: integers have 64 bits at most."""


class SweepState(StrEnum):
    """A sweep's state as stored.

    RUNNING means that a process was at work when the state was last written; whether it still is,
    the lock tells.
    """

    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FINISHED = "finished"
    FAILED = "failed"
    BUDGET = "budget"

    @property
    def said(self) -> str:
        """The state in a sentence, behind "the sweep": "is finished", "was ended by a budget"."""
        said = {SweepState.FAILED: "has failed", SweepState.BUDGET: "was ended by a budget"}
        return said.get(self, f"is {self}")


def state_now(stored: SweepState, *, is_held: bool) -> SweepState:
    """Return a sweep's state: one that is stored as running and held by no process has died."""
    if is_held:
        return SweepState.RUNNING
    return SweepState.INTERRUPTED if stored is SweepState.RUNNING else stored


@dataclass(frozen=True)
class EpochRecord:
    """What one trial measured in one epoch.

    A score is what the sweep ranks by, with no penalty in it: the mean of the loss over the rows,
    unless another objective was asked for. Lower is better.
    """

    epoch: Annotated[int, "epochs trained so far, this one included: the first is 1"]
    fit_loss: Annotated[
        float, "training loss with penalty as Keras reports it: weights moving, dropout on"
    ]
    fit_score: Annotated[
        float, "training score: weights moving, dropout on; none if batches do not tell it"
    ]
    train_score: Annotated[float, "training score in evaluation mode at the epoch's end"]
    val_score: Annotated[float, "validation score with the same weights"]
    val_loss: Annotated[float, "val_score plus the penalty"]
    val_accuracy: Annotated[float, "share of validation rows on the right side of probability 1/2"]
    val_auc: Annotated[float, "area under the validation ROC curve, ties averaged"]
    learning_rate: Annotated[float, "the optimizer's rate after the epoch's last step"]
    seconds: Annotated[float, "wall time of training and evaluation"]
    metrics: dict[str, float] = field(default_factory=dict)
    """What the metrics that the model is compiled with say of the validation rows, by name."""
    train_metrics: dict[str, float] = field(default_factory=dict)
    """What they say of the training rows in evaluation mode; of the data of scripts alone."""
    val_folds: tuple[float, ...] = ()
    """The validation score over each fold of the rows (see `statistics.choice_of_epoch`); empty if
    it is no mean over rows, or the rows are too few."""

    @classmethod
    def meanings(cls) -> dict[str, str]:
        """Return what each field of a number holds, as the annotations say, by the field's name."""
        annotated = get_type_hints(cls, include_extras=True)
        others = ("metrics", "train_metrics", "val_folds")
        numbers = [one.name for one in fields(cls) if one.name not in others]
        return {name: annotated[name].__metadata__[0] for name in numbers}


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

    @property
    def is_searched(self) -> bool:
        """Whether the search proposed it; baselines and repeats under other seeds are not."""
        return self.oracle_id is not None


class OutcomeStatus(StrEnum):
    """How an assignment ended."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    """Early stopping ended the trial at or before this assignment's last epoch."""
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """Asked to stop; a checkpoint holds what was trained."""


class AssignmentStatus(StrEnum):
    """What has become of an assignment, as stored: still to do, or how it ended."""

    PENDING = "pending"
    COMPLETED = OutcomeStatus.COMPLETED.value
    STOPPED = OutcomeStatus.STOPPED.value
    FAILED = OutcomeStatus.FAILED.value
    INTERRUPTED = OutcomeStatus.INTERRUPTED.value


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
    regularisation: str | None = None
    """JSON text: by kind what the built model is regularised by; None if it was not read."""


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
class PlannedRung:
    """`trials` trials trained from `first_epoch` to `last_epoch` epochs."""

    iteration: Number
    bracket: Number
    rung: Number
    trials: Count
    first_epoch: Epoch
    last_epoch: Epoch

    @property
    def epochs(self) -> int:
        """Epochs trained in this rung, all its trials together."""
        return self.trials * (self.last_epoch - self.first_epoch)


def is_one_rung(rungs: Sequence[PlannedRung]) -> bool:
    """Return whether trials are trained once, in full, and none is promoted."""
    return all((r.iteration, r.bracket, r.rung) == (0, 0, 0) for r in rungs)


@dataclass(frozen=True)
class PlanRecord:
    """How much a sweep is to train, as it is kept with the sweep.

    `trials` and `epochs` are None if they are unknown.
    """

    trials: Count | None = None
    """Of the search; baselines are not counted."""
    assignments: Count = 0
    """Of the search, and of baselines that an extension trains further."""
    epochs: Count | None = None
    baselines: Count = 0
    confirmations: Count = 0
    """Runs of baselines under other seeds."""
    baseline_epochs: Count = 0
    rungs: tuple[PlannedRung, ...] = ()

    @property
    def all_assignments(self) -> int:
        """Assignments of the search and of the baselines."""
        return self.assignments + self.baselines

    @property
    def all_trials(self) -> int | None:
        """Trials of the search and baselines; None if unknown."""
        return None if self.trials is None else self.trials + self.baselines

    @property
    def all_epochs(self) -> int | None:
        """Epochs of the search and of the baselines; None if unknown."""
        return None if self.epochs is None else self.epochs + self.baseline_epochs

    def to_json(self) -> "Json":
        """Return the record as a JSON object; a rung is the list of its six numbers."""
        values = {name: value for name, value in asdict(self).items() if value is not None}
        return values | {"rungs": [list(astuple(rung)) for rung in self.rungs]}


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % confidence interval. NaN where it cannot be told."""

    value: float
    low: float
    high: float


Json = dict[str, Any]
"""A JSON object, at the edge of a file or a database column only."""
