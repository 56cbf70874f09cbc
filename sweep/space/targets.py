"""Targets as Keras is given them, and the rows' losses as a loss of the user's own has them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from sweep.space.build import Model
from sweep.space.keras_loss import OutputsError, TargetForm, callable_of, loss_of
from sweep.space.outputs import n_outputs
from sweep.tasks.losses import Array, LossName
from sweep.tasks.task import Task, TaskKind

_TRIED_ROWS = 5


def target_form(model: Model, task: Task) -> TargetForm:
    """Return in which form the model's loss takes the targets; a loss of the user's own is tried.

    Raises OutputsError if it gives no number for each row that depends on that row alone.
    """
    given = loss_of(model)
    if given.form is not None and given.loss.name is not LossName.SQUARED_ERROR:
        return given.form
    n = n_outputs(model)
    classes = task.kind is TaskKind.CLASSES or (task.kind is TaskKind.BINARY and n == 2)
    if not classes:
        forms = [TargetForm.AS_THEY_ARE]
    elif given.form is not None:  # the squared error of probabilities
        return TargetForm.ONE_HOT
    else:
        forms = [TargetForm.ONE_HOT, TargetForm.NUMBERS]
    fits = (
        [form for form in forms if _gives_rows(model, task, form)] if given.form is None else forms
    )
    if not fits:
        raise OutputsError(
            f"the loss {given.name} does not give one number for each row, so it cannot be scored "
            "here; let it return the losses of the rows, shape (rows,), without their mean"
        )
    return fits[0]


def shaped(y: np.ndarray, form: TargetForm, n: int) -> np.ndarray:
    """Return targets (rows,) or (rows, targets) as Keras is given them, shape (rows, columns).

    `n` is the number of classes.
    """
    if form is TargetForm.ONE_HOT:
        return np.eye(n, dtype=np.float32)[y.astype(np.int64)]
    return y[:, None] if y.ndim == 1 else y


def rows_of(loss: Callable[[Any, Any], Any], targets: np.ndarray, outputs: np.ndarray) -> Array:
    """Return a loss' number for each row. Raises OutputsError if it gives no such numbers."""
    import keras

    values = loss(keras.ops.convert_to_tensor(targets), keras.ops.convert_to_tensor(outputs))
    found = np.asarray(keras.ops.convert_to_numpy(values), dtype=np.float64)
    if found.ndim == 0 or len(found) != len(outputs):
        raise OutputsError(f"the loss gives shape {found.shape} for {len(outputs)} rows")
    rows: Array = found.reshape(len(found), -1).mean(axis=1)
    return rows


def _gives_rows(model: Model, task: Task, form: TargetForm) -> bool:
    """Whether the loss takes targets in this form, and gives each row a number of its own."""
    n, noise = n_outputs(model), np.random.default_rng(0)
    rows = n + _TRIED_ROWS  # another number than columns, so that neither passes for the other
    outputs = noise.uniform(0.1, 0.9, size=(rows, *model.outputs[0].shape[1:])).astype(np.float32)
    targets: np.ndarray = noise.integers(
        0, n if form is not TargetForm.AS_THEY_ARE else 2, size=rows
    )
    if task.kind is TaskKind.AMOUNT:
        targets = noise.uniform(0.1, 0.9, size=outputs.shape)
    elif task.kind is TaskKind.LABELS:
        targets = noise.integers(0, 2, size=outputs.shape)
    targets = targets.astype(np.float32)
    given, loss = shaped(targets, form, n), callable_of(model.loss)
    try:
        together = rows_of(loss, given, outputs)
        alone = [rows_of(loss, given[i : i + 1], outputs[i : i + 1])[0] for i in range(rows)]
    except Exception:
        return False
    return bool(np.allclose(together, alone, rtol=1e-4, atol=1e-5, equal_nan=True))
