"""The training score while the weights move: what Keras reports of it, or a measure of ours.

It holds no penalty, and rows count the same in it whatever their weights.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import keras

from sweep.space.build import Model
from sweep.space.check import METRIC, recorded_metric
from sweep.space.keras_loss import TargetForm, callable_of
from sweep.space.outputs import outputs_of
from sweep.tasks.losses import Loss, LossName
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.scoring import Scoring
from sweep.tasks.task import Task, TaskKind

NAME = "sweep_fit_score"
_BY_FORM = {
    TargetForm.AS_THEY_ARE: "binary_crossentropy",
    TargetForm.NUMBERS: "sparse_categorical_crossentropy",
    TargetForm.ONE_HOT: "categorical_crossentropy",
}

_BY_OBJECTIVE = {
    ObjectiveName.MAE: "mean_absolute_error",
    ObjectiveName.MSE: "mean_squared_error",
}


def report_fit_score(model: Model, task: Task, scoring: Scoring, form: TargetForm) -> str | None:
    """Have `fit` report the training score; return under which name it does.

    None if it cannot be told batch by batch: of an objective that is no mean over rows. A metric of
    binary cross-entropy that the model has is used as it is.
    """
    if scoring.objective not in (ObjectiveName.LOSS, *_BY_OBJECTIVE):
        return None
    by_loss = scoring.objective is ObjectiveName.LOSS
    is_crossentropy = by_loss and scoring.loss.name is LossName.BINARY_CROSSENTROPY
    if is_crossentropy and task.kind is TaskKind.BINARY and recorded_metric(model) is not None:
        return METRIC
    rows, mean = _rows(model, task, scoring, form), keras.metrics.Mean(name=NAME)
    compiled = type(model).compute_metrics

    def compute_metrics(x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        mean.update_state(rows(y, y_pred))
        return compiled(model, x, y, y_pred, sample_weight)

    model.sweep_fit_score = mean  # Keras resets it at each epoch's start, and reports it
    model.compute_metrics = compute_metrics
    return NAME


def _rows(
    model: Model, task: Task, scoring: Scoring, form: TargetForm
) -> Callable[[Any, Any], Any]:
    """The function (targets, outputs) → losses of the rows, as Keras computes them."""
    name, logits = scoring.loss.name, outputs_of(model, task).logits
    if scoring.objective is not ObjectiveName.LOSS:
        name = LossName(_BY_OBJECTIVE[scoring.objective])
    if name is LossName.OWN:
        return callable_of(model.loss)
    if Loss(name).is_of_classes:
        return partial(getattr(keras.losses, _BY_FORM[form]), from_logits=logits)
    function = getattr(keras.losses, str(name))
    if name is LossName.HUBER:
        return partial(function, delta=float(scoring.loss.delta))
    if task.kind is TaskKind.AMOUNT and logits:  # amounts within [0, 1], under another measure
        return lambda y, y_pred: function(y, keras.ops.sigmoid(y_pred))
    return partial(function)
