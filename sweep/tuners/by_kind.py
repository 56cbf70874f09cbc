"""The arguments of each kind of tuner, checked, as the settings of a search.

`more` are those that all kinds have: see `tuner_arguments`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sweep.errors import UsageError
from sweep.tuners.arguments import TunerArguments, tuner_arguments


def hyperband_arguments(
    *, max_epochs: int, factor: int, hyperband_iterations: int, **more: Any
) -> TunerArguments:
    """Return the arguments of a `Hyperband`. Raises what `tuner_arguments` raises."""
    whole = {
        "max_epochs": max_epochs,
        "factor": factor,
        "hyperband_iterations": hyperband_iterations,
    }
    for name, value in whole.items():
        if not isinstance(value, int) or value < 1:
            raise UsageError(f"{name} is {value!r}, expected a whole number from 1")
    search = {"max_epochs": max_epochs, "factor": factor, "iterations": hyperband_iterations}
    return tuner_arguments(search, **more)


def random_arguments(*, max_trials: int, **more: Any) -> TunerArguments:
    """Return the arguments of a `RandomSearch`. Raises what `tuner_arguments` raises."""
    return tuner_arguments({"search": "random", "trials": _trials(max_trials)}, **more)


def bayesian_arguments(
    *, max_trials: int, num_initial_points: int | None, alpha: float, beta: float, **more: Any
) -> TunerArguments:
    """Return the arguments of a `BayesianOptimization`. Raises what `tuner_arguments` raises."""
    search: Mapping[str, Any] = {
        "search": "bayesian",
        "trials": _trials(max_trials),
        "initial_points": num_initial_points,
        "alpha": float(alpha),
        "beta": float(beta),
    }
    return tuner_arguments(search, **more)


def grid_arguments(*, max_trials: int | None, **more: Any) -> TunerArguments:
    """Return the arguments of a `GridSearch`. Raises what `tuner_arguments` raises."""
    trials = None if max_trials is None else _trials(max_trials)
    return tuner_arguments({"search": "grid", "trials": trials}, **more)


BY_KIND: dict[str, Callable[..., TunerArguments]] = {
    "Hyperband": hyperband_arguments,
    "RandomSearch": random_arguments,
    "BayesianOptimization": bayesian_arguments,
    "GridSearch": grid_arguments,
}
"""By the name of the tuner."""


@dataclass(frozen=True)
class OracleArguments:
    """A kind of search, and the arguments that its tuner would have been given."""

    kind: str
    given: Mapping[str, Any]

    def with_others(self, others: Mapping[str, Any]) -> TunerArguments:
        """Return the arguments of a tuner that is given `others` besides its oracle."""
        return BY_KIND[self.kind](**self.given, others=others)


def _trials(given: Any) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise UsageError(f"max_trials is {given!r}, expected a whole number from 1")
    return given
