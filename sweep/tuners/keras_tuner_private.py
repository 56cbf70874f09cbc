"""The one place of this room that imports what Keras Tuner has under private names.

What its tuners do with results and callbacks is taken from it, so that both do the same.
"""

from typing import Any


def objective_of(given: Any) -> Any:
    """Return the `Objective` of a name, an object or None. Raises ValueError for a name that does
    not say which way is better."""
    from keras_tuner.src.engine.objective import create_objective

    return create_objective(given)


def hypermodel_of(given: Any) -> Any:
    """Return the HyperModel of a function, or of a HyperModel."""
    from keras_tuner.src.engine.hypermodel import get_hypermodel

    return get_hypermodel(given)


def direction_of(metric: str) -> str | None:
    """Return "min" or "max" for a metric's name, or None if it does not say."""
    from keras_tuner.src.engine.metrics_tracking import infer_metric_direction

    found: str | None = infer_metric_direction(metric)
    return found


def told(tuner: Any, trial: Any) -> Any:
    """Return a callback that tells a tuner of each epoch and batch."""
    from keras_tuner.src.engine.tuner_utils import TunerCallback

    return TunerCallback(tuner, trial)


def keeping_best(objective: Any, file: str) -> Any:
    """Return a callback that keeps the weights of the best epoch."""
    from keras_tuner.src.engine.tuner_utils import SaveBestEpoch

    return SaveBestEpoch(objective, file)


def results_of(results: Any, objective: Any) -> dict[str, float]:
    """Return the numbers in what a `run_trial` returned. Raises what Keras Tuner raises of them."""
    from keras_tuner.src.engine import tuner_utils

    tuner_utils.validate_trial_results(results, objective, "Tuner.run_trial()")
    found: dict[str, float] = tuner_utils.convert_to_metrics_dict(results, objective)
    return found
