"""Hidden layers as a loop over alike ones; those behind the first stand in one stack of weights.

The loop runs as often as the deepest trial in the program has such layers, so one program
carries every depth, and a trial pays for its own layers only. On the way forward each layer
leaves on a tape what it passes on; on the way back its weights move at once.
"""

from typing import Any

from keras import ops

from sweep.training.fused.program import layers, mixed
from sweep.training.fused.program.arrays import Trials, Weights, entry
from sweep.training.fused.program.chains import row_of
from sweep.training.fused.program.descent import Descent
from sweep.training.fused.program.layers import Batch, Left
from sweep.training.fused.program.optimizers import Weight
from sweep.training.fused.program.penalties import of_weight
from sweep.training.fused.program.shape import Layer, Shape
from sweep.training.tensors import Tensor

_KINDS = ("kernel", "bias")

Tape = Left
"""What every hidden layer leaves on the way forward: each (layers, slots, batch, units)."""


def blank(shape: Shape) -> Tape:
    """Return a tape of zeros. A tape may be used again: each step writes before it reads."""
    return layers.blank(shape, 0, len(shape.widths))


def forward(batch: Batch, x: Tensor, tape: Tape) -> tuple[Tensor, Tape, Tensor]:
    """Return the last layer's output, the tape with every layer's, and how many layers there are.

    The output is (slots, batch, units), `x` is the input (slots, batch, features). The next round
    reads a layer's values from the tape: if it were handed them as well, XLA would compute their
    exponential in a pass over memory of its own, and copy what it hands on.
    """
    tape = _on(tape, layers.leave(batch, Layer(0, 0), x), 0)

    def through(index: Tensor, tape: Tape) -> tuple[Tensor, Tape]:
        found = layers.leave(batch, Layer(1, index), _given(tape, index))
        return index + 1, _on(tape, found, index)

    depth = depth_of(batch.trials)
    first = (ops.ones((), "int32"), tape)
    # counted by the loop, and so no number that `entry` must not be given
    layers_passed, tape = ops.while_loop(lambda index, _: index < depth, through, first)
    return _given(tape, layers_passed), tape, layers_passed


def backward(
    batch: Batch, weights: Weights, dh: Tensor, tape: Tape, depth: Tensor, descent: Descent
) -> tuple[Tensor, Weights, Tensor]:
    """Return the gradient at the first layer's output, the weights moved, and their penalty before.

    `dh` is the gradient at the last layer's output, (slots, batch, units) as the one returned; the
    penalty is (slots,). `tape` and `depth` are as `forward` returned them. Each round cuts out the
    weights of the next: XLA would copy every stack twice if a round cut its weights out of the
    stack that it then writes them to, which makes an epoch 1.05 to 1.1 times as long.
    """
    shape = batch.shape
    positions = [shape.position(kind, 1) for kind in _KINDS]

    def through(
        index: Tensor, dh: Tensor, own: list[Weight], stacks: list[Weight], penalty: Tensor
    ) -> tuple[Tensor, Tensor, list[Weight], list[Weight], Tensor]:
        layer = Layer(1, index)
        dz = dh * layers.slope(batch, layer, left(tape, index))  # (slots, batch, units)
        # (slots, units, batch): the layer's input, transposed
        given = layers.transposed(batch, lambda: _given(tape, index), dh)
        # (slots, units, units) and (slots, units)
        of_kernel = (
            mixed.kernel_gradient(shape, batch.trials, layer, given, dz)
            if shape.mixed
            else ops.matmul(given, dz)
        )
        gradients = of_kernel, layers.bias_gradient(dz, shape.biased[1])
        roles = [(kind, index) for kind in _KINDS]
        for role, weight in zip(roles, own, strict=True):
            penalty = penalty + of_weight(shape, *role, weight.value, batch.trials)
        moved = descent.moved(roles, own, gradients)
        stacks = [
            Weight(*(row_written(*pair, index - 1) for pair in zip(stacked, new, strict=True)))
            for stacked, new in zip(stacks, moved, strict=True)
        ]
        kernel, _ = own
        dh = layers.back(batch, layer, kernel.value, dh, dz)  # (slots, batch, units)
        return index - 1, dh, _rows(stacks, index - 1), stacks, penalty

    stacks = [weights.at(position) for position in positions]
    last = depth - 1
    first = (last, dh, _rows(stacks, last), stacks, ops.zeros((shape.slots,)))
    _, dh, *_, stacks, penalty = ops.while_loop(lambda index, *_: index > 0, through, first)
    return dh, weights.replaced(dict(zip(positions, stacks, strict=True))), penalty


def evaluated(shape: Shape, values: list[Tensor], trials: Trials, h: Tensor) -> Tensor:
    """Return the last layer's output in evaluation mode, (slots, rows, units).

    `h` is the output of the first layer.
    """

    def through(index: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        return index + 1, layers.evaluated(shape, values, trials, Layer(1, index), h)

    depth = depth_of(trials)
    first = (ops.ones((), "int32"), h)
    return ops.while_loop(lambda index, _: index < depth, through, first)[1]


def _rows(stacks: list[Weight], layer: Tensor) -> list[Weight]:
    """A layer's weights out of their stacks; those of the loop's first layer for layer 0."""
    there = ops.maximum(layer, 1)
    return [Weight(*(row_of(stack, there) for stack in stacked)) for stacked in stacks]


def left(tape: Tape, layer: Any) -> Left:
    """Return what a layer left on the tape: each (slots, batch, units)."""
    return Left(entry(tape.marked, layer), [entry(slopes, layer) for slopes in tape.slopes])


def _given(tape: Tape, layer: Tensor) -> Tensor:
    """The input of a layer behind the first, (slots, batch, units): what the one below left."""
    return layers.passed_on(entry(tape.marked, layer - 1))


def depth_of(trials: Trials) -> Tensor:
    """Return the number of hidden layers of the deepest trial in the program."""
    return ops.max(trials.depths)


def _on(tape: Tape, left: Left, layer: Any) -> Tape:
    """The tape with what a layer left written to the layer's place."""

    def written(stack: Tensor, value: Tensor) -> Tensor:
        return ops.slice_update(stack, (layer, 0, 0, 0), value[None])

    pairs = zip(tape.slopes, left.slopes, strict=True)
    return Tape(written(tape.marked, left.marked), [written(*pair) for pair in pairs])


def row_written(stack: Tensor, value: Tensor, row: Tensor) -> Tensor:
    """Return `stack` (slots, rows, …) with `value` (slots, …) at `row`."""
    return ops.slice_update(stack, (0, row) + (0,) * (len(value.shape) - 1), value[:, None])
