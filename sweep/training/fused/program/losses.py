"""The losses of a batch, row by row, and their gradients at the logits."""

from typing import NamedTuple

from keras import ops

from sweep.training.fused.program.arrays import Tensor
from sweep.training.fused.program.shape import LossKind


class BatchLosses(NamedTuple):
    """A batch's metric, loss and gradient, row by row: each (slots, batch)."""

    metric: Tensor
    """Binary cross-entropy with the labels smoothed as the metric has them."""
    loss: Tensor | None
    """What is minimised, without penalty; None if that is the metric."""
    gradient: Tensor
    """The gradient of what is minimised, at the logits."""


def sums(kind: LossKind) -> int:
    """How many sums are kept over an epoch: metric, penalty and, where it differs, the loss."""
    return 2 if kind == "metric" else 3


def of(kind: LossKind, z: Tensor, y: Tensor, smoothing: Tensor) -> BatchLosses:
    """Return the losses of a batch from its logits z and its labels y, both (slots, batch).

    `smoothing` is the label smoothing of the loss and of its metric, (slots, 2).
    """
    if kind == "metric":
        return BatchLosses(_cross_entropy(z, y), None, ops.sigmoid(z) - y)
    metric = _cross_entropy(z, _smoothed(y, smoothing[:, 1]))
    if kind == "smoothed":
        y = _smoothed(y, smoothing[:, 0])
        return BatchLosses(metric, _cross_entropy(z, y), ops.sigmoid(z) - y)
    p = ops.sigmoid(z)
    error = p - y
    return BatchLosses(metric, error * error, 2.0 * error * (p * (1.0 - p)))


def _cross_entropy(z: Tensor, y: Tensor) -> Tensor:
    return ops.maximum(z, 0.0) - z * y + ops.log1p(ops.exp(-ops.absolute(z)))


def _smoothed(y: Tensor, smoothing: Tensor) -> Tensor:
    """Labels drawn towards 1/2 by smoothing of (slots,)."""
    return y * (1.0 - smoothing[:, None]) + 0.5 * smoothing[:, None]
