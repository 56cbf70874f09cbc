"""A search space's `build(hp)` as it is called here: in its folder, on the data's shape."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sweep.errors import InvalidSpaceError
from sweep.space.entry import Entry
from sweep.space.fit import ModelFit, keep_fit, own_fit
from sweep.space.home import Home
from sweep.space.inputs import Inputs, shaped
from sweep.space.place import users_frame
from sweep.space.precision import with_policy

Model = Any
"""A compiled `keras.Model`; Keras publishes no types."""

Build = Callable[[Any], Model]
"""A search space's `build(hp)`; `hp` is a `keras_tuner.HyperParameters`."""


_ROWS = 8


@dataclass(frozen=True)
class HomeBuild:
    """A user's `build(hp)`, run in the space's own folder whoever calls.

    A model that was given no input shape is built on that of the data; if the user's HyperModel has
    a `fit`, that is kept with the model, and what it asks of `hp` is asked. Raises what `build`
    raises, EndedByItselfError if `build` tries to end the program, and OtherPrecisionError if
    `build` changes Keras' type of numbers.
    """

    path: Path
    entry: Entry
    home: Home
    inputs: Inputs
    n_outputs: int = 2

    def __call__(self, hp: Any) -> Model:
        with with_policy(self.home.policy):
            model = self.home.run(lambda: self._built(hp))
            method = own_fit(self.entry.hypermodel)
            if method is not None and hasattr(model, "fit"):
                keep_fit(model, self._fit(ModelFit(self.path, method, hp, self.home), model))
            return model

    def _built(self, hp: Any) -> Model:
        if self.entry.hypermodel is not None:
            self.entry.hypermodel.declare_hyperparameters(hp)
        return shaped(self.entry.build(hp), self.inputs)

    def _fit(self, fit: ModelFit, model: Model) -> ModelFit:
        """How the model is to be trained, and what `fit` gives for some made-up rows."""
        x, y = self.inputs.example(_ROWS), np.arange(_ROWS, dtype=np.float32) % self.n_outputs
        try:
            return replace(fit, seen=fit.called(model, x, y, (x, y)))
        except InvalidSpaceError as error:
            return replace(fit, fault=str(error))


def build_failed(path: Path, hp: Any, error: BaseException) -> InvalidSpaceError:
    """Return the error that says in one line where `build(hp)` of `path` failed."""
    chosen = f" with {hp.values}" if hp.values else ""
    return InvalidSpaceError(f"build(hp) of {path} fails{chosen}: {users_frame(error, path)}")
