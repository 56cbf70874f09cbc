"""What the store takes and gives beside the records: a sweep's description, losses, counts."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sweep.errors import DataError
from sweep.records import Estimate, Json, Value

JSON_COLUMNS = ("settings", "space", "data", "versions", "plan", "oracle")


@dataclass(frozen=True)
class SweepRow:
    """A sweep's description. `state` is planned, running, interrupted, finished, failed or budget.

    `running` means that a process was at work when it was last written; whether it still is, the
    lock tells.
    """

    name: str
    identity: str
    created_at: float
    settings: Json
    space: Json
    data: Json
    versions: Json
    plan: Json
    oracle: Json
    wave: int
    state: str
    message: str | None
    active_seconds: float

    def to_columns(self) -> dict[str, Any]:
        """As the database holds it: objects become JSON."""
        values = asdict(self)
        return values | {name: json.dumps(values[name]) for name in JSON_COLUMNS}

    @classmethod
    def from_columns(cls, values: dict[str, Any]) -> "SweepRow":
        """Raises KeyError, TypeError or ValueError for what `to_columns` does not write."""
        row = cls(**values | {name: _object(values[name]) for name in JSON_COLUMNS})
        texts, numbers = (row.name, row.identity, row.state), (row.created_at, row.active_seconds)
        if not all(isinstance(text, str) for text in (*texts, row.message or "")):
            raise TypeError("name, identity, state or message is not text")
        if not all(isinstance(number, int | float) for number in (*numbers, row.wave)):
            raise TypeError("created_at, active_seconds or wave is not a number")
        return row


def hyperparameters_of(text: str) -> dict[str, Value]:
    """A trial's hyperparameters from their JSON. Raises DataError for what is none."""
    try:
        values = _object(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"the sweep is damaged: hyperparameters are no JSON ({error})") from error
    for name, value in values.items():
        if not isinstance(value, bool | int | float | str) or abs(_number(value)) >= 2**63:
            raise DataError(
                f"the sweep is damaged: hyperparameter {name[:40]!r} is no text or 64-bit number"
            )
    return values


def _number(value: Value) -> int:
    return value if isinstance(value, int) else 0


def file_name_of(text: str) -> str:
    """A checkpoint's file name as stored. Raises DataError for one that leads elsewhere."""
    if not isinstance(text, str) or not _FILE_NAME.fullmatch(text):
        raise DataError(f"the sweep is damaged: a checkpoint is called {str(text)[:40]!r}")
    return text


_FILE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


def _object(text: str) -> Json:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise TypeError(f"a JSON object was expected, {type(found).__name__} is there")
    return found


@dataclass(frozen=True)
class NewTrial:
    """A trial about to be stored: of the search, a baseline, or a confirmation."""

    baseline: str | None
    iteration: int | None
    bracket: int | None
    seed: int
    hyperparameters: dict[str, Value]
    confirms: int | None = None
    """Of a confirmation: the trial that it trains again with another seed."""
    seed_number: int | None = None
    """Of a confirmation: which seed, from 1; a baseline's own run counts as its first."""


@dataclass(frozen=True)
class TrialLosses:
    """BCE of each validation row at a trial's best epoch so far: float32 (rows,), in nats."""

    epoch: int
    losses: np.ndarray


@dataclass(frozen=True)
class Losses:
    """The `TrialLosses` of all trials that have them, in the order of their numbers."""

    trials: np.ndarray  # (n_trials,) int64
    epochs: np.ndarray  # (n_trials,) int64
    values: np.ndarray  # (n_trials, rows) float32


@dataclass(frozen=True)
class Progress:
    """Counts for a status line."""

    assignments: int
    assignments_done: int
    epochs_done: int
    """Epochs that are recorded."""
    epochs_left_out: int
    """Epochs that ended assignments did not need: they stopped early or failed."""
    trials: int
    trials_failed: int
    best_score: float | None
    best_trial: int | None
    confirmations: int
    """Trials that confirm others; they are in none of the counts above."""
    confirmations_done: int
    confirmation_epochs: int
    """Epochs of theirs that are recorded."""
    confirmation_epochs_left_out: int


@dataclass(frozen=True)
class Standing:
    """Where a trial stands in the search: what decides whether its checkpoint is kept."""

    trial: int
    iteration: int | None
    bracket: int | None
    params: int | None
    score: float | None
    rung: int
    is_searched: bool
    """False for a baseline and for a confirmation."""
    is_pending: bool
    is_failed: bool
    file: str | None
    """Its checkpoint."""
    is_confirmation: bool = False
    is_stopped: bool = False
    """Early stopping ended it."""


@dataclass(frozen=True)
class Exportable:
    """What an export needs of a trial. `file` is None when its checkpoint has been removed."""

    file: str | None
    epochs: int
    """Epochs trained, up to the checkpoint."""
    hyperparameters: dict[str, Value]
    seed: int
    score: float


@dataclass(frozen=True)
class Reference:
    """A model that is no network, on the same rows: what a network must beat."""

    name: str
    val_bce: float
    val_bce_se: float
    """Standard error over the validation rows; NaN for a single row."""
    losses: np.ndarray
    """BCE of each validation row: float32 (rows,), in nats."""
    seconds: float


@dataclass(frozen=True)
class Opening:
    """A line of the ledger: the sealed test rows were opened for a trial.

    It is written before the trial is evaluated, so the results are missing when that was cut
    short; the rows count as opened all the same.
    """

    opening: int
    """The first is 1."""
    opened_at: float
    """Seconds since 1970, UTC."""
    trial: int
    rule: str
    """How the trial was chosen: best, simplest or trial."""
    val_bce: float
    """Its validation BCE when it was chosen."""
    rows: int
    sha256: str
    """Over the test rows."""
    bce: Estimate | None = None
    accuracy: Estimate | None = None
    auc: Estimate | None = None
