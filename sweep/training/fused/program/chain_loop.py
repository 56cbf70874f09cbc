"""Hidden layers as a loop, where parts of their own stand behind their products.

As `layer_loop`, in programs of one trial whose layers are unlike. On the way forward each layer
leaves on a tape the input of each of its parts, and its output.
"""

from typing import Any

from keras import ops

from sweep.training.fused.program import chains, layers, mixed
from sweep.training.fused.program.arrays import Weights, entry
from sweep.training.fused.program.chains import PartsStep, row_of
from sweep.training.fused.program.descent import Descent
from sweep.training.fused.program.layer_loop import depth_of, row_written
from sweep.training.fused.program.layers import Batch
from sweep.training.fused.program.optimizers import Weight
from sweep.training.fused.program.penalties import of_weight
from sweep.training.fused.program.shape import Layer, Shape
from sweep.training.tensors import Tensor

Tape = list[Tensor]
"""What all hidden layers leave on the way forward: each (layers, slots, batch, units)."""


def blank(shape: Shape) -> Tape:
    """Return a tape of zeros. A tape may be used again: each step writes before it reads."""
    size = (len(shape.widths), shape.slots, shape.rows.batch, shape.widths[0])
    return [ops.zeros(size) for _ in range(len(shape.chain(0)) + 1)]


def forward(batch: Batch, x: Tensor, tape: Tape) -> tuple[Tensor, Tape, Tensor]:
    """Return the last layer's output, the tape with every layer's, and how many layers there are.

    The output is (slots, batch, units), `x` is the input (slots, batch, features).
    """

    def through(index: Tensor, tape: Tape) -> tuple[Tensor, Tape]:
        return index + 1, _on(batch, Layer(1, index), entry(tape[-1], index - 1), tape)

    depth = depth_of(batch.trials)
    first = (ops.ones((), "int32"), _on(batch, Layer(0, 0), x, tape))
    layers_passed, tape = ops.while_loop(lambda index, _: index < depth, through, first)
    return entry(tape[-1], layers_passed - 1), tape, layers_passed


def left(tape: Tape, layer: Any) -> list[Tensor]:
    """Return the inputs of a layer's parts: each (slots, batch, units)."""
    return [entry(stack, layer) for stack in tape[:-1]]


def backward(
    batch: Batch, weights: Weights, dh: Tensor, tape: Tape, depth: Tensor, descent: Descent
) -> tuple[Tensor, Weights, Tensor]:
    """Return the gradient at the first layer's output, the weights moved, and their penalty before.

    As in `layer_loop`; the averages of the layers behind the first have moved as well.
    """
    shape = batch.shape
    kinds = [kind for kind, layer in shape.roles if layer == 1]
    averaged = [kind for kind, layer in shape.averaged if layer == 1]
    positions = [shape.position(kind, 1) for kind in kinds]
    of_averages = [shape.position(kind, 1) for kind in averaged]

    def through(
        index: Tensor, dh: Tensor, stacks: list[Weight], averages: list[Tensor], penalty: Tensor
    ) -> tuple[Tensor, Tensor, list[Weight], list[Tensor], Tensor]:
        layer = Layer(1, index)
        step = PartsStep(batch.keys, batch.share)
        parts = chains.placed(shape, batch.values, batch.trials, layer, step)
        dz, found, new = chains.kept_backward(parts, left(tape, index), dh)
        # (slots, units, batch): the layer's input, transposed
        given = layers.transposed(batch, lambda: entry(tape[-1], index - 1), dh)
        found["kernel"] = mixed.kernel_gradient(shape, batch.trials, layer, given, dz)
        found["bias"] = layers.bias_gradient(dz, shape.biased[1])
        own = [Weight(*(row_of(stack, index) for stack in stacked)) for stacked in stacks]
        roles = [(kind, index) for kind in kinds]
        for role, weight in zip(roles, own, strict=True):
            penalty = penalty + of_weight(shape, *role, weight.value, batch.trials)
        moved = descent.moved(roles, own, [found[kind] for kind in kinds])
        stacks = [
            Weight(*(row_written(*pair, index - 1) for pair in zip(stacked, one, strict=True)))
            for stacked, one in zip(stacks, moved, strict=True)
        ]
        averages = [
            row_written(stack, new[kind], index - 1)
            for kind, stack in zip(averaged, averages, strict=True)
        ]
        kernel = own[kinds.index("kernel")].value
        return index - 1, layers.back(batch, layer, kernel, dh, dz), stacks, averages, penalty

    first = (
        depth - 1,
        dh,
        [weights.at(position) for position in positions],
        [weights.values[position] for position in of_averages],
        ops.zeros((shape.slots,)),
    )
    _, dh, stacks, averages, penalty = ops.while_loop(lambda index, *_: index > 0, through, first)
    weights = weights.replaced(dict(zip(positions, stacks, strict=True)))
    for position, average in zip(of_averages, averages, strict=True):
        weights.values[position] = average
    return dh, weights, penalty


def _on(batch: Batch, layer: Layer, h: Tensor, tape: Tape) -> Tape:
    """The tape with what a layer with input h leaves written to its place."""
    z = layers.product(batch.shape, batch.values, layer, h, batch.trials)
    step = PartsStep(batch.keys, batch.share)
    parts = chains.placed(batch.shape, batch.values, batch.trials, layer, step)
    pairs = zip(tape, chains.kept_forward(parts, z), strict=True)
    return [ops.slice_update(stack, (layer.index, 0, 0, 0), value[None]) for stack, value in pairs]
