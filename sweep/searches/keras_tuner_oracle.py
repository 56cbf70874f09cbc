"""The one place that touches private names of Keras Tuner: those of its Hyperband oracle.

`tests/searches/test_keras_tuner_oracle.py` holds what is said here true, and names the versions of
Keras Tuner for which that was seen.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras_tuner

from sweep.records import Value

OBJECTIVE = "val_binary_crossentropy"


class KerasTunerOracle:
    """Configurations, rung sizes and rung epochs of Keras Tuner's Hyperband.

    `hyperparameters` is a `keras_tuner.HyperParameters` that knows every hyperparameter.
    """

    def __init__(self, hyperparameters: Any, max_epochs: int, factor: int, seed: int) -> None:
        with _quiet():
            self._oracle = keras_tuner.oracles.HyperbandOracle(
                objective=keras_tuner.Objective(OBJECTIVE, "min"),
                max_epochs=max_epochs,
                factor=factor,
                seed=seed,
                hyperparameters=hyperparameters.copy(),
            )

    def size(self, bracket: int, rung: int) -> int:
        """Return how many trials the bracket has on the rung."""
        return int(self._oracle._get_size(bracket, rung))

    def epochs(self, bracket: int, rung: int) -> int:
        """Return how many epochs the bracket's trials have trained at the end of the rung."""
        return int(self._oracle._get_epochs(bracket, rung))

    @property
    def is_fresh(self) -> bool:
        """Whether nothing has been marked as tried."""
        return not self._oracle._tried_so_far

    def draw(self) -> dict[str, Value] | None:
        """Return a random configuration that is not marked as tried; None if none is found."""
        with _quiet():
            values: dict[str, Value] | None = self._oracle._random_values()
        return values

    def mark_as_tried(self, values: Mapping[str, Value]) -> None:
        """Never draw the configuration `values` from now on."""
        self._oracle._tried_so_far.add(self._oracle._compute_values_hash(dict(values)))


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what Keras Tuner warns of and we cannot change: `threading.currentThread`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
