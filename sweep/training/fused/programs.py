"""The compiled epoch of a shape: training, evaluation and nothing else, in one program.

Trials stand along the first axis of every array and never meet: each operation is
element-wise or a matrix product over that axis. The gradients of the chain are written out.
Layers beyond a trial's depth pass their input on; units beyond its width have zero weights,
zero gradients and zero slots, and stay so.

Written in `keras.ops`, so that it runs on TensorFlow and on JAX.
"""

import functools
from typing import NamedTuple

from keras import ops

from sweep.training.fused import backend, layers, losses
from sweep.training.fused.arrays import Data, Epoch, Measured, Program, State, Tensor, Trials
from sweep.training.fused.optimizers import Weight, clipped, updated
from sweep.training.fused.penalties import penalised, penalty, per_trial
from sweep.training.fused.shapes import INPUT, Shape


@functools.cache
def compiled(shape: Shape) -> Program:
    """The program of `shape`, one in a process; it is compiled at its first call."""
    epoch = functools.partial(_epoch, shape)
    program: Program = backend.compiled(epoch)
    return program


def _epoch(
    shape: Shape, state: State, trials: Trials, epoch: Epoch, data: Data
) -> tuple[State, Measured]:
    best = [
        ops.where(per_trial(epoch.improved, value), value, old)
        for value, old in zip(state.values, state.best, strict=True)
    ]
    weights = _Weights(state.values, state.firsts, state.seconds)

    def step(index: Tensor, weights: _Weights, fit: Tensor) -> tuple[Tensor, _Weights, Tensor]:
        weights, measured = _train_step(shape, index, weights, trials, epoch, data)
        return index + 1, weights, fit + measured * data.counts[index]

    first = (ops.zeros((), "int32"), weights, ops.zeros((losses.sums(shape.loss), shape.slots)))
    _, weights, fit = ops.while_loop(lambda index, *_: index < shape.rows.steps, step, first)
    measured = Measured(
        fit=fit,
        penalty=penalty(shape, weights.values, trials),
        logits=_logits(shape, weights.values, trials, data),
    )
    return State(weights.values, weights.firsts, weights.seconds, best), measured


class _Weights(NamedTuple):
    values: list[Tensor]
    firsts: list[Tensor]
    seconds: list[Tensor]


def _train_step(
    shape: Shape, index: Tensor, weights: _Weights, trials: Trials, epoch: Epoch, data: Data
) -> tuple[_Weights, Tensor]:
    """One batch of every trial; also the rows of `Measured.fit` before the step."""
    rows = epoch.order[index]  # (slots, batch)
    x, y = ops.take(data.x, rows, axis=0), ops.take(data.y, rows, axis=0)
    share = data.shares[index]
    batch = layers.Batch(shape, weights.values, trials, epoch.keys[index], share)
    kept = {}
    h, kept[INPUT] = layers.given(batch, x)
    for layer in range(len(shape.widths)):
        h, kept[layer] = layers.hidden(batch, layer, h)
    z = _output(shape, h, weights.values)  # (slots, batch)
    of = losses.of(shape.loss, z, y, trials.smoothing)
    fit = [ops.sum(of.metric * share, axis=1), penalty(shape, weights.values, trials)]
    if of.loss is not None:
        fit.append(ops.sum(of.loss * share, axis=1))
    dz = _at_outputs(shape, of.gradient * share)
    gradients = [
        penalised(shape, position, gradient, weights.values[position], trials)
        for position, gradient in enumerate(_gradients(batch, dz, h, kept))
    ]
    gradients = clipped(shape.clip, gradients, trials.numbers[:, 4])
    new = [
        updated(shape.optimizer, Weight(*weight), gradient, epoch.rates[index], trials.numbers)
        for gradient, weight in zip(gradients, zip(*weights, strict=False), strict=True)
    ]
    values, firsts, seconds = ([getattr(w, name) for w in new] for name in _WEIGHT)
    moved = layers.moved(batch, {layer: one.norm for layer, one in kept.items()})
    values += [moved[position] for position in sorted(moved)]
    return _Weights(values, firsts, seconds), ops.stack(fit)


def _gradients(
    batch: layers.Batch, dz: Tensor, h: Tensor, kept: dict[int, layers.Kept]
) -> list[Tensor]:
    """The gradients of all weights, from that at the logits and the output layer's input."""
    shape, out = batch.shape, batch.shape.output
    found = dict(zip((out, out + 1), _dense_gradients(h, dz, shape.biased[-1]), strict=True))
    dh = _back(dz, batch.values[out])
    for layer in reversed(range(len(shape.widths))):
        dz, of_norm = layers.hidden_gradients(batch, layer, dh, kept[layer])
        of_dense = _dense_gradients(kept[layer].given, dz, shape.biased[layer])
        found |= {2 * layer: of_dense[0], 2 * layer + 1: of_dense[1], **of_norm}
        if layer > 0 or shape.norm(INPUT) is not None:
            through = _back(dz, batch.values[2 * layer])
            passed = layer == 0 or shape.exact_depth
            dh = through if passed else ops.where(layers.present(batch.trials, layer), through, dh)
    found |= layers.given_gradients(batch, dh, kept[INPUT])
    return [found[position] for position in range(len(shape.weights))]


_WEIGHT = ("value", "first", "second")


def _output(shape: Shape, h: Tensor, values: list[Tensor]) -> Tensor:
    """Logits (slots, batch)."""
    z = ops.matmul(h, values[shape.output])
    if shape.outputs == 1:
        return z[..., 0] + values[shape.output + 1]
    z = z + values[shape.output + 1][:, None, :]
    return z[..., 1] - z[..., 0]


def _at_outputs(shape: Shape, gradient: Tensor) -> Tensor:
    """The gradient at the outputs (slots, batch, outputs) from that at the logit."""
    return gradient[..., None] if shape.outputs == 1 else ops.stack([-gradient, gradient], axis=-1)


def _dense_gradients(h: Tensor, dz: Tensor, biased: bool) -> tuple[Tensor, Tensor]:
    """Gradients of kernel (slots, in, out) and bias (slots, out); 0 where there is no bias."""
    of_bias = ops.sum(dz, axis=1) if biased else ops.zeros_like(dz[:, 0])
    return ops.einsum("tbi,tbo->tio", h, dz), of_bias


def _logits(shape: Shape, values: list[Tensor], trials: Trials, data: Data) -> Tensor:
    """Logits of all rows in evaluation mode: (slots, chunks · chunk)."""
    size = shape.rows.chunk

    def chunk(index: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
        start = index * size
        rows = ops.slice(data.x, (start, 0), (size, shape.features))
        h = ops.broadcast_to(rows[None], (shape.slots, size, shape.features))
        h = layers.evaluated(shape, values, trials, h)
        return index + 1, ops.slice_update(logits, (0, start), _output(shape, h, values))

    first = (ops.zeros((), "int32"), ops.zeros((shape.slots, shape.rows.chunks * size)))
    return ops.while_loop(lambda index, _: index < shape.rows.chunks, chunk, first)[1]


def _back(dz: Tensor, kernel: Tensor) -> Tensor:
    """The gradient at a dense layer's input: (slots, batch, in).

    An einsum, as the kernels' gradients: XLA would carry out a transposition on its own.
    """
    return ops.einsum("tbo,tio->tbi", dz, kernel)
