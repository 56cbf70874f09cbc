"""What the models of a search space are: descriptions and initial states, kept once read."""

import contextlib
import gc
from dataclasses import dataclass, field

import keras
import numpy as np

from sweep.records import Assignment, Value
from sweep.training import model as trial_model
from sweep.training.checkpoint import Arrays, TrialState
from sweep.training.early_stopping import EarlyStopping
from sweep.training.fused.description import Description
from sweep.training.fused.reading.model import read
from sweep.training.fused.reading.refusal import NotCarriedError
from sweep.training.model import Build

_KEPT_BYTES = 256 << 20
"""Initial states kept between reading and training; beyond it a model is built again."""

_LEFT_BYTES = 64 << 20
"""Models read and left, in bytes, before they are collected: they hold themselves in cycles."""

Key = tuple[tuple[str, Value], ...]


@dataclass
class Readings:
    """Reads each configuration of `build` once."""

    build: Build
    _read: dict[Key, Description | NotCarriedError] = field(default_factory=dict)
    _initial: dict[tuple[Key, int], tuple[Arrays, Arrays]] = field(default_factory=dict)
    _initial_bytes: int = 0
    _left_bytes: int = 0
    _left: bool = False
    _carried: bool = False
    """Whether a model was."""

    def description(self, assignment: Assignment) -> Description:
        """The trial's description. Raises NotCarriedError, or whatever `build` raises."""
        key = _key(assignment)
        if key not in self._read:
            self._build(assignment)
        found = self._read[key]
        if isinstance(found, NotCarriedError):
            raise found
        return found

    def initial_state(self, assignment: Assignment, patience: int | None) -> TrialState:
        """The trial's state before its first epoch. Raises whatever `build` raises."""
        key = (_key(assignment), assignment.seed)
        if key not in self._initial:
            self._build(assignment)
        model, optimizer = self._initial.pop(key)
        self._initial_bytes -= _bytes(model) + _bytes(optimizer)
        return TrialState(0, model, optimizer, (), EarlyStopping(patience))

    def _build(self, assignment: Assignment) -> None:
        model = self._model(assignment)
        key = _key(assignment)
        try:
            description = self._read[key] = read(model)
        except NotCarriedError as error:
            self._read[key] = error
            return
        self._carried = True
        if self._initial_bytes > _KEPT_BYTES:
            self._initial.clear()
            self._initial_bytes = 0
        weights = trial_model.get_state(model.variables)
        slots = _initial_slots(model, description)
        self._initial[key, assignment.seed] = (weights, slots)
        size = _bytes(weights) + _bytes(slots)
        self._initial_bytes += size
        self._left_bytes += size
        del model
        self._left = True
        if self._left_bytes > _LEFT_BYTES:
            gc.collect()
            self._left_bytes = 0

    def _model(self, assignment: Assignment) -> trial_model.Model:
        """Its variables are made only where they must be.

        That is where `build` assigns to one; and in the first models, as the search space may
        keep layers that it gives to each model.
        """
        settings = (self.build, assignment.hyperparameters, assignment.seed)
        if self._carried:
            with contextlib.suppress(Exception):
                return trial_model.build_model(*settings, for_fit=False)
        return trial_model.build_model(*settings)

    def forget_models(self) -> None:
        """Free the Keras models read so far. No program may be running."""
        if self._left:
            keras.backend.clear_session()
            gc.collect()
            self._left, self._left_bytes = False, 0


def _key(assignment: Assignment) -> Key:
    return tuple(sorted(assignment.hyperparameters.items()))


def _initial_slots(model: trial_model.Model, description: Description) -> Arrays:
    """The state of its optimizer, which has not been used: moments are zero."""
    shapes = {
        role: tuple(variable.shape)
        for role, variable in zip(description.model_roles, model.variables, strict=True)
    }
    counted = {"iteration": model.optimizer.iterations, "rate": model.optimizer._learning_rate}
    return tuple(
        trial_model.get_state([counted[kind]])[0]
        if kind in counted
        else np.zeros(shapes[kind.split()[1], layer], np.float32)
        for kind, layer in description.optimizer_roles
    )


def _bytes(arrays: Arrays) -> int:
    return sum(array.nbytes for array in arrays)
