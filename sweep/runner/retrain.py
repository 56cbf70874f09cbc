"""A trial's state and model from its checkpoint, or trained again if that has been removed."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import expit

from sweep.data.split import Rows
from sweep.errors import DataError, InvalidSpaceError
from sweep.metrics import example_losses, logits_from_probabilities
from sweep.records import Assignment, OutcomeStatus, Value
from sweep.runner.prepare import Prepared, make_trainer
from sweep.store import Exportable
from sweep.sweep_folder import SweepFolder
from sweep.training.checkpoint import TrialState, read_checkpoint
from sweep.training.contract import train_all
from sweep.training.ensemble import ensemble
from sweep.training.memory_journal import MemoryJournal
from sweep.training.model import Model, build_model, evaluate, predict_logits, set_state

_TOLERANCE = 1e-6
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

    `identity` is the sweep's. Raises DataError when the checkpoint is damaged.
    """
    if found.file is None:
        return retrained(prepared, trial, found.hyperparameters, found.seed, found.epochs)
    return read_checkpoint(folder.checkpoints / found.file, f"{identity}/{trial}")


def best_model(
    folder: SweepFolder, identity: str, prepared: Prepared, trial: int, found: Exportable
) -> Model:
    """Return the trial's model with the weights of its best epoch.

    Raises InvalidSpaceError if it does not give its recorded validation BCE again, DataError if
    the checkpoint is damaged.
    """
    model = build_model(prepared.space.build, found.hyperparameters, found.seed)
    set_state(model.variables, state_of(folder, identity, prepared, trial, found).best)
    score = evaluate(model, prepared.split.validation).score
    if not math.isclose(score, found.score, rel_tol=_TOLERANCE):
        raise InvalidSpaceError(
            f"trial {trial} has validation BCE {score:.7f} now, recorded was {found.score:.7f}; "
            "build(hp) must return the same model each time"
        )
    return model


def ensemble_model(
    folder: SweepFolder, identity: str, prepared: Prepared, members: Mapping[int, Exportable]
) -> tuple[Model, float]:
    """Return the ensemble of these trials' best models, and its validation BCE.

    Raises what `best_model` raises, and InvalidSpaceError for a model that cannot be copied.
    """
    models = [
        best_model(folder, identity, prepared, trial, found) for trial, found in members.items()
    ]
    model, rows = ensemble(models), prepared.split.validation
    score = evaluate(model, rows).score
    expected = _score_of_mean(models, rows)
    if not math.isclose(score, expected, rel_tol=_TOLERANCE_OF_MEAN):
        raise InvalidSpaceError(
            f"the ensemble has validation BCE {score:.7f}, the mean of its members' probabilities "
            f"{expected:.7f}; the model of build(hp) cannot be copied from its configuration"
        )
    return model, score


def _score_of_mean(models: Sequence[Model], rows: Rows) -> float:
    """The BCE of the mean of the models' probabilities, computed outside of Keras."""
    means = np.mean([expit(predict_logits(model, rows.array)) for model in models], axis=0)
    return float(example_losses(logits_from_probabilities(means), rows.y).mean())
