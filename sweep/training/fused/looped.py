"""The hidden layers behind the first as a loop over alike layers, in one stack of weights.

The loop runs as often as the deepest trial in the program has such layers, so one program
carries every depth, and a trial pays for its own layers only. On the way forward each layer
leaves its input and its slope on a tape; on the way back its weights move at once.
"""

from typing import NamedTuple

from keras import ops

from sweep.training.fused import layers
from sweep.training.fused.arrays import Tensor, Trials
from sweep.training.fused.descent import Descent, Weights
from sweep.training.fused.layers import Batch
from sweep.training.fused.optimizers import Weight
from sweep.training.fused.penalties import of_weight
from sweep.training.fused.shapes import Layer, Shape

_KINDS = ("kernel", "bias")


class Tape(NamedTuple):
    """What the way forward leaves for the way back: each (layers, slots, batch, units)."""

    given: Tensor
    slope: Tensor


def blank(shape: Shape) -> Tape:
    """A tape to write on; what an earlier step left on it does not matter."""
    size = (len(shape.widths) - 1, shape.slots, shape.rows.batch, shape.widths[1])
    return Tape(ops.zeros(size), ops.zeros(size))


def forward(batch: Batch, h: Tensor, tape: Tape) -> tuple[Tensor, Tape]:
    """What the last layer passes on: (slots, batch, units)."""

    def through(index: Tensor, h: Tensor, tape: Tape) -> tuple[Tensor, Tensor, Tape]:
        layer = Layer(1, index)
        passed, kept = layers.hidden(batch, layer, h)
        left = Tape(h, layers.slope(batch, layer, kept))
        pairs = zip(tape, left, strict=True)
        tape = Tape(*(_written(stack, value, index - 1) for stack, value in pairs))
        return index + 1, passed, tape

    depth = _depth(batch.trials)
    first = (ops.ones((), "int32"), h, tape)
    _, h, tape = ops.while_loop(lambda index, *_: index < depth, through, first)
    return h, tape


def backward(
    batch: Batch, weights: Weights, dh: Tensor, tape: Tape, descent: Descent
) -> tuple[Tensor, Weights, Tensor]:
    """The gradient at the first layer's output, the weights moved, and what their penalty was.

    Each round hands the next one its weights. XLA would copy every stack twice if a round cut its
    weights out of what it then writes them to: 1.05 to 1.1 times the time of an epoch. It hands on
    the input transposed, too: within a round XLA would make that a part of the product, which
    takes 1.2 times as long as to copy it and multiply.
    """
    shape = batch.shape
    positions = [shape.position(kind, 1) for kind in _KINDS]

    def through(
        index: Tensor, dh: Tensor, given: Tensor, own: list[Weight], stacks: list[Weight],
        penalty: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, list[Weight], list[Weight], Tensor]:  # fmt: skip
        dz = dh * tape.slope[index - 1]
        gradients = ops.matmul(given, dz), layers.bias_gradient(dz, shape.biased[1])
        roles = [(kind, index) for kind in _KINDS]
        for role, weight in zip(roles, own, strict=True):
            penalty = penalty + of_weight(shape, *role, weight.value, batch.trials)
        moved = descent.moved(roles, own, gradients)
        stacks = [
            Weight(*(_row_written(*pair, index - 1) for pair in zip(stacked, new, strict=True)))
            for stacked, new in zip(stacks, moved, strict=True)
        ]
        kernel, _ = own
        dh = layers.back(batch, Layer(1, index), kernel.value, dh, dz)
        below = _transposed(tape.given, index - 1)
        return index - 1, dh, below, _rows(stacks, index - 1), stacks, penalty

    stacks = [weights.at(position) for position in positions]
    last = _depth(batch.trials) - 1
    given = _transposed(tape.given, last)
    first = (last, dh, given, _rows(stacks, last), stacks, ops.zeros((shape.slots,)))
    _, dh, *_, stacks, penalty = ops.while_loop(lambda index, *_: index > 0, through, first)
    return dh, weights.replaced(dict(zip(positions, stacks, strict=True))), penalty


def evaluated(shape: Shape, values: list[Tensor], trials: Trials, h: Tensor) -> Tensor:
    """What the last layer passes on in evaluation mode: (slots, rows, units)."""

    def through(index: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        return index + 1, layers.evaluated(shape, values, trials, Layer(1, index), h)

    depth = _depth(trials)
    first = (ops.ones((), "int32"), h)
    return ops.while_loop(lambda index, _: index < depth, through, first)[1]


def _rows(stacks: list[Weight], layer: Tensor) -> list[Weight]:
    """A layer's weights out of their stacks; those of any layer where there is none of it."""
    there = ops.maximum(layer, 1)
    return [Weight(*(layers.row_of(stack, there) for stack in stacked)) for stacked in stacks]


def _transposed(tape: Tensor, layer: Tensor) -> Tensor:
    """A layer's input off the tape: (slots, units, batch); any layer's where there is none of it.

    Taken, not cut, as in `layers.row_of`.
    """
    return ops.swapaxes(ops.take(tape, ops.maximum(layer, 1) - 1, axis=0), 1, 2)


def _depth(trials: Trials) -> Tensor:
    """Hidden layers of the deepest trial."""
    return ops.max(ops.sum(ops.cast(trials.units > 0, "int32"), axis=1))


def _written(stack: Tensor, value: Tensor, row: Tensor) -> Tensor:
    """`stack` (rows, …) with `value` (…) at `row`."""
    return ops.slice_update(stack, (row,) + (0,) * len(value.shape), value[None])


def _row_written(stack: Tensor, value: Tensor, row: Tensor) -> Tensor:
    """`stack` (slots, rows, …) with `value` (slots, …) at `row`."""
    return ops.slice_update(stack, (0, row) + (0,) * (len(value.shape) - 1), value[:, None])
