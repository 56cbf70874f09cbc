"""Objectives: what trials are ranked by, each as a number for every row whose mean is the score.

A score without rows has no error. So an objective that is no mean over rows is written as one to
first order: row i gets the score plus its influence on it (the delta method; for AUC that is
DeLong's estimate of the variance). The mean of these values is the score exactly, and their
standard deviation over √rows its standard error, also of the difference of two trials.

A score is lower if it is better. Accuracy, AUC, average precision and R² are therefore kept as
1 − value.
"""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from sweep.tasks.losses import Array
from sweep.tasks.task import TaskKind


class ObjectiveName(StrEnum):
    """What trials may be ranked by."""

    LOSS = "loss"
    """The model's own loss, without penalties: the default."""
    ACCURACY = "accuracy"
    AUC = "auc"
    AVERAGE_PRECISION = "average_precision"
    """The area under the steps of precision over recall: how well a rare class is found."""
    MAE = "mae"
    MSE = "mse"
    RMSE = "rmse"
    R2 = "r2"
    METRIC = "metric"
    """A metric that the model is compiled with; it has no error, as it has no rows."""


OF_CLASSES = (ObjectiveName.LOSS, ObjectiveName.ACCURACY)
OF_AMOUNTS = (
    *(ObjectiveName.LOSS, ObjectiveName.MAE, ObjectiveName.MSE, ObjectiveName.RMSE),
    ObjectiveName.R2,
)
ALLOWED = {
    TaskKind.BINARY: (*OF_CLASSES, ObjectiveName.AUC, ObjectiveName.AVERAGE_PRECISION),
    TaskKind.CLASSES: OF_CLASSES,
    TaskKind.LABELS: OF_CLASSES,
    TaskKind.AMOUNT: OF_AMOUNTS,
}
"""The objectives of each kind of task, `metric` apart, which every task has."""


def row_values(objective: ObjectiveName, outputs: Array, targets: NDArray[np.floating]) -> Array:
    """Return a number for each row whose mean is the score, shape (rows,).

    `outputs` and `targets` are shaped as in `sweep.tasks.losses`: logits, log-probabilities or
    predictions. Raises ValueError for `loss` and `metric`, which follow from the model.
    """
    y, z = np.asarray(targets, dtype=np.float64), np.asarray(outputs, dtype=np.float64)
    if objective is ObjectiveName.ACCURACY:
        return _wrong(z, y)
    if objective is ObjectiveName.AUC:
        return _ranked_wrongly(z, y)
    if objective is ObjectiveName.AVERAGE_PRECISION:
        return _imprecise(z, y)
    if objective not in OF_AMOUNTS or objective is ObjectiveName.LOSS:
        raise ValueError(f"objective {objective} is not a function of outputs and targets")
    errors = (z - y).reshape(len(z), -1)
    squares: Array = (errors**2).mean(axis=1)
    if objective is ObjectiveName.MAE:
        absolute: Array = np.abs(errors).mean(axis=1)
        return absolute
    if objective is ObjectiveName.MSE:
        return squares
    if objective is ObjectiveName.RMSE:
        return _root(squares)
    return _unexplained(squares, y.reshape(len(y), -1))


def _wrong(z: Array, y: Array) -> Array:
    """1 where the answer is wrong; the share of wrong answers of a row with several."""
    if z.ndim == 2 and y.ndim == 1:
        other: Array = (z.argmax(axis=1) != y).astype(np.float64)
        return other
    wrong: Array = ((z > 0) != (y > 0.5)).astype(np.float64)
    shares: Array = wrong.reshape(len(wrong), -1).mean(axis=1)
    return shares


def _ranked_wrongly(z: Array, y: Array) -> Array:
    """1 − AUC with each row's influence (DeLong, DeLong and Clarke-Pearson, Biometrics 1988).

    NaN in every row if only one class is present.
    """
    positive = y > 0.5
    n_positive, n_rows = int(positive.sum()), len(y)
    n_negative = n_rows - n_positive
    if n_positive == 0 or n_negative == 0 or np.isnan(z).any():
        return np.full(n_rows, np.nan)
    share = np.empty(n_rows)
    share[positive] = _share_below(z[positive], z[~positive])
    share[~positive] = 1 - _share_below(z[~positive], z[positive])
    area = float(share[positive].mean())
    weight = np.where(positive, n_rows / n_positive, n_rows / n_negative)
    found: Array = 1 - area - weight * (share - area)
    return found


def _imprecise(z: Array, y: Array) -> Array:
    """1 − average precision, with each row's influence: how it would change with the row's weight.

    It is the mean over the rows of class 1 of the precision among all rows that are ranked as high,
    a / (a + b) with a rows of class 1 and b others. NaN in every row if class 1 is not present.
    """
    positive = y > 0.5
    high, n_positive, n_rows = np.sort(z[positive]), int(positive.sum()), len(y)
    if n_positive == 0 or np.isnan(z).any():
        return np.full(n_rows, np.nan)
    a = n_positive - np.searchsorted(high, high, "left")  # (rows of class 1,), from the lowest
    b = (n_rows - n_positive) - np.searchsorted(np.sort(z[~positive]), high, "left")
    precision = a / (a + b)
    average = float(precision.mean())
    up, down = (np.concatenate([[0.0], np.cumsum(one / (a + b) ** 2)]) for one in (b, a))
    n_below = np.searchsorted(high, z, "right")  # (rows,)
    own = precision[np.maximum(n_below - 1, 0)] - average  # of a row of class 1
    influence = np.where(positive, own + up[n_below], -down[n_below])
    found: Array = 1 - average - influence * n_rows / n_positive
    return found


def _share_below(values: Array, others: Array) -> Array:
    """The share of `others` below each value, equal ones counted half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    found: Array = below / (2 * len(others))
    return found


def _root(squares: Array) -> Array:
    """√mean, with each row's influence by the delta method: (s − mean) / (2 √mean)."""
    mean = float(squares.mean())
    if mean == 0 or not np.isfinite(mean):
        return squares**0.5
    root = float(np.sqrt(mean))
    found: Array = root + (squares - mean) / (2 * root)
    return found


def _unexplained(squares: Array, y: Array) -> Array:
    """1 − R² = MSE / variance of the targets, with each row's influence by the delta method."""
    spread = ((y - y.mean(axis=0)) ** 2).mean(axis=1)
    total = float(spread.mean())
    if total == 0:
        return np.full(len(squares), np.nan)
    ratio = float(squares.mean()) / total
    found: Array = ratio + (squares - ratio * spread) / total
    return found
