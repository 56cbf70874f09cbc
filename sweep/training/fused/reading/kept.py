"""Descriptions and initial states of a search space's models, kept once they have been read."""

import gc
import logging
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np

from sweep.records import Assignment, Value
from sweep.space.fit import seen_arguments
from sweep.tasks.task import HIGGS_TASK, Task
from sweep.training import keras_private
from sweep.training import model as trial_model
from sweep.training.checkpoint import Arrays, TrialState
from sweep.training.early_stopping import EarlyStopping, Patience
from sweep.training.fused.description import Description, Role
from sweep.training.fused.layers.refusal import NotCarriedError, require
from sweep.training.fused.reading.likeness import Deferred, Likeness, Likenesses
from sweep.training.fused.reading.model import read
from sweep.training.model import Build
from sweep.training.regularisation import regularisation

_KEPT_BYTES = 256 << 20
"""Bytes of initial states that are kept between reading and training. When there are more, all are
forgotten, and a model is built again when its trial begins."""

_LEFT_BYTES = 64 << 20
"""Bytes of models that were read and are not needed any more, after which Python collects its
garbage: a Keras model holds itself in cycles."""

_KEPT_DEFERRED = 4096
"""Models whose initial states are not made yet, that are kept at most."""

Key = tuple[tuple[str, Value], ...]
"""A configuration: names of hyperparameters with their values, sorted."""

_log = logging.getLogger(__name__)


@dataclass
class Readings:
    """Descriptions and initial states of the models that `build` makes.

    Each configuration is read once. Not for several threads.
    """

    build: Build
    task: Task = HIGGS_TASK
    _read: dict[Key, Description | NotCarriedError] = field(default_factory=dict)
    _regularised: dict[Key, str] = field(default_factory=dict)
    _initial: dict[tuple[Key, int], tuple[Arrays, Arrays]] = field(default_factory=dict)
    _initial_bytes: int = 0
    _left_bytes: int = 0
    _left: bool = False
    """Whether models have been read since `forget_models`."""
    _carried: bool = False
    """Whether at least one model could be read."""
    _deferred: dict[tuple[Key, int], Deferred] = field(default_factory=dict)
    _likenesses: Likenesses = field(init=False)

    def __post_init__(self) -> None:
        self._likenesses = Likenesses(self.build)

    def description(self, assignment: Assignment) -> Description:
        """Return the description of the trial's model.

        Raises NotCarriedError, or whatever `build` raises.
        """
        key = _key(assignment)
        if key not in self._read:
            self._build(assignment)
        found = self._read[key]
        if isinstance(found, NotCarriedError):
            raise found
        return found

    def regularisation(self, assignment: Assignment) -> str | None:
        """Return what the trial's model is regularised by, if it was read: JSON text."""
        return self._regularised.get(_key(assignment))

    def initial_state(self, assignment: Assignment, patience: Patience) -> TrialState:
        """Return the trial's state before its first epoch. Raises whatever `build` raises."""
        key = (_key(assignment), assignment.seed)
        if key not in self._initial and key not in self._deferred:
            self._build(assignment)
        if (deferred := self._deferred.pop(key, None)) is not None:
            model, optimizer = deferred()
        else:
            model, optimizer = self._initial.pop(key)
            self._initial_bytes -= _bytes(model) + _bytes(optimizer)
        return TrialState(0, model, optimizer, (), EarlyStopping.of(patience))

    def _build(self, assignment: Assignment) -> None:
        likeness = self._likenesses.of(assignment) if self._carried else None
        if likeness is not None:
            found = self._likenesses.known(likeness)
            if found is not None:
                self._take(assignment, likeness, found)
                return
        self._make(assignment, likeness)

    def _take(self, assignment: Assignment, likeness: Likeness, found: Description) -> None:
        """Keep what a model's doubles tell."""
        key = _key(assignment)
        self._read[key] = found
        self._regularised[key] = likeness.regularisation
        if len(self._deferred) >= _KEPT_DEFERRED:
            self._deferred.clear()
        shapes = {role: one.shape for role, one in likeness.variables.items()}
        self._deferred[key, assignment.seed] = lambda: (
            likeness.values(found),
            _initial_slots(shapes, likeness.optimizer, found),
        )

    def _make(self, assignment: Assignment, likeness: Likeness | None) -> None:
        """Have Keras make a model, and keep what is read of it."""
        model = self._model(assignment)
        key = _key(assignment)
        try:
            description = self._read[key] = description_of(model, self.task)
        except NotCarriedError as error:
            self._read[key] = error
            return
        self._carried = True
        self._regularised[key] = regularisation(model)
        if self._initial_bytes > _KEPT_BYTES:
            self._initial.clear()
            self._initial_bytes = 0
        weights = trial_model.get_state(model.variables)
        shapes = {
            role: tuple(variable.shape)
            for role, variable in zip(description.model_roles, model.variables, strict=True)
        }
        slots = _initial_slots(shapes, model.optimizer, description)
        if likeness is not None:
            told = self._regularised[key]
            self._likenesses.compare(likeness, description, told, weights)
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
        """The trial's model, without variables that can be assigned to if `build` permits.

        With variables if `build` assigns to one; and until a model could be read, as the search
        space may keep layers that it gives to every model. If `build` fails without variables it
        is called again with them.
        """
        settings = (self.build, assignment.hyperparameters, assignment.seed)
        if self._carried:
            try:
                return trial_model.build_model(*settings, for_fit=False, whole=True)
            except Exception as error:  # whatever a user's build raises
                _log.info(
                    "trial %d: build is called again, with variables, after %s: %s",
                    assignment.trial, type(error).__name__, error,
                )  # fmt: skip
        return trial_model.build_model(*settings, whole=True)

    def forget_models(self) -> None:
        """Free the Keras models that have been read. No program may be running."""
        if self._left:
            keras.backend.clear_session()
            gc.collect()
            self._left, self._left_bytes = False, 0


def description_of(model: trial_model.Model, task: Task) -> Description:
    """Return the description of a model, with what its own `fit` gives.

    Raises NotCarriedError.
    """
    given = seen_arguments(model)
    left = given.only_keras
    require(left is None, left or "")
    return replace(read(model, task), batch=given.batch_size)


def _key(assignment: Assignment) -> Key:
    return tuple(sorted(assignment.hyperparameters.items()))


def _initial_slots(
    shapes: dict[Role, tuple[int, ...]], optimizer: Any, description: Description
) -> Arrays:
    """The state of an optimizer before its first step: moments are at the beginning.

    `shapes` are those of the model's variables.
    """
    rule = description.optimizer
    rate = keras_private.rate_or_schedule(optimizer)
    counted = {"iteration": optimizer.iterations, "rate": rate}

    def initial(kind: str, layer: int) -> np.ndarray:
        if kind in counted:
            return trial_model.get_state([counted[kind]])[0]
        if kind == "product":
            return np.array(1.0, np.float32)
        slot, _, weight = kind.partition(" ")
        value = rule.initial if slot == "second" else 0.0
        return np.full(shapes[weight, layer], value, np.float32)

    return tuple(initial(kind, layer) for kind, layer in description.optimizer_roles)


def _bytes(arrays: Arrays) -> int:
    return sum(array.nbytes for array in arrays)
