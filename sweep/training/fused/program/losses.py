"""The losses of a batch, row by row, and their gradients at the last layer's values.

One of two classes   metric, smoothed, squared: see `Shape.loss`
classes              cross-entropy of several classes, labels smoothed or not
labels               binary cross-entropy of several answers, labels smoothed or not
amounts              the entries of `AMOUNTS`, of one amount or of several

A loss of several outputs is the mean over them, as in Keras.
"""

from collections.abc import Callable
from typing import NamedTuple

from keras import ops

from sweep.training.fused.layers.activations import activation
from sweep.training.fused.program.shape import LossKind, Shape
from sweep.training.tensors import Tensor

EPSILON = 1e-7
"""Keras' own, which keeps logarithms and quotients finite."""


class BatchLosses(NamedTuple):
    """A batch's metric and loss, row by row, each (slots, batch), and the gradient."""

    metric: Tensor
    """The score; of one of two classes with the labels smoothed as the metric has them."""
    loss: Tensor | None
    """What is minimised, without penalty; None if that is the metric."""
    gradient: Tensor
    """The gradient of what is minimised, at the last layer's values and in their shape."""


def sums(kind: LossKind) -> int:
    """How many sums are kept over an epoch: metric, penalty and, where it differs, the loss."""
    return 3 if kind in _WITH_A_METRIC_OF_THEIR_OWN else 2


_WITH_A_METRIC_OF_THEIR_OWN = ("smoothed", "squared", "classes smoothed", "labels smoothed")


def of(shape: Shape, z: Tensor, y: Tensor, smoothing: Tensor) -> BatchLosses:
    """Return the losses of a batch from the last layer's values z and the targets y.

    Both are (slots, batch), or (slots, batch, outputs) where the loss takes several; but of several
    classes y holds the number of each row's class, (slots, batch). `smoothing` is the label
    smoothing of the loss and of its metric, or Huber's δ, (slots, 2).
    """
    kind = shape.loss
    if kind == "metric":
        return BatchLosses(_cross_entropy(z, y), None, ops.sigmoid(z) - y)
    if kind in AMOUNTS:
        return _of_amounts(shape, z, y, smoothing[:, 0])
    if kind.startswith("classes"):
        return _of_classes(z, y, smoothing[:, 0] if kind.endswith("smoothed") else None)
    if kind.startswith("labels"):
        return _of_labels(z, y, smoothing[:, 0] if kind.endswith("smoothed") else None)
    metric = _cross_entropy(z, _smoothed(y, smoothing[:, 1]))
    if kind == "smoothed":
        y = _smoothed(y, smoothing[:, 0])
        return BatchLosses(metric, _cross_entropy(z, y), ops.sigmoid(z) - y)
    p = ops.sigmoid(z)
    error = p - y
    return BatchLosses(metric, error * error, 2.0 * error * (p * (1.0 - p)))


def ended(shape: Shape, z: Tensor) -> Tensor:
    """Return what the model predicts, from its last layer's values: of classes these themselves."""
    return activation(shape.end).value(z)


def _cross_entropy(z: Tensor, y: Tensor) -> Tensor:
    return ops.maximum(z, 0.0) - z * y + ops.log1p(ops.exp(-ops.absolute(z)))


def _smoothed(y: Tensor, smoothing: Tensor) -> Tensor:
    """Labels drawn towards 1/2 by smoothing of (slots,)."""
    return y * (1.0 - smoothing[:, None]) + 0.5 * smoothing[:, None]


def _of_classes(z: Tensor, y: Tensor, smoothing: Tensor | None) -> BatchLosses:
    """Smoothed labels are drawn towards equal shares."""
    classes = z.shape[-1]
    shifted = z - ops.max(z, axis=-1, keepdims=True)
    logs = shifted - ops.log(ops.sum(ops.exp(shifted), axis=-1, keepdims=True))
    numbers = ops.arange(classes, dtype="float32")
    true = ops.cast(ops.equal(y[..., None], numbers), "float32")
    metric = -ops.sum(true * logs, axis=-1)
    if smoothing is None:
        return BatchLosses(metric, None, ops.exp(logs) - true)
    share = smoothing[:, None, None]
    wanted = true * (1.0 - share) + share / classes
    return BatchLosses(metric, -ops.sum(wanted * logs, axis=-1), ops.exp(logs) - wanted)


def _of_labels(z: Tensor, y: Tensor, smoothing: Tensor | None) -> BatchLosses:
    count = z.shape[-1]
    metric = ops.mean(_cross_entropy(z, y), axis=-1)
    if smoothing is None:
        return BatchLosses(metric, None, (ops.sigmoid(z) - y) / count)
    wanted = _smoothed(y, smoothing[:, None])
    loss = ops.mean(_cross_entropy(z, wanted), axis=-1)
    return BatchLosses(metric, loss, (ops.sigmoid(z) - wanted) / count)


def _of_amounts(shape: Shape, z: Tensor, y: Tensor, delta: Tensor) -> BatchLosses:
    p = ended(shape, z)
    each = ops.reshape(delta, (-1,) + (1,) * (len(z.shape) - 1))
    loss, gradient = AMOUNTS[shape.loss](p, y, each)
    gradient = gradient * activation(shape.end).slope(z, p)
    if shape.several:
        return BatchLosses(ops.mean(loss, axis=-1), None, gradient / shape.outputs)
    return BatchLosses(loss, None, gradient)


Amounts = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
"""From predictions p, targets y and Huber's δ: the losses, and their derivatives by p."""


def _squared(p: Tensor, y: Tensor, delta: Tensor) -> tuple[Tensor, Tensor]:
    error = p - y
    return error * error, 2.0 * error


def _absolute(p: Tensor, y: Tensor, delta: Tensor) -> tuple[Tensor, Tensor]:
    error = p - y
    return ops.absolute(error), ops.sign(error)


def _huber(p: Tensor, y: Tensor, delta: Tensor) -> tuple[Tensor, Tensor]:
    error = p - y
    size = ops.absolute(error)
    loss = ops.where(size <= delta, 0.5 * error * error, delta * size - 0.5 * delta * delta)
    return loss, ops.minimum(ops.maximum(error, -delta), delta)


def _log_cosh(p: Tensor, y: Tensor, delta: Tensor) -> tuple[Tensor, Tensor]:
    error = p - y
    size = ops.absolute(error)
    return size + ops.log1p(ops.exp(-2.0 * size)) - 0.6931471805599453, ops.tanh(error)


def _poisson(p: Tensor, y: Tensor, delta: Tensor) -> tuple[Tensor, Tensor]:
    return p - y * ops.log(p + EPSILON), 1.0 - y / (p + EPSILON)


def _squared_log(p: Tensor, y: Tensor, delta: Tensor) -> tuple[Tensor, Tensor]:
    of_p, of_y = ops.maximum(p, EPSILON), ops.maximum(y, EPSILON)
    error = ops.log(of_p + 1.0) - ops.log(of_y + 1.0)
    inside = ops.cast(p >= EPSILON, p.dtype)
    return error * error, 2.0 * error * inside / (of_p + 1.0)


def _percentage(p: Tensor, y: Tensor, delta: Tensor) -> tuple[Tensor, Tensor]:
    scale = 100.0 / ops.maximum(ops.absolute(y), EPSILON)
    error = p - y
    return scale * ops.absolute(error), scale * ops.sign(error)


AMOUNTS: dict[str, Amounts] = {
    "mean_squared_error": _squared,
    "mean_absolute_error": _absolute,
    "huber": _huber,
    "log_cosh": _log_cosh,
    "poisson": _poisson,
    "mean_squared_logarithmic_error": _squared_log,
    "mean_absolute_percentage_error": _percentage,
}
"""The losses of amounts, named as in `sweep.tasks.losses`."""
