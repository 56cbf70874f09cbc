"""A trial's state and model from its checkpoint, or trained again if that has been removed."""

import math
from collections.abc import Mapping

from sweep.errors import DataError, InvalidSpaceError
from sweep.records import Assignment, OutcomeStatus, Value
from sweep.runner.prepare import Prepared, make_trainer
from sweep.store import Exportable
from sweep.sweep_folder import SweepFolder
from sweep.tasks.objectives import ObjectiveName
from sweep.training.checkpoint import TrialState, read_checkpoint
from sweep.training.contract import train_all
from sweep.training.early_stopping import EarlyStopping
from sweep.training.ensemble import ensemble, mean_prediction
from sweep.training.export import is_same
from sweep.training.memory_journal import MemoryJournal
from sweep.training.model import Model, build_model, evaluate, set_state
from sweep.training.predictions import predict

_ABSOLUTE = 1e-9
"""A score may be 0."""
_TOLERANCE_OF_MEAN = 1e-5
"""The ensemble averages in single precision."""


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

    `identity` is the sweep's. Raises DataError when the checkpoint is damaged, or when the trial
    has another score than the recorded one after it was trained again.
    """
    if found.file is None:
        state = retrained(prepared, trial, found.hyperparameters, found.seed, found.epochs)
        _check_same(trial, state.early_stopping, found.score)
        return state
    return read_checkpoint(folder.checkpoints / found.file, f"{identity}/{trial}")


def _check_same(trial: int, stopping: EarlyStopping, recorded: float) -> None:
    if stopping.watch is None and not is_same(stopping.best, recorded):
        raise DataError(
            f"trial {trial} has a validation score of {stopping.best:.7g} when it is trained again "
            f"here, recorded was {recorded:.7g}: the numbers of this machine are not the sweep's; "
            "train it again where the sweep began, or take a trial whose checkpoint is kept"
        )


def best_model(
    folder: SweepFolder, identity: str, prepared: Prepared, trial: int, found: Exportable
) -> Model:
    """Return the trial's model with the weights of its best epoch.

    Raises InvalidSpaceError if it does not give its recorded validation score again, DataError if
    the checkpoint is damaged.
    """
    split, scoring = prepared.split, prepared.scored.scoring
    model = build_model(prepared.space.build, found.hyperparameters, found.seed, task=split.task)
    set_state(model.variables, state_of(folder, identity, prepared, trial, found).best)
    score = evaluate(model, split.validation, split.task, scoring).score
    if not is_same(score, found.score):
        raise InvalidSpaceError(
            f"trial {trial} has validation {scoring.measure.short} {score:.7f} now, recorded was "
            f"{found.score:.7f}; build(hp) must return the same model each time"
        )
    return model


def ensemble_model(
    folder: SweepFolder, identity: str, prepared: Prepared, members: Mapping[int, Exportable]
) -> tuple[Model, float]:
    """Return the ensemble of these trials' best models, and its validation score.

    Raises what `best_model` raises, and InvalidSpaceError for a model that cannot be copied.
    """
    models = [
        best_model(folder, identity, prepared, trial, found) for trial, found in members.items()
    ]
    split, scoring = prepared.split, prepared.scored.scoring
    model, rows = ensemble(models, split.task), split.validation
    score = evaluate(model, rows, split.task, scoring).score
    if scoring.objective is ObjectiveName.METRIC:
        return model, score
    means = mean_prediction([predict(one, rows.x, split.task) for one in models], model, split.task)
    expected = float(prepared.scores(means, rows.y).mean())
    if not math.isclose(score, expected, rel_tol=_TOLERANCE_OF_MEAN, abs_tol=_ABSOLUTE):
        raise InvalidSpaceError(
            f"the ensemble has validation {scoring.measure.short} {score:.7f}, the mean of what "
            f"its members predict {expected:.7f}; the model of build(hp) cannot be copied from its "
            "configuration"
        )
    return model, score
