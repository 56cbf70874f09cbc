"""Reads a compiled model's loss, and the metric of it that is recorded."""

from typing import Any

import keras

from sweep.space.check import METRIC, recorded_metric
from sweep.space.outputs import CATEGORICAL, CROSS_ENTROPY, SQUARED_ERROR, OutputsError, outputs_of
from sweep.training.fused.description import Loss
from sweep.training.fused.reading.refusal import NotCarriedError, name_of, require
from sweep.training.model import Model


def read_loss(model: Model) -> Loss:
    """Return the description of a compiled model's loss. Raises NotCarriedError.

    A search space is only admitted with the metric of binary cross-entropy, which the records need
    under its own name: as an object, or by name from probabilities. The loss is the same, or mean
    squared error. With two outputs both are sparse categorical cross-entropy.
    """
    config = model.get_compile_config()
    require(config is not None, "the compile arguments cannot be read")
    require(not config["loss_weights"], "loss weights")
    require(not config["run_eagerly"], "run_eagerly")
    squared, categorical = _is_squared(model.loss), _is_categorical(model.loss)
    smoothing = 0.0 if squared else _smoothing(model.loss, categorical)
    try:
        from_logits = outputs_of(model).logits
    except OutputsError as error:
        raise NotCarriedError(str(error)) from error
    metric = recorded_metric(model)
    if metric is None:
        raise NotCarriedError(f"no metric named {METRIC}")
    settings = metric["config"]
    kind = "SparseCategoricalCrossentropy" if categorical else "BinaryCrossentropy"
    same = metric["class_name"] == kind and bool(settings.get("from_logits")) == from_logits
    require(same, f"the metric {METRIC} is not the loss")
    metric_smoothing = float(settings.get("label_smoothing") or 0)
    return Loss(from_logits, smoothing, metric_smoothing, squared, categorical)


def _is_squared(loss: Any) -> bool:
    if type(loss) is keras.losses.MeanSquaredError:
        _require_mean(loss)
        return True
    return loss in SQUARED_ERROR


def _is_categorical(loss: Any) -> bool:
    if type(loss) is keras.losses.SparseCategoricalCrossentropy:
        _require_mean(loss)
        require(loss.ignore_class is None, "a loss that ignores a class")
        return True
    return loss in CATEGORICAL


def _smoothing(loss: Any, categorical: bool) -> float:
    """Label smoothing of a cross-entropy."""
    if categorical or loss in CROSS_ENTROPY:
        return 0.0
    require(type(loss) is keras.losses.BinaryCrossentropy, f"loss {name_of(loss)}")
    _require_mean(loss)
    return float(loss.label_smoothing or 0)


def _require_mean(loss: Any) -> None:
    require(loss.reduction == "sum_over_batch_size", f"loss reduction {loss.reduction!r}")
