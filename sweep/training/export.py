"""Writes a trial's best model as an ordinary `.keras` file, and proves it."""

import math
from pathlib import Path

from sweep.data.split import Rows
from sweep.disk import whole
from sweep.errors import InvalidSpaceError, PlatformError
from sweep.records import Value
from sweep.space.saved import load_saved
from sweep.training.checkpoint import TrialState
from sweep.training.model import Build, Model, build_model, evaluate, set_state

_TOLERANCE = 1e-6


def export_best(
    path: Path,
    build: Build,
    hyperparameters: dict[str, Value],
    seed: int,
    state: TrialState,
    validation: Rows,
    recorded: float,
) -> float:
    """Save the model with the weights of the trial's best epoch; whole or not at all.

    The file is loaded again, given what `how_to_load` says and nothing more, and evaluated on
    `validation`; returns its BCE.
    Raises InvalidSpaceError when that differs from `recorded`, or when the model does not load.
    """
    model = build_model(build, hyperparameters, seed)
    set_state(model.variables, state.best)
    return export_verified(path, model, validation, recorded)


def export_verified(path: Path, model: Model, validation: Rows, expected: float) -> float:
    """Save the model; whole or not at all.

    The file is loaded again as anybody would and evaluated on `validation`; returns its BCE.
    Raises InvalidSpaceError when that differs from `expected`, or when the model does not load.
    """
    try:
        with whole(path) as new:
            model.save(new)
            score = _score_of_file(new, validation)
            if not math.isclose(score, expected, rel_tol=_TOLERANCE):
                raise InvalidSpaceError(
                    f"the exported model has validation BCE {score:.7f}, recorded was "
                    f"{expected:.7f}; build(hp) must return the same model each time"
                )
    except OSError as error:
        raise PlatformError(f"cannot write {path}: {error.strerror or error}") from error
    return score


def _score_of_file(path: Path, validation: Rows) -> float:
    try:
        loaded = load_saved(path)
    except (AttributeError, NameError, NotImplementedError, TypeError, ValueError) as error:
        raise InvalidSpaceError(
            f"the exported model does not load again ({' '.join(str(error).split())[:200]})"
        ) from error
    return evaluate(loaded, validation).score
