"""Optuna's distributions of a sweep's hyperparameters, from how the search space declares them."""

import math
from collections.abc import Sequence
from typing import Any

from sweep.analysis.frames.load import SweepFrames
from sweep.records import Value
from sweep.space.record import ChoiceDefinition, RangeDefinition


def distributions(frames: SweepFrames) -> dict[str, Any]:
    """One for each hyperparameter, in which every trial's value lies.

    A range becomes a range, everything else the list of its values. A baseline's value that the
    space does not offer widens it. The values that were seen stand for a hyperparameter that is
    declared in several ways, or of a sweep that kept no declarations.
    """
    declared: dict[str, list[RangeDefinition | ChoiceDefinition]] = {}
    for one in frames.sweep.space.definitions:
        declared.setdefault(one.name, []).append(one)
    return {
        name: _distribution(
            declared.get(name, []),
            [value for value in frames.hyperparameters[name] if value is not None],
        )
        for name in frames.hyperparameter_names
    }


def _distribution(declared: Sequence[RangeDefinition | ChoiceDefinition], seen: list[Value]) -> Any:
    from optuna.distributions import CategoricalDistribution

    if len(declared) != 1:
        return CategoricalDistribution(_distinct(_ordered(seen)))
    only = declared[0]
    if isinstance(only, RangeDefinition):
        return _range(only, seen)
    return CategoricalDistribution(_distinct([*only.values, *seen]))


def _range(declared: RangeDefinition, seen: Sequence[Value]) -> Any:
    from optuna.distributions import FloatDistribution, IntDistribution

    ends: list[Any] = [declared.min_value, declared.max_value, *seen]
    low, high = min(ends), max(ends)
    is_log, step = declared.sampling == "log" and low > 0, declared.step
    # in a logarithmic range Keras Tuner's step is a factor, which Optuna does not have
    if step is not None and (is_log or not _on_grid(low, step, ends)):
        step = None
    if declared.kind == "Int":
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
