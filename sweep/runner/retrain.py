"""A trial's state from its checkpoint, or trained again if that has been removed."""

from sweep.errors import DataError
from sweep.records import Assignment, OutcomeStatus, Value
from sweep.runner.prepare import Prepared, make_trainer
from sweep.store import Exportable
from sweep.sweep_folder import SweepFolder
from sweep.training.checkpoint import TrialState, read_checkpoint
from sweep.training.contract import train_all
from sweep.training.memory_journal import MemoryJournal


def retrained(
    prepared: Prepared, trial: int, values: dict[str, Value], seed: int, epochs: int
) -> TrialState:
    """Return the state of a trial whose checkpoint is gone, trained again from the start.

    The sweep's own trainer does it, and nothing is stored. Raises DataError if that fails.
    """
    journal = MemoryJournal()
    train_all(make_trainer(prepared), [Assignment(0, trial, 0, 0, epochs, values, seed)], journal)
    outcome = journal.outcomes.get(trial)
    if outcome is not None and outcome.status is OutcomeStatus.FAILED:
        raise DataError(f"trial {trial} fails when trained again: {outcome.error}")
    state = journal.states.get(trial)
    if state is None:
        raise DataError(f"trial {trial} could not be trained again to epoch {epochs}")
    return state


def state_of(
    folder: SweepFolder, identity: str, prepared: Prepared, trial: int, found: Exportable
) -> TrialState:
    """Return a trial's state: from its checkpoint, or trained again if that has been removed.

    `identity` is the sweep's. Raises DataError when the checkpoint is damaged.
    """
    if found.file is None:
        return retrained(prepared, trial, found.hyperparameters, found.seed, found.epochs)
    return read_checkpoint(folder.checkpoints / found.file, f"{identity}/{trial}")
