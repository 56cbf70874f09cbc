"""Random search: configurations drawn one by one, none twice, until the space has no more.

Each is drawn from a seed of its own, so that it depends on its number and on what it must not
repeat, and on nothing that was drawn before the process began.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count, islice
from random import Random

from sweep.records import Value
from sweep.searches.draw import Key, key
from sweep.searches.one_rung import Configuration
from sweep.searches.values import all_values
from sweep.searches.walk import walk
from sweep.seeds import derive
from sweep.space.asked import Declaration
from sweep.space.explore import Follow

_MOST_COLLISIONS = 20
"""Configurations drawn in vain, one after another, before those that are left are counted out."""
_MOST_COUNTED = 10_000
"""Configurations looked at while counting: of more, those that are left among these."""


@dataclass(frozen=True)
class RandomDraws:
    """Proposes random configurations, all of them in one wave."""

    follow: Follow
    seed: int

    def wave(self, position: int) -> tuple[int, int | None]:
        """Return that all configurations belong to one wave."""
        return 0, None

    def propose(
        self, before: Sequence[Configuration], scores: Sequence[float], most: int | None
    ) -> list[Configuration]:
        """Return `most` random configurations that are not among `before`, or all that are left.

        Raises ValueError if `most` is None: a space may have no end.
        """
        if most is None:
            raise ValueError("a random search has a number of trials")
        draw = Draw(self.follow, self.seed, before)
        found: list[Configuration] = []
        while len(found) < most and (values := draw.next(len(before) + len(found))) is not None:
            found.append(values)
        return found


class Draw:
    """Draws configurations of a space that were not tried before."""

    def __init__(self, follow: Follow, seed: int, tried: Iterable[Configuration]) -> None:
        self._follow = follow
        self._seed = seed
        self._tried = {key(values) for values in tried}
        self._counted: dict[Key, Configuration] = {}
        """Every configuration, once they are counted out."""

    def is_new(self, values: Configuration) -> bool:
        """Return whether a configuration was not tried."""
        return key(values) not in self._tried

    def add(self, values: Configuration) -> None:
        """Never draw `values` from now on."""
        self._tried.add(key(values))

    def next(self, number: int) -> Configuration | None:
        """Return configuration number `number` of the search; None if the space has no more."""
        first = derive(self._seed, "configuration", number)
        seeds = count(first)
        for _ in range(_MOST_COLLISIONS + 1):
            values = dict(self._follow(lambda declaration: declaration.sample(next(seeds))))
            if self.is_new(values):
                self.add(values)
                return values
        left = [values for one, values in self._all().items() if one not in self._tried]
        if not left:
            return None
        values = dict(left[Random(first).randrange(len(left))])
        self.add(values)
        return values

    def _all(self) -> dict[Key, Configuration]:
        """Return every configuration of the space, or the first ones of very many.

        A hyperparameter whose values cannot be counted has one of them, drawn.
        """
        if not self._counted:
            seed = derive(self._seed, "left")

            def values_of(declaration: Declaration) -> Sequence[Value]:
                return all_values(declaration, _MOST_COUNTED) or [declaration.sample(seed)]

            found = islice(walk(self._follow, values_of), _MOST_COUNTED)
            self._counted = {key(values): values for values in found}
        return self._counted
