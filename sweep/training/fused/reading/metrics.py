"""Which of a model's own metrics are measured without Keras, and as what.

A metric that is not known here, or has settings of its own, is Keras' to measure: then its model is
left to Keras, so that no metric is missing from the records, and none is another than it says.
"""

from typing import Any

import keras

from sweep.space.check import METRIC
from sweep.tasks.task import Task, TaskKind
from sweep.training.fused.layers.refusal import require

_WORDS = {
    "accuracy": "accuracy",
    "acc": "accuracy",
    "binary_accuracy": "accuracy of rows",
    "categorical_accuracy": "accuracy of rows",
    "sparse_categorical_accuracy": "accuracy of rows",
    "auc": "auc",
    "precision": "precision",
    "recall": "recall",
    "mae": "mae",
    "mean_absolute_error": "mae",
    "mse": "mse",
    "mean_squared_error": "mse",
    "root_mean_squared_error": "rmse",
    "mape": "mape",
    "mean_absolute_percentage_error": "mape",
}
"""Keras' words for metrics, and what they are called here."""
_CLASSES = {
    "BinaryAccuracy": "accuracy of rows",
    "CategoricalAccuracy": "accuracy of rows",
    "SparseCategoricalAccuracy": "accuracy of rows",
    "AUC": "auc",
    "Precision": "precision",
    "Recall": "recall",
    "MeanAbsoluteError": "mae",
    "MeanSquaredError": "mse",
    "RootMeanSquaredError": "rmse",
    "MeanAbsolutePercentageError": "mape",
}
_OF_YES_OR_NO = ("accuracy", "accuracy of rows", "auc", "precision", "recall")
_OF_TASK = {
    TaskKind.BINARY: _OF_YES_OR_NO,
    TaskKind.CLASSES: ("accuracy", "accuracy of rows"),
    TaskKind.LABELS: ("accuracy", "accuracy of rows"),
    TaskKind.AMOUNT: ("accuracy", "mae", "mse", "rmse", "mape"),
}
_NO_LOGITS = ("precision", "recall")
"""Of logits Keras takes them for what they are not."""


def read_metrics(model: Any, task: Task, from_logits: bool) -> tuple[tuple[str, str], ...]:
    """Return the names of a compiled model's metrics, each with what it is called here.

    Raises NotCarriedError for one that only Keras measures.
    """
    config = model.get_compile_config() or {}
    found = []
    for kind in ("metrics", "weighted_metrics"):
        for entry in _flat(config.get(kind)):
            name, called = _name(entry), _called(entry)
            if name == METRIC:  # the loss itself, which is recorded anyway
                continue
            is_known = called in _OF_TASK[task.kind] and not (from_logits and called in _NO_LOGITS)
            require(is_known, f"metric {name}, which only Keras measures")
            found.append((name, str(called)))
    return tuple(found)


def _flat(given: Any) -> list[Any]:
    listed = list(given.values()) if isinstance(given, dict) else list(given or [])
    return [
        one
        for entry in listed
        for one in (entry if isinstance(entry, list) else [entry])
        if one is not None
    ]


def _name(entry: Any) -> str:
    if isinstance(entry, str):
        return entry
    config = entry.get("config")
    return str(config.get("name") if isinstance(config, dict) else config)


def _called(entry: Any) -> str | None:
    """What a metric is called here; None for a function, and for settings of the user's own."""
    if isinstance(entry, str):
        return _WORDS.get(entry.lower())
    name, config = entry.get("class_name"), entry.get("config")
    if name not in _CLASSES or not isinstance(config, dict):
        return None
    kind = getattr(keras.metrics, name)
    if entry.get("module", "keras.metrics") != "keras.metrics":
        return None
    plain = kind().get_config()
    left_out = ("name", "dtype")
    is_plain = all(config.get(key) == plain[key] for key in plain if key not in left_out)
    return _CLASSES[name] if is_plain else None
