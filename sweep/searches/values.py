"""The values that a hyperparameter may have, counted out: those of a grid, and all there are."""

from collections.abc import Sequence
from itertools import islice

from sweep.records import Value
from sweep.space.asked import Declaration

_SAMPLES = 10
"""Values of a range without a step in a grid, beside its default, as in Keras Tuner."""


def grid_values(declaration: Declaration, most: int) -> Sequence[Value]:
    """Return the values that a grid goes through, the default first, the others in their order.

    Those of a range without a step lie in the middle of ten equal shares of it, as Keras Tuner's
    GridSearch takes them. At most `most`, and one more if there are more.
    """
    default = declaration.default
    found = _stepped(declaration, most)
    if found is None:
        sample = declaration.parameter.prob_to_value
        found = sorted({sample((part + 0.5) / _SAMPLES) for part in range(_SAMPLES)})
    return list(dict.fromkeys([default, *found]))[: most + 1]


def all_values(declaration: Declaration, most: int) -> Sequence[Value] | None:
    """Return every value that can be drawn; None if they cannot be counted out.

    At most `most`, and one more if there are more.
    """
    low, high = declaration.min_value, declaration.max_value
    if low is not None and low == high:
        return [declaration.default]
    if declaration.kind == "Int" and declaration.step is None and low is not None:
        return list(islice(range(int(low), int(high or 0) + 1), most + 1))
    return _stepped(declaration, most)


def _stepped(declaration: Declaration, most: int) -> Sequence[Value] | None:
    """Return the values of a choice or of a range with a step; None for a range without one."""
    if declaration.values is not None:
        chosen = list(declaration.values[: most + 1])
        return sorted(chosen) if declaration.kind == "Boolean" else chosen
    if declaration.step is None:
        return None
    found = islice(declaration.parameter.values, most + 1)  # there may be very many
    return [int(value) for value in found] if declaration.kind == "Int" else list(found)
