"""What the store takes and gives beside the records: a sweep's description, losses, counts."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from sweep.data.split_record import SplitRecord
from sweep.errors import DataError
from sweep.exact import Text
from sweep.records import Estimate, Json, PlanRecord, Proposal, SweepState, Value
from sweep.settings import Settings
from sweep.space.record import SpaceRecord
from sweep.store.columns import checked_value
from sweep.store.parsing import json_object, plan_record, record
from sweep.tasks.score_words import ScoreWords
from sweep.tasks.scoring import BINARY_CROSSENTROPY, Scoring
from sweep.tasks.task import Task


@dataclass(frozen=True)
class SweepRow:
    """A sweep's description, as the only row of table `sweep` holds it."""

    name: str
    identity: str
    created_at: float
    settings: Settings
    space: SpaceRecord
    data: SplitRecord
    versions: dict[str, str]
    """Of Python and of the libraries that the sweep began with."""
    plan: PlanRecord
    oracle: Json
    """What the search keeps beside its proposals."""
    wave: int
    state: SweepState
    message: str | None
    active_seconds: float
    scoring: Scoring = BINARY_CROSSENTROPY
    """What the scores measure."""

    @property
    def task(self) -> Task:
        """What is predicted from a row."""
        return self.data.known_task

    @property
    def score_words(self) -> ScoreWords:
        """How the scores are shown to people."""
        return ScoreWords(self.scoring, self.task)

    def to_columns(self) -> dict[str, Any]:
        """Return the values as the database holds them: records become JSON."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        records = ("settings", "space", "data", "plan", "scoring")
        described = {name: values[name].to_json() for name in records}
        described |= {name: values[name] for name in ("versions", "oracle")}
        return values | {name: json.dumps(value) for name, value in described.items()}

    @classmethod
    def from_columns(cls, columns: Mapping[str, Any]) -> "SweepRow":
        """Return the description that a row holds. Raises DataError naming column and field."""
        plain = ("name", "identity", "created_at", "wave", "message", "active_seconds")
        try:
            state = SweepState(columns["state"])
        except ValueError as error:
            raise DataError(f"the sweep is damaged: column state: {error}") from error
        described = {
            name: json_object(name, columns[name])
            for name in ("settings", "space", "data", "versions", "scoring")
        }
        return cls(
            **{name: checked_value(name, columns[name]) for name in plain},
            settings=record(Settings, "settings", described["settings"]),
            space=record(SpaceRecord, "space", described["space"]),
            data=record(SplitRecord, "data", described["data"]),
            versions=record(dict[Text, Text], "versions", described["versions"]),
            plan=plan_record(columns["plan"]),
            oracle=json_object("oracle", columns["oracle"]),
            state=state,
            scoring=record(Scoring, "scoring", described["scoring"]),
        )


def file_name_of(text: object) -> str:
    """Return a checkpoint's file name as stored. Raises DataError for one that leads elsewhere."""
    if not isinstance(text, str) or not _FILE_NAME.fullmatch(text):
        raise DataError(f"the sweep is damaged: a checkpoint is called {str(text)[:40]!r}")
    return text


_FILE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


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
class Planned:
    """An assignment about to be stored.

    A trial's number stands for a trial that is stored already and goes on.
    """

    trial: NewTrial | int
    last_epoch: int
    first_epoch: int = 0
    rung: int = 0
    oracle_id: str | None = None
    """The search's name of it, None for a baseline or a repeat."""
    root_id: str | None = None

    @classmethod
    def proposed(cls, proposal: Proposal, trial: NewTrial | int) -> "Planned":
        """Return the search's proposal as an assignment of `trial`."""
        return cls(
            trial=trial,
            last_epoch=proposal.last_epoch,
            first_epoch=proposal.first_epoch,
            rung=proposal.rung,
            oracle_id=proposal.oracle_id,
            root_id=proposal.root_id,
        )


@dataclass(frozen=True)
class StoredRun:
    """How a run of a configuration ended: the trial's own, or one that repeats it."""

    trial: int
    """That proposed by the search, whichever run it is."""
    number: int
    """Which seed, from 1, the trial's own run."""
    oracle_id: str | None
    """The search's name of the trial, None of a run that repeats it."""
    score: float
    """Lowest validation loss; infinite if it failed."""


@dataclass(frozen=True)
class TrialLosses:
    """Score of each validation row at a trial's best epoch so far: float32 (rows,)."""

    epoch: int
    losses: np.ndarray


@dataclass(frozen=True)
class Losses:
    """The `TrialLosses` of all trials that have them, in the order of their numbers."""

    trials: np.ndarray  # (n_trials,) int64
    epochs: np.ndarray  # (n_trials,) int64
    values: np.ndarray  # (n_trials, rows) float32


@dataclass(frozen=True)
class Folds:
    """The validation scores over each fold of the rows, of all epochs that have them."""

    trials: np.ndarray  # (n_epochs,) int64, in order
    epochs: np.ndarray  # (n_epochs,) int64, in order within a trial
    values: np.ndarray  # (n_epochs, folds) float32


@dataclass(frozen=True)
class SweepProgress:
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
    confirms: int | None = None
    """Of a confirmation: the trial that it trains again with another seed."""
    seed_number: int | None = None


@dataclass(frozen=True)
class Reached:
    """How far a trial is: what decides whether it can be trained on."""

    epochs: int
    """At which its last assignment ends."""
    rung: int
    is_failed: bool
    is_stopped: bool
    """Early stopping ended it."""
    is_pending: bool
    file: str | None
    """Its checkpoint; None if it has been removed."""
    is_confirmation: bool


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
    val_score: float
    val_score_se: float
    """Standard error over the validation rows; NaN for a single row."""
    losses: np.ndarray
    """The score of each validation row: float32 (rows,)."""
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
    """The run that was tested: a trial of the ranking, or a repeat. Of an ensemble, the trial
    of the ranking."""
    rule: str
    """How it was chosen: best, simplest or trial (`…-ensemble` for one), then in words after a
    colon; an older version wrote no words."""
    val_score: float
    """The validation score of what was tested, when it was chosen."""
    rows: int
    sha256: str
    """Over the test rows."""
    score: Estimate | None = None
    accuracy: Estimate | None = None
    auc: Estimate | None = None
    measures: dict[str, Estimate] = field(default_factory=dict)
    """Other measures by name: mae, rmse and r2 of amounts; loss if the score is another."""
    confirms: int | None = None
    """Of a repeat: the trial that it trains again."""

    @property
    def of_trial(self) -> int:
        """The trial of the ranking that has the configuration."""
        return self.trial if self.confirms is None else self.confirms
