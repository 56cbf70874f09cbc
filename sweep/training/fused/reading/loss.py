"""Reads a compiled model's loss for the task at hand, and the metric of it that is recorded."""

import math
from typing import Any

import keras
import numpy as np

from sweep.space.check import METRIC, recorded_metric
from sweep.space.outputs import OutputsError, outputs_of
from sweep.tasks.task import HIGGS_TASK, Task, TaskKind
from sweep.training.fused.description import FusedLoss
from sweep.training.fused.layers.refusal import NotCarriedError, name_of, require
from sweep.training.fused.program.losses import AMOUNTS
from sweep.training.model import Model
from sweep.words import counted

_BINARY, _CATEGORICAL = "binary_crossentropy", "categorical_crossentropy"
_SPARSE = f"sparse_{_CATEGORICAL}"
_CLASSES = {
    "BinaryCrossentropy": _BINARY,
    "CategoricalCrossentropy": _CATEGORICAL,
    "SparseCategoricalCrossentropy": _SPARSE,
    "MeanSquaredError": "mean_squared_error",
    "MeanAbsoluteError": "mean_absolute_error",
    "Huber": "huber",
    "LogCosh": "log_cosh",
    "Poisson": "poisson",
    "MeanSquaredLogarithmicError": "mean_squared_logarithmic_error",
    "MeanAbsolutePercentageError": "mean_absolute_percentage_error",
}
"""Keras' classes of losses that are known, and the functions that they call."""
_SQUARED = "mean_squared_error"
_FAR = 1e6


def read_loss(model: Model, task: Task = HIGGS_TASK) -> FusedLoss:
    """Return the description of a compiled model's loss. Raises NotCarriedError.

    Of one of two classes it is the binary cross-entropy, the categorical one of two outputs, or the
    squared error of a probability.
    """
    given = _only(model.loss)
    function = _function_of(given)
    require(function is not None, f"loss {getattr(given, '__name__', None) or name_of(given)}")
    config = model.get_compile_config()
    require(config is not None, "the compile arguments cannot be read")
    require(not config["loss_weights"], "loss_weights in model.compile")
    require(not config["run_eagerly"], "run_eagerly in model.compile")
    if task.kind is not TaskKind.BINARY:
        return _of_task(given, function, task)
    categorical = function in (_CATEGORICAL, _SPARSE)
    squared = function == _SQUARED
    require(squared or categorical or function == _BINARY, f"loss {name_of(given)}")
    units = model.outputs[0].shape[-1]
    require(units == 1 + categorical, f"{counted(units, 'output')}, expected {1 + categorical}")
    try:
        from_logits = outputs_of(model).logits
    except OutputsError as error:
        raise NotCarriedError(str(error)) from error
    smoothing = _metric_smoothing(model, categorical, from_logits)
    return FusedLoss(from_logits, _smoothing(given), smoothing, squared, categorical)


def _of_task(given: Any, function: str | None, task: Task) -> FusedLoss:
    """The loss where the target is not one of two classes."""
    logits, smoothing = bool(getattr(given, "from_logits", False)), _smoothing(given)
    if task.kind is TaskKind.CLASSES and function in (_CATEGORICAL, _SPARSE):
        return FusedLoss(logits, smoothing, kind="classes")
    if task.kind is TaskKind.LABELS and function == _BINARY:
        return FusedLoss(logits, smoothing, kind="labels")
    if task.kind is TaskKind.AMOUNT and function is not None and function in AMOUNTS:
        return FusedLoss(True, kind=function, delta=_delta(given) if function == "huber" else 1.0)
    raise NotCarriedError(f"loss {name_of(given)}")


def _only(loss: Any) -> Any:
    """The loss itself, if Keras was given a list or dictionary of one."""
    if isinstance(loss, dict | list | tuple):
        found = list(loss.values()) if isinstance(loss, dict) else list(loss)
        require(len(found) == 1, f"{len(found)} losses in model.compile")
        return found[0]
    return loss


def _function_of(given: Any) -> str | None:
    """The name of Keras' function that a loss is, None if it is not known here."""
    if isinstance(given, str):
        try:
            given = keras.losses.get(given)
        except ValueError:
            return None
    for kind, function in _CLASSES.items():
        if type(given) is getattr(keras.losses, kind):
            require(
                given.reduction in ("sum_over_batch_size", "mean"),
                f"loss reduction {given.reduction!r}",
            )
            ignored = getattr(given, "ignore_class", None)
            require(ignored is None, "a loss that ignores a class")
            require(getattr(given, "axis", -1) == -1, "a loss over another axis")
            return function
        if given is getattr(keras.losses, function):
            return function
    return None


def _smoothing(given: Any) -> float:
    return float(getattr(given, "label_smoothing", 0) or 0)


def _delta(given: Any) -> float:
    """Huber's δ, from a value far out: δ·e − δ²/2. Keras keeps it under a private name."""
    function = given.call if isinstance(given, keras.losses.Loss) else keras.losses.get(given)
    value = float(function(np.zeros((1, 1)), np.full((1, 1), _FAR))[0])
    return float(f"{2 * value / (_FAR + math.sqrt(_FAR**2 - 2 * value)):.10g}")


def _metric_smoothing(model: Model, categorical: bool, from_logits: bool) -> float:
    """Label smoothing of the metric that is recorded; 0 if the model has none of that name."""
    metric = recorded_metric(model)
    if metric is None:
        return 0.0
    settings = metric["config"]
    kind = "SparseCategoricalCrossentropy" if categorical else "BinaryCrossentropy"
    same = metric["class_name"] == kind and bool(settings.get("from_logits")) == from_logits
    require(same, f"a metric {METRIC} that is not the loss")
    return float(settings.get("label_smoothing") or 0)
