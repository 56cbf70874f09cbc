"""What a program's outputs say of rows: predictions, losses by row, and an epoch's measures.

Predictions are shaped as `sweep.tasks.losses` has them: logits, log-probabilities or amounts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from sweep import metrics
from sweep.data.split import Rows
from sweep.tasks.losses import Array, LossName, log_probabilities, log_softmax, row_losses
from sweep.tasks.objectives import ObjectiveName, row_values
from sweep.tasks.rare import measures_of_a_rare_class
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
    """Those of the model's own metrics that are known here, by their names; how well a rare class
    is found."""


def measured(
    loss: FusedLoss,
    outputs: np.ndarray,
    rows: Rows,
    task: Task,
    scoring: Scoring,
    own: Sequence[tuple[str, str]] = (),
) -> Measures:
    """Return the measures of a program's outputs for `rows`: (rows,) or (rows, outputs).

    `own` are the model's metrics: names, each with what it is called here.
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
    rare = measures_of_a_rare_class(predicted, targets, task)
    if not own:
        return replace(found, metrics=rare) if rare else found
    shown = _as_amounts(predicted, task, scoring)
    said = {name: _metric(called, found, shown, targets, task) for name, called in own}
    return replace(found, metrics=rare | said)


def own_metrics(
    loss: FusedLoss,
    outputs: np.ndarray,
    rows: Rows,
    task: Task,
    scoring: Scoring,
    own: Sequence[tuple[str, str]],
) -> dict[str, float]:
    """Return the model's own metrics alone; the arguments are those of `measured`."""
    if not own:
        return {}
    predicted = predictions(loss, outputs)
    targets = rows.y.reshape(predicted.shape) if rows.y.size == predicted.size else rows.y
    is_auc = any(called == "auc" for _, called in own)
    is_accuracy = any(called.startswith("accuracy") for _, called in own)
    found = _Shares(
        accuracy=_accuracy(predicted, targets, task) if is_accuracy else math.nan,
        auc=metrics.auc(predicted, targets) if is_auc else math.nan,
    )
    shown = _as_amounts(predicted, task, scoring)
    return {name: _metric(called, found, shown, targets, task) for name, called in own}


class _Shares(NamedTuple):
    """What `_metric` takes from measures that are known."""

    accuracy: float
    auc: float


def _metric(
    called: str, found: Measures | _Shares, predicted: Array, targets: np.ndarray, task: Task
) -> float:
    """Return a metric of Keras' by what `reading.metrics` calls it."""
    if called == "auc":
        return found.auc
    if called in ("precision", "recall"):
        return _precision_or_recall(called, predicted > 0, targets > 0.5)
    if called.startswith("accuracy"):
        by_column = called == "accuracy" and task.kind in (TaskKind.AMOUNT, TaskKind.LABELS)
        return _keras_accuracy(predicted, targets, task) if by_column else found.accuracy
    if called == "mape":
        size = np.maximum(np.abs(targets), 1e-7)  # as Keras has it
        return float(100 * (np.abs(targets - predicted) / size).mean())
    return float(row_values(ObjectiveName(called), predicted, targets).mean())


def _precision_or_recall(called: str, chosen: np.ndarray, true: np.ndarray) -> float:
    """0 where nothing is chosen, or true, as in Keras."""
    of = chosen if called == "precision" else true
    return float((chosen & true).sum() / of.sum()) if of.any() else 0.0


def _keras_accuracy(predicted: Array, targets: np.ndarray, task: Task) -> float:
    """What Keras takes "accuracy" for where it sees amounts: their columns for classes, or amounts
    above a half for yes."""
    if predicted.ndim == 1 or predicted.shape[-1] == 1:
        is_yes = predicted > (0.5 if task.kind is TaskKind.AMOUNT else 0)
        return float((is_yes == targets).mean())
    return float((predicted.argmax(axis=-1) == targets.argmax(axis=-1)).mean())


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
