"""What a program's outputs say of rows: predictions, losses by row, and an epoch's measures.

Predictions are shaped as `sweep.tasks.losses` has them: logits, log-probabilities or amounts.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sweep import metrics
from sweep.data.split import Rows
from sweep.space.check import METRIC
from sweep.tasks.losses import Array, LossName, log_probabilities, log_softmax, row_losses
from sweep.tasks.objectives import ObjectiveName, row_values
from sweep.tasks.scoring import Scoring
from sweep.tasks.task import Task, TaskKind
from sweep.training.fused.description import FusedLoss


@dataclass(frozen=True)
class Measures:
    """A trial on some rows, in evaluation mode, without penalty."""

    losses: np.ndarray
    """A number for each row, (rows,), whose mean is the score."""
    score: float
    loss: float
    """The mean of the rows' losses: the score, unless that is another measure."""
    accuracy: float
    """NaN of amounts."""
    auc: float
    """NaN unless the target is one of two classes."""
    metrics: dict[str, float] = field(default_factory=dict)
    """Those of the model's own metrics that are known here, by their names."""


def measured(
    loss: FusedLoss,
    outputs: np.ndarray,
    rows: Rows,
    task: Task,
    scoring: Scoring,
    names: Sequence[str] = (),
) -> Measures:
    """Return the measures of a program's outputs for `rows`: (rows,) or (rows, outputs).

    `names` are the model's own metrics.
    """
    predicted = predictions(loss, outputs)
    targets = rows.y.reshape(predicted.shape) if rows.y.size == predicted.size else rows.y
    losses = row_losses(scoring.loss, predicted, targets)
    values = losses
    if scoring.objective is not ObjectiveName.LOSS:
        values = row_values(scoring.objective, _as_amounts(predicted, task, scoring), targets)
    binary = task.kind is TaskKind.BINARY
    found = Measures(
        losses=values,
        score=float(values.mean()),
        loss=float(losses.mean()),
        accuracy=_accuracy(predicted, targets, task),
        auc=metrics.auc(predicted, targets) if binary else math.nan,
    )
    if set(names) <= {METRIC}:  # the score itself
        return found
    known = _known(found, _as_amounts(predicted, task, scoring), targets, task)
    own = {name: known[name.lower()]() for name in names if name.lower() in known}
    return replace(found, metrics=own)


def _known(
    found: Measures, predicted: np.ndarray, targets: np.ndarray, task: Task
) -> dict[str, Callable[[], float]]:
    """What is measured here of Keras' metrics, by the names that Keras has for them."""
    if task.kind is not TaskKind.AMOUNT:
        accuracies: tuple[str, ...] = (
            "accuracy",
            "acc",
            "binary_accuracy",
            "categorical_accuracy",
            "sparse_categorical_accuracy",
        )
        if task.kind is TaskKind.LABELS:  # "accuracy" takes their columns for classes
            accuracies = ("binary_accuracy",)
        known: dict[str, Callable[[], float]] = dict.fromkeys(accuracies, lambda: found.accuracy)
        return known | {"auc": lambda: found.auc} if task.kind is TaskKind.BINARY else known

    def by(objective: ObjectiveName) -> Callable[[], float]:
        return lambda: float(row_values(objective, predicted, targets).mean())

    mae, mse, rmse = map(by, (ObjectiveName.MAE, ObjectiveName.MSE, ObjectiveName.RMSE))
    return {
        **dict.fromkeys(("mae", "mean_absolute_error"), mae),
        **dict.fromkeys(("mse", "mean_squared_error"), mse),
        "root_mean_squared_error": rmse,
    }


def score(loss: FusedLoss, outputs: np.ndarray, rows: Rows, task: Task, scoring: Scoring) -> float:
    """Return the score alone, for rows whose other measures nobody asks for."""
    if scoring.objective is not ObjectiveName.LOSS:
        return measured(loss, outputs, rows, task, scoring).score
    predicted = predictions(loss, outputs)
    targets = rows.y.reshape(predicted.shape) if rows.y.size == predicted.size else rows.y
    return float(row_losses(scoring.loss, predicted, targets).mean())


def tells_fit_score(loss: FusedLoss, scoring: Scoring) -> bool:
    """Return whether what is measured batch by batch, the model's own loss, is the score."""
    wanted = _SAME.get(scoring.objective)
    if wanted is None and scoring.objective is not ObjectiveName.LOSS:
        return False
    return loss.kind in ("", "classes", "labels") or loss.kind == (wanted or scoring.loss.name)


def unmeasured(scoring: Scoring) -> str | None:
    """Return why trials scored like this are not fused; None if they can be."""
    if scoring.loss.name is LossName.OWN:
        return f"loss {scoring.measure.name}"
    if scoring.objective is ObjectiveName.METRIC:
        return f"the score is {scoring.metric}, a metric of the model"
    return None


_SAME = {
    ObjectiveName.MAE: LossName.ABSOLUTE_ERROR,
    ObjectiveName.MSE: LossName.SQUARED_ERROR,
}
"""Objectives that are means over rows of no other loss, so that `fit` reports them."""


def predictions(loss: FusedLoss, outputs: np.ndarray) -> np.ndarray:
    """Return a program's outputs as predictions, rounded as the model's own are."""
    if loss.kind and not loss.kind.startswith(("classes", "labels")):
        return outputs.astype(np.float64)
    if loss.kind == "classes":
        return _of_classes(loss, outputs)
    if loss.from_logits:
        return outputs
    with np.errstate(over="ignore"):
        probabilities = 1 / (1 + np.exp(-outputs))
    return metrics.logits_from_probabilities(probabilities)


def _of_classes(loss: FusedLoss, outputs: np.ndarray) -> Array:
    if loss.from_logits:
        return log_softmax(outputs.astype(np.float64))
    shares = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    return log_probabilities(shares.astype(np.float64))


def _as_amounts(predicted: np.ndarray, task: Task, scoring: Scoring) -> np.ndarray:
    is_logit = scoring.loss.name is LossName.BINARY_CROSSENTROPY
    if task.kind is not TaskKind.AMOUNT or not is_logit:
        return predicted
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-predicted)))


def _accuracy(predicted: np.ndarray, targets: np.ndarray, task: Task) -> float:
    if task.kind is TaskKind.AMOUNT:
        return math.nan
    if task.kind is TaskKind.BINARY:
        return metrics.accuracy(predicted, targets)
    return 1 - float(row_values(ObjectiveName.ACCURACY, predicted, targets).mean())
