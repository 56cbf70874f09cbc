"""Writes a trial's best model as an ordinary `.keras` file, and proves it."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from sweep.data.split import Split
from sweep.disk import whole
from sweep.errors import InvalidSpaceError, PlatformError
from sweep.records import Value
from sweep.space.saved import load_saved, needed_by
from sweep.tasks.scoring import BINARY_CROSSENTROPY, Scoring
from sweep.training.checkpoint import TrialState
from sweep.training.model import Build, Model, build_model, evaluate, set_state
from sweep.training.raw_inputs import input_names, with_raw_inputs

_TOLERANCE = 1e-6
_ABSOLUTE = 1e-9
"""A score may be 0."""


def export_best(
    path: Path,
    build: Build,
    hyperparameters: dict[str, Value],
    seed: int,
    state: TrialState,
    split: Split,
    recorded: float,
    scoring: Scoring = BINARY_CROSSENTROPY,
    raw: Sequence[np.ndarray] | None = None,
) -> float:
    """Save the model with the weights of the trial's best epoch; whole or not at all.

    See `export_verified`, which this returns the score of.
    """
    model = build_model(build, hyperparameters, seed, task=split.task)
    set_state(model.variables, state.best)
    return export_verified(path, model, split, recorded, scoring, raw)


def export_verified(
    path: Path,
    model: Model,
    split: Split,
    expected: float,
    scoring: Scoring = BINARY_CROSSENTROPY,
    raw: Sequence[np.ndarray] | None = None,
) -> float:
    """Save the model; whole or not at all. Where the split was prepared it takes raw columns.

    The file is loaded again, given what `how_to_load` says and nothing more, and evaluated on the
    validation rows, by `raw` columns (rows,) if it takes those; returns its score. Raises
    InvalidSpaceError when that differs from `expected`, or when the model does not load.
    """
    exported = _prepares_itself(model, split)
    rows = split.validation
    if exported is not model and raw is not None:
        rows = replace(rows, x=_given(raw, split))
    try:
        with whole(path) as new:
            exported.save(new)
            score = evaluate(_loaded(new), rows, split.task, scoring).score
            if not is_same(score, expected):
                raise InvalidSpaceError(
                    f"the exported model has validation {scoring.measure.short} {score:.7f}, "
                    f"recorded was {expected:.7f}; build(hp) must return the same model each time"
                )
    except OSError as error:
        raise PlatformError(f"cannot write {path}: {error.strerror or error}") from error
    return score


def _prepares_itself(model: Model, split: Split) -> Model:
    """The model behind the preparation of its data, compiled as it was; itself if there is none."""
    found = with_raw_inputs(model, split.preparation)
    if found is not model:
        needed = needed_by(keras.saving.serialize_keras_object(model))
        with keras.saving.custom_object_scope(dict(needed.objects)):
            found.compile_from_config(model.get_compile_config())
    return found


def _given(raw: Sequence[np.ndarray], split: Split) -> np.ndarray | dict[str, np.ndarray]:
    """Raw columns as a model takes them that prepares them."""
    if split.preparation is None or split.preparation.all_numbers:
        return np.stack(raw, axis=1)
    names = input_names(split.preparation)
    return {name: column[:, None] for name, column in zip(names, raw, strict=True)}


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
