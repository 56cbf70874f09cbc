"""Writes a trial's best model as an ordinary `.keras` file, and proves it."""

import math
from pathlib import Path

from sweep.data.split import Rows
from sweep.disk import whole
from sweep.errors import InvalidSpaceError, PlatformError
from sweep.records import Value
from sweep.space.saved import load_saved
from sweep.tasks.scoring import BINARY_CROSSENTROPY, Scoring
from sweep.tasks.task import HIGGS_TASK, Task
from sweep.training.checkpoint import TrialState
from sweep.training.model import Build, Model, build_model, evaluate, set_state

_TOLERANCE = 1e-6
_ABSOLUTE = 1e-9
"""A score may be 0."""


def export_best(
    path: Path,
    build: Build,
    hyperparameters: dict[str, Value],
    seed: int,
    state: TrialState,
    validation: Rows,
    recorded: float,
    task: Task = HIGGS_TASK,
    scoring: Scoring = BINARY_CROSSENTROPY,
) -> float:
    """Save the model with the weights of the trial's best epoch; whole or not at all.

    The file is loaded again, given what `how_to_load` says and nothing more, and evaluated on
    `validation`; returns its score.
    Raises InvalidSpaceError when that differs from `recorded`, or when the model does not load.
    """
    model = build_model(build, hyperparameters, seed, task=task)
    set_state(model.variables, state.best)
    return export_verified(path, model, validation, recorded, task, scoring)


def export_verified(
    path: Path,
    model: Model,
    validation: Rows,
    expected: float,
    task: Task = HIGGS_TASK,
    scoring: Scoring = BINARY_CROSSENTROPY,
) -> float:
    """Save the model; whole or not at all.

    The file is loaded again as anybody would and evaluated on `validation`; returns its score.
    Raises InvalidSpaceError when that differs from `expected`, or when the model does not load.
    """
    try:
        with whole(path) as new:
            model.save(new)
            score = evaluate(_loaded(new), validation, task, scoring).score
            if not is_same(score, expected):
                raise InvalidSpaceError(
                    f"the exported model has validation {scoring.measure.short} {score:.7f}, "
                    f"recorded was {expected:.7f}; build(hp) must return the same model each time"
                )
    except OSError as error:
        raise PlatformError(f"cannot write {path}: {error.strerror or error}") from error
    return score


def is_same(score: float, expected: float) -> bool:
    """Return whether two scores differ by rounding only."""
    return math.isclose(score, expected, rel_tol=_TOLERANCE, abs_tol=_ABSOLUTE)


def _loaded(path: Path) -> Model:
    try:
        return load_saved(path)
    except (AttributeError, NameError, NotImplementedError, TypeError, ValueError) as error:
        raise InvalidSpaceError(
            f"the exported model does not load again ({' '.join(str(error).split())[:200]})"
        ) from error
