"""One trial's Keras model: built from its seed, its whole state read and written, evaluated.

What trainers share. The optimizer's and the generators' states count as state; see
`checkpoint`.
"""

import math
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from sweep import metrics
from sweep.data.split import Rows
from sweep.records import Value
from sweep.seeds import derive
from sweep.space.asked import Asked
from sweep.space.build import Build as Build  # trainers have both from here
from sweep.space.build import Model as Model
from sweep.space.outputs import check_probabilities, outputs_of
from sweep.training.unmade_variables import variables_unmade

_ROWS_AT_ONCE = 10_000


def build_model(
    build: Build, hyperparameters: dict[str, Value], seed: int, *, for_fit: bool = True
) -> Model:
    """The trial's model with its initial weights, the same for the same seed.

    The optimizer's variables are there as well. A model that is not for `fit` can be read only: no
    variable of it can be assigned to, and those that `fit` alone needs are missing, the optimizer's
    too; it takes half of the time. Raises whatever `build` raises.
    """
    keras.utils.set_random_seed(derive(seed, "init"))
    with nullcontext() if for_fit else variables_unmade():
        model = build(Asked(hyperparameters))
    if for_fit:
        model.optimizer.build(model.trainable_variables)
        _create_metrics_variables(model)
    return model


def _create_metrics_variables(model: Model) -> None:
    """Create the metrics' variables now instead of within `fit`, as the optimizer's are.

    A function that creates variables is traced twice by TensorFlow, and the first trace is never
    freed: 5.6 MiB and half a second a trial (`benchmarks/memory.py`).
    """
    x, y = np.zeros((1, *model.input_shape[1:]), np.float32), np.zeros((1, 1), np.float32)
    model.compute_metrics(x, keras.ops.convert_to_tensor(y), model(x, training=False))
    model.reset_metrics()


def get_state(variables: list[Any]) -> tuple[np.ndarray, ...]:
    """Copies of the variables' values, in their order."""
    return tuple(np.array(keras.ops.convert_to_numpy(variable.value)) for variable in variables)


def set_state(variables: list[Any], arrays: tuple[np.ndarray, ...]) -> None:
    """Assign `arrays` to `variables`. Raises ValueError when they do not fit."""
    if len(variables) != len(arrays):
        raise ValueError(f"the model has {len(variables)} variables, the state {len(arrays)}")
    for variable, array in zip(variables, arrays, strict=True):
        if tuple(variable.shape) != array.shape:
            raise ValueError(
                f"variable {variable.path} has shape {tuple(variable.shape)}, "
                f"the state {array.shape}"
            )
        variable.assign(array)


def count_params(model: Model) -> int:
    """Number of trainable parameters: the capacity."""
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


def learning_rate(model: Model) -> float:
    """The rate of the optimizer's next step, its schedule evaluated."""
    return float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))


def shuffled_batches(
    rows: Rows, batch_size: int, seed: int, first_epoch: int, last_epoch: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches of epochs `first_epoch` + 1 … `last_epoch`, each epoch in an order of its own.

    The order is a function of (seed, epoch) alone, so an epoch is the same in whatever rung,
    process or trainer it falls. Yields x (batch, features) and y (batch, 1); the last batch of
    an epoch may be smaller.
    """
    for epoch in range(first_epoch + 1, last_epoch + 1):
        order = epoch_order(len(rows.x), seed, epoch)
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            yield rows.array[chosen], rows.y[chosen, None]


def epoch_order(n_rows: int, seed: int, epoch: int) -> np.ndarray:
    """The order of the training rows in an epoch, shape (n_rows,)."""
    return np.random.default_rng(derive(seed, "shuffle", epoch)).permutation(n_rows)


@dataclass(frozen=True)
class Evaluation:
    """A model on some rows, in evaluation mode. No penalty is in it."""

    losses: np.ndarray
    """BCE of each row, shape (rows,)."""
    score: float
    """Their mean."""
    accuracy: float
    auc: float


def predict_logits(model: Model, x: np.ndarray) -> np.ndarray:
    """Logits in evaluation mode, shape (rows,), double precision.

    Runs without compiling: a graph for it would cost each trial more than it saves. Raises
    OutputsError if the outputs are not what the loss takes.
    """
    parts = [
        keras.ops.convert_to_numpy(model(x[start : start + _ROWS_AT_ONCE], training=False))
        for start in range(0, len(x), _ROWS_AT_ONCE)
    ]
    outputs = np.concatenate(parts).astype(np.float64)
    meaning = outputs_of(model)
    if not meaning.logits:  # two are the probabilities of 0 and 1
        if not meaning.by_construction:
            check_probabilities(outputs)
        return metrics.logits_from_probabilities(outputs[:, -1])
    return outputs[:, 0] if outputs.shape[1] == 1 else outputs[:, 1] - outputs[:, 0]


def evaluate(model: Model, rows: Rows) -> Evaluation:
    """BCE, accuracy and AUC of `model` on `rows`."""
    logits, labels = predict_logits(model, rows.array), rows.y
    losses = metrics.example_losses(logits, labels)
    return Evaluation(
        losses=losses,
        score=float(losses.mean()),
        accuracy=metrics.accuracy(logits, labels),
        auc=metrics.auc(logits, labels),
    )


def penalty(model: Model) -> float:
    """The sum of the model's regularisation terms at its present weights."""
    return float(sum(float(keras.ops.convert_to_numpy(loss)) for loss in model.losses))
