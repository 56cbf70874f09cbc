"""The losses of single rows, in double precision with NumPy, as Keras defines each loss.

One definition for every trainer, for the references and for the check of an export, so that a
score means the same wherever it is computed. No penalty is in a loss.

Outputs are what the loss is defined on:

binary cross-entropy   logits, (rows,) of one target, (rows, targets) of several
cross-entropy          log-probabilities, (rows, classes); targets are the classes' numbers (rows,)
losses of amounts      predictions, shaped as the targets: (rows,) or (rows, targets)

The loss of a row with several targets is the mean over them, as in Keras.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from sweep.exact import Real, Text
from sweep.metrics import example_losses

Array = NDArray[np.float64]

EPSILON = 1e-7
"""Keras' `keras.config.epsilon()`: what keeps logarithms and quotients finite."""


class LossName(StrEnum):
    """Losses whose definition stands here; named as Keras names them."""

    BINARY_CROSSENTROPY = "binary_crossentropy"
    CROSSENTROPY = "categorical_crossentropy"
    """Sparse or one-hot: the same number."""
    SQUARED_ERROR = "mean_squared_error"
    ABSOLUTE_ERROR = "mean_absolute_error"
    HUBER = "huber"
    LOG_COSH = "log_cosh"
    POISSON = "poisson"
    SQUARED_LOG_ERROR = "mean_squared_logarithmic_error"
    PERCENTAGE_ERROR = "mean_absolute_percentage_error"
    OWN = "own"
    """Any other loss: Keras computes the rows' losses."""


@dataclass(frozen=True)
class Loss:
    """A loss with what decides its values."""

    name: LossName = LossName.BINARY_CROSSENTROPY
    delta: Real = 1.0
    """Of `huber`: where it turns from a square into a line, in units of the target."""
    called: Text = ""
    """Of a loss of the user's own: its name."""

    @property
    def is_of_classes(self) -> bool:
        """Whether it compares probabilities with classes; the other losses compare amounts."""
        return self.name in (LossName.BINARY_CROSSENTROPY, LossName.CROSSENTROPY)


def row_losses(loss: Loss, outputs: Array, targets: NDArray[np.floating]) -> Array:
    """Return the loss of each row, shape (rows,). Raises ValueError for a loss of the user's own.

    `outputs` and `targets` are shaped as the module says.
    """
    y, z = np.asarray(targets, dtype=np.float64), np.asarray(outputs, dtype=np.float64)
    if loss.name is LossName.CROSSENTROPY:
        found: Array = -z[np.arange(len(z)), y.astype(np.int64)]
        return found
    if loss.name is LossName.BINARY_CROSSENTROPY:
        return _by_row(example_losses(z, y))
    if loss.name is LossName.HUBER:
        return _by_row(_huber(z, y, float(loss.delta)))
    if loss.name not in _OF_AMOUNTS:
        raise ValueError(f"the rows' losses of {loss.called or loss.name} are Keras' to compute")
    return _by_row(_OF_AMOUNTS[loss.name](z, y))


def log_softmax(logits: Array) -> Array:
    """Return log-probabilities of logits (rows, classes); they cannot overflow."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    found: Array = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return found


def log_probabilities(probabilities: Array) -> Array:
    """Return the logarithms of probabilities (rows, classes), made to sum to 1 as Keras does.

    Probabilities are kept `EPSILON` away from 0 and 1
    (`keras.ops.categorical_crossentropy` without `from_logits`).
    """
    shares = probabilities / probabilities.sum(axis=-1, keepdims=True)
    found: Array = np.log(np.clip(shares, EPSILON, 1 - EPSILON))
    return found


def _by_row(losses: Array) -> Array:
    return losses if losses.ndim == 1 else losses.reshape(len(losses), -1).mean(axis=1)


def _huber(z: Array, y: Array, delta: float) -> Array:
    """Huber (1964): e²/2 up to |e| = δ, δ·|e| − δ²/2 beyond; e = z − y."""
    error = np.abs(z - y)
    found: Array = np.where(error <= delta, error**2 / 2, delta * error - delta**2 / 2)
    return found


def _log_cosh(z: Array, y: Array) -> Array:
    """log(cosh(e)) = e + log(1 + exp(−2e)) − log 2, which cannot overflow for e ≥ 0."""
    error = np.abs(z - y)
    found: Array = error + np.log1p(np.exp(-2 * error)) - np.log(2)
    return found


def _squared_log_error(z: Array, y: Array) -> Array:
    logs = [np.log1p(np.maximum(values, EPSILON)) for values in (z, y)]
    found: Array = (logs[0] - logs[1]) ** 2
    return found


_OF_AMOUNTS: dict[LossName, Callable[[Array, Array], Array]] = {
    LossName.SQUARED_ERROR: lambda z, y: (z - y) ** 2,
    LossName.ABSOLUTE_ERROR: lambda z, y: np.abs(z - y),
    LossName.LOG_COSH: _log_cosh,
    LossName.POISSON: lambda z, y: z - y * np.log(z + EPSILON),
    LossName.SQUARED_LOG_ERROR: _squared_log_error,
    LossName.PERCENTAGE_ERROR: lambda z, y: 100 * np.abs(z - y) / np.maximum(np.abs(y), EPSILON),
}
