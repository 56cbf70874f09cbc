"""The four tuners, with the arguments, order and defaults of Keras Tuner's.

A tuner keeps what it was given as values, and trains nothing before `search`.
"""

from collections.abc import Mapping
from typing import Any

from sweep.errors import UsageError
from sweep.tuners.arguments import tuner_arguments
from sweep.tuners.tuner import Tuner as Tuner


class Hyperband(Tuner):
    """Hyperband, with promotions that continue a trial exactly where it was."""

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_epochs: int = 100,
        factor: int = 3,
        hyperband_iterations: int = 1,
        seed: int | None = None,
        hyperparameters: Any = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        """`max_epochs` are those of a trial that is never cut; one in `factor` is promoted."""
        search = {"max_epochs": max_epochs, "factor": factor, "iterations": hyperband_iterations}
        for name, value in (
            ("max_epochs", max_epochs),
            ("factor", factor),
            ("hyperband_iterations", hyperband_iterations),
        ):
            if not isinstance(value, int) or value < 1:
                raise UsageError(f"{name} is {value!r}, expected a whole number from 1")
        super().__init__(
            hypermodel,
            tuner_arguments(
                search,
                objective=objective,
                seed=seed,
                hyperparameters=hyperparameters,
                tune_new_entries=tune_new_entries,
                allow_new_entries=allow_new_entries,
                max_consecutive_failed_trials=max_consecutive_failed_trials,
                others={**kwargs, "max_retries_per_trial": max_retries_per_trial},
            ),
        )


class RandomSearch(Tuner):
    """Configurations drawn at random, none twice."""

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int = 10,
        seed: int | None = None,
        hyperparameters: Any = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        """`max_trials` are configurations; each is trained `executions_per_trial` times."""
        super().__init__(
            hypermodel,
            tuner_arguments(
                {"search": "random", "trials": _trials(max_trials)},
                objective=objective,
                seed=seed,
                hyperparameters=hyperparameters,
                tune_new_entries=tune_new_entries,
                allow_new_entries=allow_new_entries,
                max_consecutive_failed_trials=max_consecutive_failed_trials,
                others={**kwargs, "max_retries_per_trial": max_retries_per_trial},
            ),
        )


class BayesianOptimization(Tuner):
    """Configurations that a Gaussian process of the scores hopes most of, in waves."""

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int = 10,
        num_initial_points: int | None = None,
        alpha: float = 1e-4,
        beta: float = 2.6,
        seed: int | None = None,
        hyperparameters: Any = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        """`alpha` is the noise of standardised scores, a variance; `beta` how much to explore."""
        search: Mapping[str, Any] = {
            "search": "bayesian",
            "trials": _trials(max_trials),
            "initial_points": num_initial_points,
            "alpha": float(alpha),
            "beta": float(beta),
        }
        super().__init__(
            hypermodel,
            tuner_arguments(
                search,
                objective=objective,
                seed=seed,
                hyperparameters=hyperparameters,
                tune_new_entries=tune_new_entries,
                allow_new_entries=allow_new_entries,
                max_consecutive_failed_trials=max_consecutive_failed_trials,
                others={**kwargs, "max_retries_per_trial": max_retries_per_trial},
            ),
        )


class GridSearch(Tuner):
    """Every combination of the values of a search space."""

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int | None = None,
        seed: int | None = None,
        hyperparameters: Any = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        """`max_trials` None: the whole grid."""
        trials = None if max_trials is None else _trials(max_trials)
        super().__init__(
            hypermodel,
            tuner_arguments(
                {"search": "grid", "trials": trials},
                objective=objective,
                seed=seed,
                hyperparameters=hyperparameters,
                tune_new_entries=tune_new_entries,
                allow_new_entries=allow_new_entries,
                max_consecutive_failed_trials=max_consecutive_failed_trials,
                others={**kwargs, "max_retries_per_trial": max_retries_per_trial},
            ),
        )


def _trials(given: Any) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise UsageError(f"max_trials is {given!r}, expected a whole number from 1")
    return given
