"""Training rows in batches: which rows, in which order, and as Keras is given them."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from sweep.data.split import Rows, Split
from sweep.errors import InvalidSpaceError
from sweep.seeds import derive
from sweep.space.keras_loss import TargetForm
from sweep.space.targets import shaped
from sweep.tasks.losses import Array
from sweep.tasks.task import TaskKind

Batch = tuple[Any, np.ndarray] | tuple[Any, np.ndarray, np.ndarray]
"""Inputs, targets, and the rows' weights if they have any."""


def shuffled_batches(
    rows: Rows,
    batch_size: int,
    seed: int,
    first_epoch: int,
    last_epoch: int,
    *,
    form: TargetForm = TargetForm.AS_THEY_ARE,
    n_classes: int = 2,
    weights: Array | None = None,
    shuffle: bool = True,
) -> Iterator[Batch]:
    """Batches of epochs `first_epoch` + 1 … `last_epoch`, each epoch in an order of its own.

    The order is a function of (seed, epoch) alone, so an epoch is the same in whatever rung,
    process or trainer it falls. Yields x (batch, …), y (batch, 1) or (batch, columns), and the
    rows' weights (batch,) if there are any; the last batch of an epoch may be smaller. Without
    `shuffle` the rows come as they are.
    """
    for epoch in range(first_epoch + 1, last_epoch + 1):
        order = epoch_order(len(rows), seed, epoch) if shuffle else np.arange(len(rows))
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            batch = rows.take(chosen)
            y = shaped(batch.y, form, n_classes)
            yield (batch.x, y) if weights is None else (batch.x, y, weights[chosen])


def epoch_order(n_rows: int, seed: int, epoch: int) -> np.ndarray:
    """The order of the training rows in an epoch, shape (n_rows,)."""
    return np.random.default_rng(derive(seed, "shuffle", epoch)).permutation(n_rows)


def training_weights(
    split: Split, class_weight: Mapping[int, float] | None = None
) -> np.ndarray | None:
    """Return how much each training row counts in the loss, float32 (rows,); None if all alike.

    A row's own weight times that of its class, and times what `class_weight` says of the class, 1
    if that does not name it. Scores are unweighted all the same. Raises InvalidSpaceError if the
    rows are not of one class each.
    """
    rows = split.train
    if rows.weights is None and not split.class_weights and class_weight is None:
        return None
    weights = np.ones(len(rows)) if rows.weights is None else rows.weights.astype(np.float64)
    if split.class_weights:
        weights = weights * np.asarray(split.class_weights)[rows.y.astype(np.int64)]
    if class_weight is not None:
        if split.task.kind not in (TaskKind.BINARY, TaskKind.CLASSES):
            raise InvalidSpaceError(
                f"fit gives class_weight, and the target is {split.task.kind}: weights are for "
                "rows that are of one class each"
            )
        for number, weight in class_weight.items():
            weights = np.where(rows.y == number, weights * weight, weights)
    return weights.astype(np.float32)
