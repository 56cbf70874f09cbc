"""A walk through every combination of a space's values, in one fixed order.

The first combination has the first value of every hyperparameter. From one to the next, the
hyperparameter that is asked for last takes its next value; when it has had all of them it begins
again, and the one before it takes its next. Which hyperparameters there are is asked of the build
anew for each combination, so that a conditional one is gone through only where it is active.
"""

from collections.abc import Callable, Iterator, Sequence

from sweep.records import Value
from sweep.searches.one_rung import Configuration
from sweep.space.asked import Declaration
from sweep.space.explore import Follow

ValuesOf = Callable[[Declaration], Sequence[Value]]
"""The values of a hyperparameter, in the order of the walk."""


def walk(
    follow: Follow, values_of: ValuesOf, after: Configuration | None = None
) -> Iterator[Configuration]:
    """Yield the combinations of a space: all of them, or those behind the one called `after`.

    Raises ValueError if `after` is not a combination.
    """
    values_of = _kept(values_of)
    places: list[int] | None = []
    if after is not None:
        _, places = _combination(follow, values_of, after, [])
    while places is not None:
        found, places = _combination(follow, values_of, None, places)
        yield found


def _combination(
    follow: Follow, values_of: ValuesOf, given: Configuration | None, places: Sequence[int]
) -> tuple[Configuration, list[int] | None]:
    """Return a combination, and the places of the next one; None if it is the last.

    Places are the positions of the values, by hyperparameter in the order of the asks; those
    behind the last place are 0. The combination is the one of `given`, else that at `places`.
    """
    asked: list[tuple[int, int]] = []  # place and number of values of each hyperparameter

    def answer(declaration: Declaration) -> Value:
        values = values_of(declaration)
        if given is not None:
            place = values.index(given[declaration.name])
        else:
            place = places[len(asked)] if len(asked) < len(places) else 0
        asked.append((place, len(values)))
        return values[place]

    found = dict(follow(answer))
    while asked and asked[-1][0] + 1 == asked[-1][1]:
        asked.pop()
    following = [place for place, _ in asked]
    return found, [*following[:-1], following[-1] + 1] if following else None


def _kept(values_of: ValuesOf) -> ValuesOf:
    """Return `values_of`, called once for each declaration and default."""
    known: dict[tuple[Declaration, Value], Sequence[Value]] = {}

    def kept(declaration: Declaration) -> Sequence[Value]:
        key = declaration, declaration.default
        if key not in known:
            known[key] = values_of(declaration)
        return known[key]

    return kept
