"""What a script's targets mean: the task, told by the loss that the default model is compiled with.

A loss decides as it does in Keras: the cross-entropies compare probabilities with classes, every
other loss compares numbers with numbers. Nothing is rounded or scaled.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.errors import UsageError
from sweep.space.keras_loss import KerasLoss, OutputsError, loss_of
from sweep.tasks.losses import LossName
from sweep.tasks.task import Task, TaskKind

Array = NDArray[Any]


def task_of(model: Any, y: Array) -> Task:
    """Return what is predicted, from a compiled model's loss and all targets, (rows,) or more.

    Raises UsageError if the loss does not go with the targets.
    """
    try:
        loss = loss_of(model)
    except OutputsError as error:
        raise UsageError(f"the model of build(hp): {error}") from error
    flat = _without_last_one(y)
    why = f"the loss is {loss.text}"
    if loss.loss.name is LossName.CROSSENTROPY:
        return _classes(model, loss, flat, why)
    if loss.loss.name is LossName.BINARY_CROSSENTROPY and _is_yes_or_no(flat):
        if flat.ndim == 1:
            return Task(TaskKind.BINARY, ("y",), ("0", "1"), why)
        if flat.ndim == 2:
            return Task(TaskKind.LABELS, _names(flat), (), why)
    return Task(TaskKind.AMOUNT, _names(flat), (), why)


def targets_of(y: Array, task: Task) -> NDArray[np.float32]:
    """Return targets as the task lays them out: see `sweep.tasks.task`."""
    flat = _without_last_one(y)
    if task.kind is TaskKind.CLASSES and flat.ndim == 2:
        flat = flat.argmax(axis=1)
    return np.ascontiguousarray(flat, dtype=np.float32)


def class_weights_of(given: Any, task: Task) -> tuple[float, ...]:
    """Return the weight of each class in the training loss, 1 of those that are not named.

    Raises UsageError if the rows are not of one class each, or there is no such class.
    """
    if given is None:
        return ()
    if task.kind not in (TaskKind.BINARY, TaskKind.CLASSES):
        raise UsageError(
            f"search: class_weight is for rows of one class each, and the targets are {task.kind} "
            f"({task.why}); weigh rows with sample_weight"
        )
    weights = [1.0] * task.n_classes
    for number, weight in given.items():
        if not 0 <= int(number) < len(weights):
            raise UsageError(
                f"search: class_weight names class {number!r}, expected 0 to {len(weights) - 1}"
            )
        weights[int(number)] = float(weight)
    return tuple(weights)


def _classes(model: Any, loss: KerasLoss, y: Array, why: str) -> Task:
    n = int(model.outputs[0].shape[-1]) if getattr(model, "outputs", None) else 0
    names = tuple(str(number) for number in range(n))
    if y.ndim == 2:  # one-hot
        ones = (y == 0) | (y == 1)
        if not ones.all() or not (y.sum(axis=1) == 1).all():
            raise UsageError(
                f"the loss {loss.text} takes one class for each row, and y has rows that are not "
                "one 1 among zeros"
            )
        if y.shape[1] != n:
            raise UsageError(f"y has {y.shape[1]} columns, the model {n} outputs")
        return Task(TaskKind.CLASSES, ("y",), names, why)
    if y.ndim != 1:
        raise UsageError(
            f"the loss {loss.text} is of classes, and y has the shape {y.shape}: a class for each "
            "row is expected"
        )
    whole = y == np.floor(y)
    if not whole.all() or y.min(initial=0) < 0 or y.max(initial=0) >= n:
        raise UsageError(
            f"the loss {loss.text} takes the numbers of classes, 0 to {n - 1} for {n} outputs, and "
            f"y lies between {y.min():.6g} and {y.max():.6g}"
        )
    return Task(TaskKind.CLASSES, ("y",), names, why)


def _without_last_one(y: Array) -> Array:
    """(rows, 1) is (rows,)."""
    return y[..., 0] if y.ndim == 2 and y.shape[1] == 1 else y


def _is_yes_or_no(y: Array) -> bool:
    return bool(((y == 0) | (y == 1)).all())


def _names(y: Array) -> tuple[str, ...]:
    n = int(np.prod(y.shape[1:]))
    return ("y",) if y.ndim == 1 else tuple(f"y{number}" for number in range(1, n + 1))
