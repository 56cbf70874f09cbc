"""Optuna's distributions of a sweep's hyperparameters, from how the search space declares them."""

import math
from collections.abc import Sequence
from typing import Any

from sweep.analysis.frames.load import SweepFrames
from sweep.records import Value
from sweep.space.record import ChoiceDefinition, Definition, RangeDefinition


def distributions(frames: SweepFrames) -> dict[str, Any]:
    """Return a distribution for each hyperparameter; every trial's value is in it.

    A range becomes a range, everything else the list of its values. A baseline's value that the
    space does not offer widens it. Of a hyperparameter that is declared in several ways, all ways
    are covered. The values that were seen stand for a sweep that kept no declarations.
    """
    declared: dict[str, list[Definition]] = {}
    for one in frames.sweep.space.definitions:
        # an older version listed a definition several times
        if one not in (ways := declared.setdefault(one.name, [])):
            ways.append(one)
    return {
        name: _distribution(
            declared.get(name, []),
            [value for value in frames.hyperparameters[name] if value is not None],
        )
        for name in frames.hyperparameter_names
    }


def _distribution(declared: Sequence[Definition], seen: list[Value]) -> Any:
    from optuna.distributions import CategoricalDistribution

    ranges = [one for one in declared if isinstance(one, RangeDefinition)]
    numbers = [value for value in seen if isinstance(value, int | float)]
    if ranges and len(ranges) == len(declared) and len(numbers) == len(seen):
        return _range(ranges, numbers)
    if ranges or not declared:
        return CategoricalDistribution(_distinct(_ordered(seen)))
    choices = [one for one in declared if isinstance(one, ChoiceDefinition)]
    return CategoricalDistribution(_distinct([*(v for one in choices for v in one.values), *seen]))


def _range(declared: Sequence[RangeDefinition], seen: Sequence[float]) -> Any:
    """The range that holds all of them: logarithmic, or in steps, if each of them is."""
    from optuna.distributions import FloatDistribution, IntDistribution

    ends: list[Any] = [end for one in declared for end in (one.min_value, one.max_value)]
    low, high = min(*ends, *seen), max(*ends, *seen)
    is_log = low > 0 and all(one.sampling == "log" for one in declared)
    # in a logarithmic range Keras Tuner's step is a factor, which Optuna does not have
    steps = {None if is_log else one.step for one in declared}
    step = steps.pop() if len(steps) == 1 else None
    if step is not None and not _on_grid(low, step, [*ends, *seen]):
        step = None
    if all(one.kind == "Int" for one in declared):
        return IntDistribution(
            int(low), int(high), log=is_log, step=1 if step is None else int(step)
        )
    return FloatDistribution(
        float(low), float(high), log=is_log, step=None if step is None else float(step)
    )


def _on_grid(low: float, step: float, values: Sequence[Any]) -> bool:
    places = [(value - low) / step for value in values]
    return all(math.isclose(place, round(place), abs_tol=1e-6) for place in places)


def _ordered(values: list[Value]) -> list[Value]:
    """Numbers by size, the rest as it comes."""
    if all(isinstance(value, int | float) for value in values):
        return sorted(values)
    return values


def _distinct(values: Sequence[Value]) -> list[Value]:
    return list(dict.fromkeys(values))
