"""Grid search: every combination of values, in the order in which Keras Tuner goes through them.

The first configuration has every default; the hyperparameter that is asked for last changes
first (see `walk`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from sweep.errors import InvalidSpaceError
from sweep.searches.one_rung import Configuration
from sweep.searches.values import grid_values
from sweep.searches.walk import walk
from sweep.space.explore import Follow

MOST = 10_000
"""Configurations of a grid for which no number of trials is given."""


@dataclass(frozen=True)
class Grid:
    """Proposes every combination of the values of a space, all of them in one wave."""

    follow: Follow

    def wave(self, position: int) -> tuple[int, int | None]:
        """Return that all configurations belong to one wave."""
        return 0, None

    def propose(
        self, before: Sequence[Configuration], scores: Sequence[float], most: int | None
    ) -> list[Configuration]:
        """Return the `most` combinations that follow on the last of `before`, or all that do.

        Raises InvalidSpaceError if `most` is None and there are more than `MOST` in all.
        """
        limit = MOST + 1 if most is None else most
        last = len(before) + limit
        combinations = walk(
            self.follow,
            lambda declaration: grid_values(declaration, last),
            before[-1] if before else None,
        )
        found = list(islice(combinations, limit))
        if most is None and len(before) + len(found) > MOST:
            raise InvalidSpaceError(
                f"the grid has more than {MOST:,} configurations; give --trials N to train the "
                "first N, or give the ranges of the space a larger step"
            )
        return found
