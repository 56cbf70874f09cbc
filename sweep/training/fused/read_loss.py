"""Reads a compiled model's loss, and the metric of it that is recorded."""

from typing import Any

import keras

from sweep.training.fused.description import Loss
from sweep.training.fused.refusal import NotCarriedError, name_of, require
from sweep.training.model import Model

_NAME = "binary_crossentropy"
_NAMES = (_NAME, "bce")
_CLASS = "BinaryCrossentropy"


def read_loss(model: Model) -> Loss:
    """The model's loss. The records need its metric under its own name. Raises NotCarriedError.

    A space is only admitted with binary cross-entropy: as an object, or by name, from
    probabilities.
    """
    config = model.get_compile_config()
    require(config is not None, "the compile arguments cannot be read")
    require(not config["loss_weights"], "loss weights")
    require(not config["run_eagerly"], "run_eagerly")
    from_logits, smoothing = _settings(model.loss)
    for metric in config["metrics"] or ():
        if metric == _NAME:
            metric = {"class_name": _CLASS, "config": {"name": _NAME}}
        settings = metric.get("config", {}) if isinstance(metric, dict) else {}
        if settings.get("name") == _NAME:
            same = (
                metric["class_name"] == _CLASS and bool(settings.get("from_logits")) == from_logits
            )
            require(same, f"the metric {_NAME} is not the loss")
            return Loss(from_logits, smoothing, float(settings.get("label_smoothing") or 0))
    raise NotCarriedError(f"no metric named {_NAME}")


def _settings(loss: Any) -> tuple[bool, float]:
    """Whether the loss takes logits, and its label smoothing."""
    if loss in _NAMES:
        return False, 0.0
    require(type(loss) is keras.losses.BinaryCrossentropy, f"loss {name_of(loss)}")
    require(loss.reduction == "sum_over_batch_size", f"loss reduction {loss.reduction!r}")
    return bool(loss.from_logits), float(loss.label_smoothing or 0)
