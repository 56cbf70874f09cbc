"""The losses of a batch, row by row, and their gradients at the logits."""

from typing import NamedTuple

from keras import ops

from sweep.training.fused.program.arrays import Tensor
from sweep.training.fused.program.shape import LossKind


class BatchLosses(NamedTuple):
    """Each (slots, batch)."""

    metric: Tensor
    """Binary cross-entropy, of the labels as the metric has them."""
    loss: Tensor | None
    """What is minimised, without penalty; None where it is the metric."""
    gradient: Tensor
    """Of what is minimised, at the logits."""


def sums(kind: LossKind) -> int:
    """How many sums are kept over an epoch: metric, penalty and, where it differs, the loss."""
    return 2 if kind == "metric" else 3


def of(kind: LossKind, z: Tensor, y: Tensor, smoothing: Tensor) -> BatchLosses:
    """From logits and labels, (slots, batch), and the smoothing of loss and metric, (slots, 2)."""
    if kind == "metric":
        return BatchLosses(_cross_entropy(z, y), None, ops.sigmoid(z) - y)
    metric = _cross_entropy(z, _smoothed(y, smoothing[:, 1]))
    if kind == "smoothed":
        y = _smoothed(y, smoothing[:, 0])
        return BatchLosses(metric, _cross_entropy(z, y), ops.sigmoid(z) - y)
    p = ops.sigmoid(z)
    error, slope = (z - y, 1.0) if kind == "squared logit" else (p - y, p * (1.0 - p))
    return BatchLosses(metric, error * error, 2.0 * error * slope)


def _cross_entropy(z: Tensor, y: Tensor) -> Tensor:
    return ops.maximum(z, 0.0) - z * y + ops.log1p(ops.exp(-ops.absolute(z)))


def _smoothed(y: Tensor, smoothing: Tensor) -> Tensor:
    """Labels drawn towards 1/2 by smoothing of (slots,)."""
    return y * (1.0 - smoothing[:, None]) + 0.5 * smoothing[:, None]
