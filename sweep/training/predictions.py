"""What a model predicts for rows, and what its own loss and metrics say of that.

Predictions are shaped as `sweep.tasks.losses` has them: logits, log-probabilities, or amounts.
"""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from sweep.metrics import logits_from_probabilities
from sweep.space.build import Model
from sweep.space.keras_loss import TargetForm, callable_of
from sweep.space.outputs import check_probabilities, n_outputs, outputs_of
from sweep.space.targets import rows_of, shaped, target_form
from sweep.special_functions import expit
from sweep.tasks.losses import Array, log_probabilities, log_softmax
from sweep.tasks.task import HIGGS_TASK, Task, TaskKind

_ROWS_AT_ONCE = 10_000
_NUMBERS_AT_ONCE = 2**26
"""Of one layer's outputs, for models whose rows are no vectors: 256 MiB."""

X = Any
"""Features: an array whose first axis is the rows, or a dictionary of such arrays."""


def raw_outputs(model: Model, x: X, before_part: Callable[[], None] | None = None) -> np.ndarray:
    """Return what the model gives in evaluation mode, shape (rows, …), as it computes.

    Runs without compiling: a graph for it would cost each trial more than it saves.
    """
    outputs = []
    for part in _parts(x, _rows_at_once(model)):
        if before_part is not None:
            before_part()
        outputs.append(keras.ops.convert_to_numpy(model(part, training=False)))
    return np.concatenate(outputs)


def predict(model: Model, x: X, task: Task = HIGGS_TASK) -> Array:
    """Return the model's predictions in evaluation mode, in double precision.

    Raises OutputsError if the outputs are not what the loss takes.
    """
    return predictions(model, raw_outputs(model, x), task)


def predictions(model: Model, outputs: np.ndarray, task: Task = HIGGS_TASK) -> Array:
    """Return the predictions that a model's raw outputs are."""
    outputs = outputs.astype(np.float64)
    meaning = outputs_of(model, task)
    if meaning.amounts:
        several = outputs.size > len(outputs)
        return outputs.reshape(len(outputs), -1) if several else outputs.reshape(-1)
    if not meaning.logits and not meaning.by_construction:
        check_probabilities(outputs, task)
    outputs = outputs.reshape(len(outputs), -1)
    if task.kind is TaskKind.CLASSES:
        return log_softmax(outputs) if meaning.logits else log_probabilities(outputs)
    if task.kind is not TaskKind.BINARY and outputs.shape[1] > 1:
        return outputs if meaning.logits else logits_from_probabilities(outputs)
    if not meaning.logits:  # two are the probabilities of 0 and 1
        return logits_from_probabilities(outputs[:, -1])
    return outputs[:, 0] if outputs.shape[1] == 1 else outputs[:, 1] - outputs[:, 0]


def measured(model: Model, predicted: Array, task: Task = HIGGS_TASK) -> Array:
    """Return predictions as measures of amounts take them: probabilities are no logits there."""
    if task.kind is not TaskKind.AMOUNT or outputs_of(model, task).amounts:
        return predicted
    found: Array = expit(predicted)
    return found


def own_row_losses(
    model: Model, outputs: np.ndarray, targets: np.ndarray, form: TargetForm
) -> Array:
    """Return the rows' losses as the model's own loss computes them, shape (rows,)."""
    loss = callable_of(model.loss)
    given = shaped(targets, form, n_outputs(model)).astype(np.float32)
    parts = _slices(len(outputs), _ROWS_AT_ONCE)
    return np.concatenate([rows_of(loss, given[part], outputs[part]) for part in parts])


def losses_of_predictions(model: Model, predicted: Array, y: np.ndarray, task: Task) -> Array:
    """Return the rows' losses, by the model's own loss, of what another model predicts.

    `predicted` is shaped as the module says, and given to the loss as the model's outputs would be.
    """
    outputs = _as_outputs(model, predicted, task).astype(np.float32)
    outputs = outputs.reshape(len(outputs), *model.outputs[0].shape[1:])
    return own_row_losses(model, outputs, y, target_form(model, task))


def _as_outputs(model: Model, predicted: Array, task: Task) -> Array:
    meaning, n = outputs_of(model, task), n_outputs(model)
    if meaning.amounts or (meaning.logits and n == 1):
        return predicted
    if task.kind is TaskKind.CLASSES:
        return predicted if meaning.logits else np.exp(predicted)
    if task.kind is TaskKind.BINARY and n == 2:
        logits = np.stack([np.zeros_like(predicted), predicted], axis=1)
        return logits if meaning.logits else np.exp(log_softmax(logits))
    found: Array = expit(predicted)
    return predicted if meaning.logits else found


def metrics_of(model: Model, outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Return the result of each of the model's metrics for outputs and targets as Keras has them.

    The metrics are set back before and after.
    """
    found: dict[str, Any] = {}
    model.reset_metrics()
    for part in _slices(len(outputs), _ROWS_AT_ONCE):
        y, y_pred = (keras.ops.convert_to_tensor(one[part]) for one in (targets, outputs))
        found = type(model).compute_metrics(model, None, y, y_pred)
    model.reset_metrics()
    return {name: float(np.mean(keras.ops.convert_to_numpy(v))) for name, v in found.items()}


def _parts(x: X, at_once: int) -> Iterator[X]:
    for part in _slices(n_rows(x), at_once):
        yield take(x, part)


def take(x: X, chosen: Any) -> X:
    """Return the chosen rows of features: a slice or an array of their numbers."""
    if isinstance(x, dict):
        return {name: array[chosen] for name, array in x.items()}
    chosen_rows: np.ndarray = x[chosen]
    return chosen_rows


def _tensors(x: X) -> X:
    """Words as TensorFlow's strings; NumPy has none that Keras takes."""
    if not isinstance(x, dict) or not any(array.dtype == object for array in x.values()):
        return x
    import tensorflow as tf

    return {n: tf.constant(v.tolist()) if v.dtype == object else v for n, v in x.items()}


def n_rows(x: X) -> int:
    """Return how many rows there are."""
    return len(next(iter(x.values()))) if isinstance(x, dict) else len(x)


def _slices(n: int, at_once: int) -> list[slice]:
    return [slice(start, start + at_once) for start in range(0, n, at_once)]


def _rows_at_once(model: Model) -> int:
    shape = getattr(model, "input_shape", None)
    if isinstance(shape, tuple) and len(shape) == 2:
        return _ROWS_AT_ONCE
    largest = max([_size(layer) for layer in model.layers], default=1)
    return int(np.clip(_NUMBERS_AT_ONCE // largest, 1, _ROWS_AT_ONCE))


def _size(layer: Any) -> int:
    try:
        shapes = [tensor.shape[1:] for tensor in keras.tree.flatten(layer.output)]
    except (AttributeError, ValueError):  # used twice, or never
        return 1
    return max(int(np.prod([size or 1 for size in shape])) for shape in shapes)
