"""The compiled epoch of a shape: training, evaluation and nothing else, in one program.

Trials stand along the first axis of every array and never meet: each operation is
element-wise or a matrix product over that axis. The gradients of the chain are written out.
Layers beyond a trial's depth pass their input on; units beyond its width have zero weights,
zero gradients and zero slots, and stay so.

Written in `keras.ops`, so that it runs on TensorFlow and on JAX.
"""

import functools
from typing import Any

from keras import ops

from sweep.training.fused.program import backend, chain_loop, layer_loop, layers, losses
from sweep.training.fused.program.arrays import (
    Epoch,
    Measured,
    Program,
    ResidentData,
    Sums,
    Trials,
    Weights,
    entry,
)
from sweep.training.fused.program.descent import Descent
from sweep.training.fused.program.penalties import penalty
from sweep.training.fused.program.shape import INPUT, Layer, Shape
from sweep.training.tensors import Tensor


@functools.cache
def compiled(shape: Shape) -> Program:
    """The program of `shape`, one in a process; it is compiled at its first call."""
    epoch = functools.partial(_epoch, shape)
    program: Program = backend.compiled(epoch, repr(shape), _like_result)
    return program


def _like_result(
    weights: Weights, trials: Trials, epoch: Epoch, data: ResidentData
) -> tuple[Weights, Measured]:
    return weights, Measured(sums=Sums(None, None, None), penalty=None, logits=None)


def _epoch(
    shape: Shape, weights: Weights, trials: Trials, epoch: Epoch, data: ResidentData
) -> tuple[Weights, Measured]:
    def step(
        index: Tensor, weights: Weights, fit: Tensor, tapes: list[Any]
    ) -> tuple[Tensor, Weights, Tensor, list[Any]]:
        weights, measured, tapes = _train_step(shape, index, weights, tapes, trials, epoch, data)
        return index + 1, weights, fit + measured * entry(data.counts, index), tapes

    fit = ops.zeros((losses.sums(shape.loss), shape.slots))
    tapes = [_loop(shape).blank(shape)] if shape.looped else []
    first = (ops.zeros((), "int32"), weights, fit, tapes)
    _, weights, fit, _ = ops.while_loop(lambda index, *_: index < shape.rows.steps, step, first)
    of_loss = 2 if losses.sums(shape.loss) == 3 else 0
    measured = Measured(
        sums=Sums(score=fit[0], penalty=fit[1], loss=fit[of_loss]),
        penalty=penalty(shape, weights.values, trials),
        logits=_logits(shape, weights.values, trials, data),
    )
    return weights, measured


def _loop(shape: Shape) -> Any:
    """How the hidden layers of a program are looped over."""
    return chain_loop if shape.chain(0) else layer_loop


def _train_step(
    shape: Shape, index: Tensor, weights: Weights, tapes: list[Any], trials: Trials, epoch: Epoch,
    data: ResidentData,
) -> tuple[Weights, Tensor, list[Any]]:  # fmt: skip
    """One batch of every trial; also the rows of `Sums` before the step."""
    rows = entry(epoch.order, index)  # (slots, batch)
    x, y = ops.take(data.x, rows, axis=0), ops.take(data.y, rows, axis=0)
    share = entry(data.shares, index)
    batch = layers.Batch(shape, weights.values, trials, entry(epoch.keys, index), share, data.true)
    kept = {}
    h, kept[INPUT] = layers.given(batch, layers.scaled(shape, trials, x))
    if shape.looped:
        last, tape, depth = _loop(shape).forward(batch, h, *tapes)
        h, kept[0] = last, layers.Kept(h, _loop(shape).left(tape, 0))
        tapes = [tape]
    else:
        for layer in shape.unrolled:
            h, kept[layer] = layers.hidden(batch, Layer(layer, layer), h)  # (slots, batch, units)
    z = _output(shape, h, weights.values)  # (slots, batch), or (slots, batch, outputs)
    of = losses.of(shape, z, y, trials.smoothing)
    fit = [ops.sum(of.metric * share, axis=1), penalty(shape, weights.values, trials, loop=False)]
    if of.loss is not None:
        fit.append(ops.sum(of.loss * share, axis=1))
    descent = Descent(shape, trials, entry(epoch.rates, index))
    by_row = share[:, None] if shape.several else share
    dh, found = _output_gradients(batch, of.gradient * by_row, h)  # dh: (slots, batch, units)
    if shape.looped:
        dh, weights, of_loop = _loop(shape).backward(batch, weights, dh, tape, depth, descent)
        fit[1] = fit[1] + of_loop
    found |= _gradients(batch, dh, kept)
    positions = sorted(found)
    new = descent.moved(
        [shape.roles[position] for position in positions],
        [weights.at(position) for position in positions],
        [found[position] for position in positions],
    )
    weights = weights.replaced(dict(zip(positions, new, strict=True)))
    averages = layers.moved(batch, kept)
    for position, average in averages.items():
        weights.values[position] = average
    return weights, ops.stack(fit), tapes


def _gradients(batch: layers.Batch, dh: Tensor, kept: dict[int, layers.Kept]) -> dict[int, Tensor]:
    """Those of the layers that are written out, by position, from that at the last one's output."""
    shape = batch.shape
    found: dict[int, Tensor] = {}
    for index in reversed(shape.unrolled):
        layer = Layer(index, index)
        dz, of_norm = layers.hidden_gradients(batch, layer, dh, kept[index].left)
        of_dense = layers.product_gradients(
            batch, kept[index].given, dz, shape.biased[index], layer
        )
        found |= _at(shape, index, *of_dense) | of_norm
        if index > 0 or shape.learns(INPUT):
            kernel = batch.values[shape.position("kernel", index)]
            dh = layers.back(batch, layer, kernel, dh, dz)
    return found | layers.given_gradients(batch, dh, kept[INPUT])


def _at(shape: Shape, layer: int, kernel: Tensor, bias: Tensor) -> dict[int, Tensor]:
    return {shape.position("kernel", layer): kernel, shape.position("bias", layer): bias}


def _output(shape: Shape, h: Tensor, values: list[Tensor]) -> Tensor:
    """The last layer's values, (slots, batch) or (slots, batch, outputs); of two one logit."""
    kernel, bias = (values[shape.position(kind, len(shape.widths))] for kind in ("kernel", "bias"))
    z = ops.matmul(h, kernel)
    if shape.outputs == 1:
        return z[..., 0] + bias
    z = z + bias[:, None, :]
    return z if shape.several else z[..., 1] - z[..., 0]


def _output_gradients(
    batch: layers.Batch, of_logit: Tensor, h: Tensor
) -> tuple[Tensor, dict[int, Tensor]]:
    """At the output layer's input h (slots, batch, in); those of its weights by position.

    With one output both products are written element by element: XLA's products of such thin
    matrices take several times as long.
    """
    shape, out = batch.shape, len(batch.shape.widths)
    kernel = batch.values[shape.position("kernel", out)]
    if shape.outputs > 1:
        dz = of_logit if shape.several else ops.stack([-of_logit, of_logit], axis=-1)
        of_weights = layers.product_gradients(batch, h, dz, shape.biased[-1])
        return layers.back_through(dz, kernel), _at(shape, out, *of_weights)
    dz = of_logit[..., None]
    of_kernel = ops.sum(h * dz, axis=1)[..., None]
    of_bias = layers.bias_gradient(dz, shape.biased[-1])
    return dz * kernel[:, None, :, 0], _at(shape, out, of_kernel, of_bias)


def _logits(shape: Shape, values: list[Tensor], trials: Trials, data: ResidentData) -> Tensor:
    """What is predicted for rows in evaluation mode: (slots, chunks · chunk), or (…, outputs).

    Of classes these are logits.
    """
    size, chunks, unscored = shape.rows.chunk, shape.rows.chunks, shape.rows.unscored
    own = (shape.outputs,) if shape.several else ()

    def chunk(index: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
        start = index * size
        first = start + unscored if unscored else start
        rows = ops.slice(data.x, (first, 0), (size, shape.features))
        h = ops.broadcast_to(rows[None], (shape.slots, size, shape.features))
        h = layers.evaluated_input(shape, values, trials, layers.scaled(shape, trials, h))
        for layer in shape.unrolled:
            h = layers.evaluated(shape, values, trials, Layer(layer, layer), h)
        if shape.looped:
            h = layer_loop.evaluated(shape, values, trials, h)
        found = losses.ended(shape, _output(shape, h, values))
        return index + 1, ops.slice_update(logits, (0, start, *(0 for _ in own)), found)

    first = (ops.zeros((), "int32"), ops.zeros((shape.slots, chunks * size, *own)))
    return ops.while_loop(lambda index, _: index < shape.rows.chunks, chunk, first)[1]
