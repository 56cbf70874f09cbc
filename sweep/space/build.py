"""A search space's `build(hp)` as it is called here: in its folder, on the data's shape."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.errors import InvalidSpaceError
from sweep.space.asked import Asked
from sweep.space.at_once import layers_at_once
from sweep.space.entry import SpaceEntry
from sweep.space.fit import ModelFit, keep_fit, own_fit
from sweep.space.home import Home
from sweep.space.inputs import Inputs, shaped
from sweep.space.place import users_frame
from sweep.space.precision import with_policy
from sweep.space.unmade_variables import variables_unmade
from sweep.tasks.task import HIGGS_TASK, Task

Model = Any
"""A compiled `keras.Model`; Keras publishes no types."""

Build = Callable[[Any], Model]
"""A search space's `build(hp)`; `hp` is a `keras_tuner.HyperParameters`."""


_ROWS = 64


@dataclass(frozen=True)
class HomeBuild:
    """A user's `build(hp)`, run in the space's own folder whoever calls.

    A model that was given no input shape is built on that of the data; if the user's HyperModel has
    a `fit`, that is kept with the model, and what it asks of `hp` is asked. Raises what `build`
    raises, EndedByItselfError if `build` tries to end the program, and OtherPrecisionError if
    `build` changes Keras' type of numbers.
    """

    path: Path
    entry: SpaceEntry
    home: Home
    inputs: Inputs
    task: Task = HIGGS_TASK
    lightly: bool = False
    """Whether layers are put together at the end, and no variable can be assigned to.

    It takes half of the time, and is for models that are only looked at.
    """

    @property
    def called(self) -> str:
        """What messages call the build."""
        return self.entry.called

    def __call__(self, hp: Any) -> Model:
        with with_policy(self.home.policy):
            model = self.home.run(lambda: self._built(hp))
            method = own_fit(self.entry.hypermodel)
            if method is not None and hasattr(model, "fit"):
                make = getattr(self.entry.hypermodel, "make_callbacks", None)
                fit = ModelFit(self.path, method, hp, self.home, make=make)
                keep_fit(model, self._fit(fit, model))
            return model

    def _built(self, hp: Any) -> Model:
        if self.lightly and isinstance(hp, Asked):
            try:
                with variables_unmade():
                    with layers_at_once():
                        model = self._called(hp)
                    return shaped(model, self.inputs)
            except Exception:  # it may look at the model in between, or fail in any case
                hp.begin_again()
        return shaped(self._called(hp), self.inputs)

    def _called(self, hp: Any) -> Model:
        if self.entry.hypermodel is not None:
            self.entry.hypermodel.declare_hyperparameters(hp)
        return self.entry.build(hp)

    def _fit(self, fit: ModelFit, model: Model) -> ModelFit:
        """How the model is to be trained, and what `fit` gives for some made-up rows."""
        x, y = self.inputs.example(_ROWS), _targets(self.task)
        try:
            return replace(fit, seen=fit.called(model, x, y, (x, y)))
        except InvalidSpaceError as error:
            return replace(fit, fault=str(error))


def _targets(task: Task) -> NDArray[np.float32]:
    """Some targets of a task, each class among them: (rows,), or (rows, targets) if several."""
    numbers = np.arange(_ROWS * task.n_targets, dtype=np.float32)
    if task.n_classes:
        numbers = numbers % task.n_classes
    return numbers if task.n_targets == 1 else numbers.reshape(_ROWS, task.n_targets)


def name_of(build: Build) -> str:
    """Return what messages call a build: the name that the user's file has for it."""
    return str(getattr(build, "called", "build(hp)"))


def build_failed(
    path: Path, hp: Any, error: BaseException, name: str = "build(hp)"
) -> InvalidSpaceError:
    """Return the error that says in one line where the build called `name` of `path` failed."""
    chosen = f" with {hp.values}" if hp.values else ""
    return InvalidSpaceError(f"{name} of {path} fails{chosen}: {users_frame(error, path)}")
