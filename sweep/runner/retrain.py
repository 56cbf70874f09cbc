"""A journal that keeps what a trainer reports in memory: for training beside a sweep."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sweep.errors import DataError
from sweep.records import Assignment, EpochRecord, Outcome, OutcomeStatus, Value
from sweep.runner.prepare import Prepared, make_trainer
from sweep.store import Exportable
from sweep.sweep_folder import SweepFolder
from sweep.training.checkpoint import TrialState, read_checkpoint


@dataclass
class MemoryJournal:
    """A `training.contract.Journal` of one assignment."""

    records: list[EpochRecord] = field(default_factory=list)
    outcome: Outcome | None = None
    state: TrialState | None = None

    def load(self, assignment: Assignment) -> TrialState | None:
        return None

    def checkpoint(
        self, assignment: Assignment, state: TrialState, records: Sequence[EpochRecord]
    ) -> None:
        return

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        self.records.append(record)

    def finish(
        self,
        assignment: Assignment,
        outcome: Outcome,
        state: TrialState | None,
        records: Sequence[EpochRecord],
    ) -> None:
        self.outcome, self.state = outcome, state


def train_beside(
    prepared: Prepared, trial: int, values: dict[str, Value], seed: int, epochs: int
) -> MemoryJournal:
    """Train a configuration from the start with the sweep's own trainer, storing nothing."""
    trainer, _ = make_trainer(prepared)
    journal = MemoryJournal()
    trainer.train([Assignment(0, trial, 0, 0, epochs, values, seed)], journal, lambda: False)
    return journal


def retrained(
    prepared: Prepared, trial: int, values: dict[str, Value], seed: int, epochs: int
) -> TrialState:
    """The state of a trial whose checkpoint is gone, trained again. Raises DataError."""
    journal = train_beside(prepared, trial, values, seed, epochs)
    if journal.state is None or journal.outcome is None:
        raise DataError(f"trial {trial} could not be trained again to epoch {epochs}")
    if journal.outcome.status is OutcomeStatus.FAILED:
        raise DataError(f"trial {trial} fails when trained again: {journal.outcome.error}")
    return journal.state


def state_of(
    folder: SweepFolder, identity: str, prepared: Prepared, trial: int, found: Exportable
) -> TrialState:
    """A trial's state: from its checkpoint, trained again when that has been removed.

    `identity` is the sweep's. Raises DataError when the checkpoint is damaged.
    """
    if found.file is None:
        return retrained(prepared, trial, found.hyperparameters, found.seed, found.epochs)
    return read_checkpoint(folder.checkpoints / found.file, f"{identity}/{trial}")
