"""What goes into a program and what comes out: named arrays, the trials' slots first."""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops

from sweep.training.fused.program.optimizers import Weight
from sweep.training.tensors import Tensor


class Weights(NamedTuple):
    """All arrays of weights with their two slots, in the order of `Shape.roles`: each (slots, …).

    Behind the weights, `values` holds the moving averages of normalisation.
    """

    values: list[Tensor]
    firsts: list[Tensor]
    seconds: list[Tensor]

    def at(self, position: int) -> Weight:
        """Return the weight at `position`, with its slots."""
        return Weight(self.values[position], self.firsts[position], self.seconds[position])

    def replaced(self, new: dict[int, Weight]) -> "Weights":
        """Return these weights with those of `new` at their positions."""
        values, firsts, seconds = (list(part) for part in self)
        for position, weight in new.items():
            values[position] = weight.value
            firsts[position] = weight.first
            seconds[position] = weight.second
        return Weights(values, firsts, seconds)


class State(NamedTuple):
    """The trials' weights, and the best so far, a list entry for each array: (slots, …).

    Behind the weights, `values` and `best` hold the averages of parts.
    """

    values: list[Tensor]
    firsts: list[Tensor]
    seconds: list[Tensor]
    best: list[Tensor]
    """The weights after the best epoch."""

    @property
    def weights(self) -> Weights:
        """What an epoch moves."""
        return Weights(self.values, self.firsts, self.seconds)


class Trials(NamedTuple):
    """What distinguishes the trials of a group."""

    units: Tensor  # (slots, hidden) int32: width of each layer, 0 where the trial has none
    depths: Tensor  # (slots,) int32: number of hidden layers
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


class ResidentData(NamedTuple):
    """Resident on the device."""

    x: Tensor  # (chunks · chunk, features): train rows, validation rows, padding
    y: Tensor  # (train,), or (train, targets) if there are several
    shares: Tensor  # (steps, batch): each row's weight in its batch's mean, 0 for padding
    counts: Tensor  # (steps,): rows in each batch
    true: Tensor  # () bool: true, which XLA cannot know


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


Program = Callable[[Weights, Trials, Epoch, ResidentData], tuple[Weights, Measured]]


def entry(array: Tensor, index: Any, axis: int = 0) -> Tensor:
    """Return the entry of an array at `index` along an axis, which goes.

    `index` is not negative; it may be a tensor, but one that comes out of a loop: for each index
    that TensorFlow can tell from the arguments it would compile the program again. A slice, as
    `array[index]` and `take` would ask in the program whether the index is negative.
    """
    if isinstance(index, int):
        return array[(slice(None),) * axis + (index,)]
    sizes = list(array.shape)
    sizes[axis] = 1
    start = [index if place == axis else 0 for place in range(len(sizes))]
    return ops.squeeze(ops.slice(array, start, sizes), axis)
