"""What a model's score measures: its own loss for the task, or the objective that is asked for."""

from typing import Any

import numpy as np

from sweep.errors import InvalidSpaceError
from sweep.space.keras_loss import KerasLoss, OutputsError, loss_of
from sweep.space.outputs import outputs_of
from sweep.tasks.losses import Loss, LossName
from sweep.tasks.objectives import ALLOWED, ObjectiveName
from sweep.tasks.scoring import Scoring
from sweep.tasks.task import HIGGS_TASK, Task, TaskKind

_ALSO_CALLED = {
    "val_loss": "loss",
    "acc": "accuracy",
    "binary_accuracy": "accuracy",
    "categorical_accuracy": "accuracy",
    "sparse_categorical_accuracy": "accuracy",
    "mean_absolute_error": "mae",
    "mean_squared_error": "mse",
    "root_mean_squared_error": "rmse",
    "r2_score": "r2",
}
"""Keras' names of measures that have rows here."""


def scoring_of(model: Any, task: Task = HIGGS_TASK, objective: str = "loss") -> Scoring:
    """Return what the scores of a compiled model measure.

    `objective` is "loss", another measure of the task, or the name of a metric that the model is
    compiled with, as "min:NAME" or "max:NAME" if the name does not say which is better. Raises
    OutputsError if loss, outputs and task do not fit, InvalidSpaceError for the objective.
    """
    outputs_of(model, task)
    loss = scored_loss(loss_of(model), task)
    name = objective.removeprefix("val_")
    name = _ALSO_CALLED.get(name, name)
    if name in ALLOWED[task.kind]:
        return Scoring(loss, ObjectiveName(name))
    given, _, metric = name.rpartition(":")
    if metric not in own_metrics(model):
        raise InvalidSpaceError(_unknown(objective, model, task))
    if given in ("min", "max"):
        return Scoring(loss, ObjectiveName.METRIC, metric, given == "max")
    return Scoring(loss, ObjectiveName.METRIC, metric, _is_higher_better(metric))


def scored_loss(given: KerasLoss, task: Task) -> Loss:
    """Return the loss by rows that stands for the one that a model is compiled with.

    Smoothed labels are not the rows', and a squared error of classes is of probabilities: both are
    scored by the plain cross-entropy.
    """
    if given.loss.name is LossName.OWN:
        return given.loss
    if task.kind is TaskKind.AMOUNT:
        return given.loss
    if task.kind is TaskKind.CLASSES:
        return Loss(LossName.CROSSENTROPY)
    return Loss()


def check_targets(scoring: Scoring, task: Task, y: np.ndarray) -> None:
    """Raise OutputsError if amounts lie where the loss has no meaning."""
    if task.kind is not TaskKind.AMOUNT or y.size == 0:
        return
    low, high = float(np.min(y)), float(np.max(y))
    said = f"and the amounts lie between {low:.6g} and {high:.6g}"
    name = scoring.loss.name
    if name is LossName.BINARY_CROSSENTROPY and (low < 0 or high > 1):
        raise OutputsError(
            f"the loss binary_crossentropy takes targets from 0 to 1, {said}; compile it with "
            "loss=keras.losses.MeanSquaredError() and end it with a Dense layer without activation"
        )
    if name in (LossName.POISSON, LossName.SQUARED_LOG_ERROR) and low < 0:
        raise OutputsError(
            f"the loss {name} takes targets that are not negative, {said}; compile it with "
            "loss=keras.losses.MeanSquaredError()"
        )
    if name is LossName.PERCENTAGE_ERROR and np.any(y == 0):
        raise OutputsError(
            f"the loss {name} divides by the targets, and some are 0; compile it with "
            "loss=keras.losses.MeanAbsoluteError()"
        )


def own_metrics(model: Any) -> list[str]:
    """Return the names of the metrics that a model is compiled with, as Keras reports them."""
    given = (model.get_compile_config() or {}).get("metrics") or []
    listed = list(given.values()) if isinstance(given, dict) else list(given)
    flat = [one for entry in listed for one in (entry if isinstance(entry, list) else [entry])]
    return [_metric_name(one) for one in flat if one is not None]


def _metric_name(metric: Any) -> str:
    if not isinstance(metric, dict):
        return str(metric)
    config = metric.get("config")
    return str(config.get("name") if isinstance(config, dict) else config)


def _is_higher_better(metric: str) -> bool:
    from keras_tuner.engine.objective import create_objective

    try:
        return str(create_objective(f"val_{metric}").direction) == "max"
    except ValueError as error:
        raise InvalidSpaceError(
            f"--objective {metric}: it is not known whether more or less of it is better; "
            f"write --objective max:{metric} or min:{metric}"
        ) from error


def _unknown(objective: str, model: Any, task: Task) -> str:
    measures = [str(name) for name in ALLOWED[task.kind]]
    others = [name for name in own_metrics(model) if name not in measures]
    found = f", or a metric of the model ({', '.join(others)})" if others else ""
    return f"--objective is {objective!r}, expected one of: {', '.join(measures)}{found}"
