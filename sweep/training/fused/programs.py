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

from sweep.training.fused import backend, dropout
from sweep.training.fused.activations import ACTIVATIONS
from sweep.training.fused.arrays import Data, Epoch, Measured, Program, State, Tensor, Trials
from sweep.training.fused.optimizers import Weight, updated
from sweep.training.fused.shapes import Shape


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
        ops.where(_per_trial(epoch.improved, value), value, old)
        for value, old in zip(state.values, state.best, strict=True)
    ]
    weights = _Weights(state.values, state.firsts, state.seconds)

    def step(index: Tensor, weights: _Weights, fit: Tensor) -> tuple[Tensor, _Weights, Tensor]:
        weights, measured = _train_step(shape, index, weights, trials, epoch, data)
        return index + 1, weights, fit + measured * data.counts[index]

    first = (ops.zeros((), "int32"), weights, ops.zeros((2 + shape.smoothed, shape.slots)))
    _, weights, fit = ops.while_loop(lambda index, *_: index < shape.rows.steps, step, first)
    measured = Measured(
        fit=fit,
        penalty=_penalty(shape, weights.values, trials),
        logits=_logits(shape, weights.values, trials, data),
    )
    return State(weights.values, weights.firsts, weights.seconds, best), measured


class _Weights(NamedTuple):
    values: list[Tensor]
    firsts: list[Tensor]
    seconds: list[Tensor]


class _Pass(NamedTuple):
    """What a layer's forward pass leaves for its backward pass: (slots, batch, units)."""

    given: Tensor
    argument: Tensor
    value: Tensor
    mask: Tensor


def _train_step(
    shape: Shape, index: Tensor, weights: _Weights, trials: Trials, epoch: Epoch, data: Data
) -> tuple[_Weights, Tensor]:
    """One batch of every trial; also the rows of `Measured.fit` before the step."""
    rows = epoch.order[index]  # (slots, batch)
    x, y = ops.take(data.x, rows, axis=0), ops.take(data.y, rows, axis=0)
    passes, h = [], x
    if shape.input_dropout:
        place = len(shape.widths)
        h = h * _mask(shape, place, trials, epoch.keys[index, place])
    for layer in range(len(shape.widths)):
        h, kept = _hidden(shape, layer, h, weights.values, trials, epoch.keys[index, layer])
        passes.append(kept)
    z = _output(shape, h, weights.values)  # (slots, batch)
    share = data.shares[index]
    measured_y = _smoothed(y, trials.smoothing[:, 1]) if shape.smoothed else y
    losses = _cross_entropies(z, measured_y)
    fit = [ops.sum(losses * share, axis=1), _penalty(shape, weights.values, trials)]
    if shape.smoothed:
        y = _smoothed(y, trials.smoothing[:, 0])
        fit.append(ops.sum(_cross_entropies(z, y) * share, axis=1))

    gradients: list[Tensor] = [None] * len(weights.values)
    dz = ((ops.sigmoid(z) - y) * share)[..., None]
    out = shape.output
    gradients[out], gradients[out + 1] = _dense_gradients(h, dz, shape.biased[-1])
    dh = _back(dz, weights.values[out])
    for layer in reversed(range(len(shape.widths))):
        dz = _hidden_gradient(shape, layer, dh, passes[layer], trials)
        gradients[2 * layer], gradients[2 * layer + 1] = _dense_gradients(
            passes[layer].given, dz, shape.biased[layer]
        )
        if layer > 0:
            through = _back(dz, weights.values[2 * layer])
            dh = through if shape.exact_depth else ops.where(_present(trials, layer), through, dh)
    new = [
        updated(
            shape.optimizer,
            Weight(*weight),
            _penalised(shape, position, gradient, weight[0], trials),
            epoch.rates[index],
            trials.numbers,
        )
        for position, (gradient, weight) in enumerate(
            zip(gradients, zip(*weights, strict=True), strict=True)
        )
    ]
    values, firsts, seconds = ([getattr(w, name) for w in new] for name in _WEIGHT)
    return _Weights(values, firsts, seconds), ops.stack(fit)


def _cross_entropies(z: Tensor, y: Tensor) -> Tensor:
    """BCE of each row from logits: (slots, batch)."""
    return ops.maximum(z, 0.0) - z * y + ops.log1p(ops.exp(-ops.absolute(z)))


def _smoothed(y: Tensor, smoothing: Tensor) -> Tensor:
    """Labels (slots, batch) drawn towards 1/2 by smoothing of (slots,)."""
    return y * (1.0 - smoothing[:, None]) + 0.5 * smoothing[:, None]


_WEIGHT = ("value", "first", "second")


def _hidden(
    shape: Shape, layer: int, h: Tensor, values: list[Tensor], trials: Trials, keys: Tensor
) -> tuple[Tensor, _Pass]:
    """A hidden layer in training: what it passes on, and what its gradient needs."""
    z = ops.matmul(h, values[2 * layer]) + values[2 * layer + 1][:, None, :]
    f = ACTIVATIONS[shape.activations[layer]].value(z)
    mask = _mask(shape, layer, trials, keys)
    if shape.masked:
        mask = mask * _real_units(shape, layer, trials)
    return _passed_on(shape, layer, h, f * mask, trials), _Pass(h, z, f, mask)


def _mask(shape: Shape, place: int, trials: Trials, keys: Tensor) -> Tensor:
    """A step's dropout mask: (slots, batch, units)."""
    counters = dropout.counters(shape.rows.batch, shape.masks[place])
    return dropout.mask(counters, keys, trials.thresholds[:, place], trials.scales[:, place])


def _hidden_gradient(shape: Shape, layer: int, dh: Tensor, kept: _Pass, trials: Trials) -> Tensor:
    """The gradient at the layer's argument; 0 where the trial has no such layer."""
    slope = ACTIVATIONS[shape.activations[layer]].slope(kept.argument, kept.value)
    dz = dh * kept.mask * slope
    if layer == 0 or shape.exact_depth:
        return dz
    return ops.where(_present(trials, layer), dz, ops.zeros_like(dz))


def _passed_on(shape: Shape, layer: int, given: Tensor, computed: Tensor, trials: Trials) -> Tensor:
    if layer == 0 or shape.exact_depth:
        return computed
    return ops.where(_present(trials, layer), computed, given)


def _present(trials: Trials, layer: int) -> Tensor:
    """Whether each trial has the layer: (slots, 1, 1)."""
    return (trials.units[:, layer] > 0)[:, None, None]


def _real_units(shape: Shape, layer: int, trials: Trials) -> Tensor:
    """1 for the trial's own units, 0 for padding: (slots, 1, units)."""
    units = ops.arange(shape.widths[layer], dtype="int32")
    return ops.cast(units[None, :] < trials.units[:, layer][:, None], "float32")[:, None, :]


def _output(shape: Shape, h: Tensor, values: list[Tensor]) -> Tensor:
    """Logits (slots, batch)."""
    return ops.matmul(h, values[shape.output])[..., 0] + values[shape.output + 1]


def _dense_gradients(h: Tensor, dz: Tensor, biased: bool) -> tuple[Tensor, Tensor]:
    """Gradients of kernel (slots, in, out) and bias (slots, out); 0 where there is no bias."""
    of_bias = ops.sum(dz, axis=1) if biased else ops.zeros_like(dz[:, 0])
    return ops.einsum("tbi,tbo->tio", h, dz), of_bias


def _penalised(
    shape: Shape, position: int, gradient: Tensor, value: Tensor, trials: Trials
) -> Tensor:
    """The gradient of loss and penalty together."""
    if position % 2 and not shape.bias_penalty:
        return gradient
    gradient = gradient + _per_trial(2.0 * trials.l2[:, position], value) * value
    if shape.l1:
        gradient = gradient + _per_trial(trials.l1[:, position], value) * ops.sign(value)
    return gradient


def _penalty(shape: Shape, values: list[Tensor], trials: Trials) -> Tensor:
    """Σ l1·Σ|w| + l2·Σw² over the weights: (slots,)."""
    total = ops.zeros((shape.slots,))
    for position, value in enumerate(values):
        if position % 2 and not shape.bias_penalty:
            continue
        axes = tuple(range(1, len(value.shape)))
        total = total + trials.l2[:, position] * ops.sum(value * value, axis=axes)
        if shape.l1:
            total = total + trials.l1[:, position] * ops.sum(ops.absolute(value), axis=axes)
    return total


def _logits(shape: Shape, values: list[Tensor], trials: Trials, data: Data) -> Tensor:
    """Logits of all rows in evaluation mode: (slots, chunks · chunk)."""
    size = shape.rows.chunk

    def chunk(index: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
        start = index * size
        rows = ops.slice(data.x, (start, 0), (size, shape.features))
        h = ops.broadcast_to(rows[None], (shape.slots, size, shape.features))
        for layer, name in enumerate(shape.activations):
            z = ops.matmul(h, values[2 * layer]) + values[2 * layer + 1][:, None, :]
            f = ACTIVATIONS[name].value(z)
            if shape.masked:
                f = f * _real_units(shape, layer, trials)
            h = _passed_on(shape, layer, h, f, trials)
        return index + 1, ops.slice_update(logits, (0, start), _output(shape, h, values))

    first = (ops.zeros((), "int32"), ops.zeros((shape.slots, shape.rows.chunks * size)))
    return ops.while_loop(lambda index, _: index < shape.rows.chunks, chunk, first)[1]


def _back(dz: Tensor, kernel: Tensor) -> Tensor:
    """The gradient at a dense layer's input: (slots, batch, in).

    An einsum, as the kernels' gradients: XLA would carry out a transposition on its own.
    """
    return ops.einsum("tbo,tio->tbi", dz, kernel)


def _per_trial(values: Tensor, like: Tensor) -> Tensor:
    """(slots,) made to broadcast against (slots, …)."""
    return ops.reshape(values, (-1,) + (1,) * (len(like.shape) - 1))
