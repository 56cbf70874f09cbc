"""The four tuners, with the arguments, order and defaults of Keras Tuner's.

A tuner keeps what it was given as values, and trains nothing before `search`.
"""

from typing import Any

from sweep.tuners.by_kind import (
    bayesian_arguments,
    grid_arguments,
    hyperband_arguments,
    random_arguments,
)
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
        self._begin(
            hypermodel,
            hyperband_arguments(
                max_epochs=max_epochs,
                factor=factor,
                hyperband_iterations=hyperband_iterations,
                objective=objective,
                seed=seed,
                hyperparameters=hyperparameters,
                tune_new_entries=tune_new_entries,
                allow_new_entries=allow_new_entries,
                max_consecutive_failed_trials=max_consecutive_failed_trials,
                max_retries_per_trial=max_retries_per_trial,
                others=kwargs,
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
        self._begin(
            hypermodel,
            random_arguments(
                max_trials=max_trials,
                objective=objective,
                seed=seed,
                hyperparameters=hyperparameters,
                tune_new_entries=tune_new_entries,
                allow_new_entries=allow_new_entries,
                max_consecutive_failed_trials=max_consecutive_failed_trials,
                max_retries_per_trial=max_retries_per_trial,
                others=kwargs,
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
        self._begin(
            hypermodel,
            bayesian_arguments(
                max_trials=max_trials,
                num_initial_points=num_initial_points,
                alpha=alpha,
                beta=beta,
                objective=objective,
                seed=seed,
                hyperparameters=hyperparameters,
                tune_new_entries=tune_new_entries,
                allow_new_entries=allow_new_entries,
                max_consecutive_failed_trials=max_consecutive_failed_trials,
                max_retries_per_trial=max_retries_per_trial,
                others=kwargs,
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
        self._begin(
            hypermodel,
            grid_arguments(
                max_trials=max_trials,
                objective=objective,
                seed=seed,
                hyperparameters=hyperparameters,
                tune_new_entries=tune_new_entries,
                allow_new_entries=allow_new_entries,
                max_consecutive_failed_trials=max_consecutive_failed_trials,
                max_retries_per_trial=max_retries_per_trial,
                others=kwargs,
            ),
        )
