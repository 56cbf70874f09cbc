"""What goes into a program and what comes out: named arrays, the trials' slots first."""

from collections.abc import Callable
from typing import NamedTuple

from sweep.training.tensors import Tensor


class State(NamedTuple):
    """What an epoch changes, a list entry for each of a shape's arrays: (slots, …).

    Behind the weights, `values` and `best` hold the averages of parts.
    """

    values: list[Tensor]
    firsts: list[Tensor]
    seconds: list[Tensor]
    best: list[Tensor]
    """The weights after the best epoch."""


class Trials(NamedTuple):
    """What distinguishes the trials of a group."""

    units: Tensor  # (slots, hidden) int32: width of each layer, 0 where the trial has none
    l1: Tensor  # (slots, ordinals)
    l2: Tensor  # (slots, ordinals)
    thresholds: Tensor  # (slots, draws) uint32: dropout
    scales: Tensor  # (slots, draws)
    smoothing: Tensor
    """(slots, 2): smoothing of the labels, for the loss and for its metric; Huber's δ, and 0."""
    parts: Tensor
    """(slots, hidden + 1, numbers): the numbers of the parts of each layer, the input's last, one
    part behind the other; (slots, 0, 0) where all layers are plain."""
    numbers: Tensor  # (slots, 5): the optimizer's
    kinds: Tensor
    """(slots, hidden) int32: which of a mixed program's activations each layer has; else
    (slots, 0)."""
    scaling: Tensor
    """(slots, 2, features): what is subtracted from each feature, and what it is divided by;
    (slots, 0, features) where features are taken as they are."""


class Epoch(NamedTuple):
    """What distinguishes the epoch."""

    order: Tensor  # (steps, slots, batch) int32: rows of each batch
    rates: Tensor  # (steps, 2 or more, slots): step size, learning rate, Nadam's two more
    keys: Tensor  # (steps, draws, slots, 2) uint32: dropout
    improved: Tensor  # (slots,) bool: the weights given are the best so far


class ResidentData(NamedTuple):
    """Resident on the device."""

    x: Tensor  # (chunks · chunk, features): train rows, validation rows, padding
    y: Tensor  # (train,), or (train, targets) if there are several
    shares: Tensor  # (steps, batch): each row's weight in its batch's mean, 0 for padding
    counts: Tensor  # (steps,): rows in each batch


class Sums(NamedTuple):
    """What was measured while the weights moved, summed over the epoch's rows: each (slots,)."""

    score: Tensor
    """The metric: the rows' score with the weights of the moment."""
    penalty: Tensor
    loss: Tensor
    """Without penalty; the metric again if the loss is the metric."""


class Measured(NamedTuple):
    """What comes back to the host after an epoch."""

    sums: Sums
    penalty: Tensor  # (slots,): with the weights at the end
    logits: Tensor
    """With the weights at the end: (slots, chunks · chunk), or (…, outputs) if the loss takes
    several; of amounts the predictions."""


Program = Callable[[State, Trials, Epoch, ResidentData], tuple[State, Measured]]
