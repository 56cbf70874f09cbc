"""Configurations drawn along a build: only what is active with the values drawn before.

Each hyperparameter is drawn in the range of the declaration that is active, by Keras Tuner's own
`random_sample`, from seeds counted up as Keras Tuner's oracles count them.
"""

from collections.abc import Mapping
from typing import Protocol

from sweep.records import Value
from sweep.space.asked import Declaration
from sweep.space.explore import Follow

_MOST_COLLISIONS = 20
"""Configurations drawn in vain, one after another, before a space counts as exhausted."""

Key = tuple[tuple[str, str], ...]
"""Names and values of a configuration, to be compared."""


class Sampler(Protocol):
    """Draws configurations, none twice."""

    @property
    def is_fresh(self) -> bool:
        """Whether nothing has been marked as tried."""

    def draw(self) -> dict[str, Value] | None:
        """Return a random configuration that is not marked as tried; None if none is found."""

    def mark_as_tried(self, values: Mapping[str, Value]) -> None:
        """Never draw the configuration `values` from now on."""


class ActiveSampler:
    """A sampler for a space in which values decide which hyperparameters are active."""

    def __init__(self, follow: Follow, seed: int) -> None:
        self._follow = follow
        self._seed = seed
        self._tried: set[Key] = set()

    @property
    def is_fresh(self) -> bool:
        """Whether nothing has been marked as tried."""
        return not self._tried

    def draw(self) -> dict[str, Value] | None:
        """Return a random configuration that is not marked as tried; None if none is found."""
        for _ in range(_MOST_COLLISIONS + 1):
            values = dict(self._follow(self._answer))
            if key(values) not in self._tried:
                return values
        return None

    def mark_as_tried(self, values: Mapping[str, Value]) -> None:
        """Never draw the configuration `values` from now on."""
        self._tried.add(key(values))

    def _answer(self, declaration: Declaration) -> Value:
        value = declaration.sample(self._seed)
        self._seed += 1
        return value


def key(values: Mapping[str, Value]) -> Key:
    """Return what two configurations have in common if and only if they are the same."""
    return tuple(sorted((name, repr(value)) for name, value in values.items()))
