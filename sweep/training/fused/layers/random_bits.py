"""Random bits in a program: a counter-based hash, computed where the number is used.

Keras' generator of a layer such as Dropout holds (seed, count); count rises by one a training step.
The mask of a step is a function of (seed, count, layer, row in the batch, unit): no state but
Keras' own, which goes into checkpoints. The bits are not Keras' bits; the statistics are.

`step_keys` mixes (seed, count, layer) on the host into two 32-bit keys (splitmix64); the
program mixes them with the element's counter, row·2¹⁶ + unit, by two multiply-xorshift rounds
(constants of Chris Wellons' lowbias32). The second key is added between the rounds, so that two
steps never run through the same sequence at an offset.
"""

import numpy as np
from keras import ops

from sweep.training.tensors import Tensor

MAX_UNITS = 1 << 16
_SQRT_2 = 1.4142135623730951


def step_keys(seeds: np.ndarray, first_count: np.ndarray, steps: int) -> np.ndarray:
    """Return the keys of `steps` steps, uint32 (steps, layers, 2).

    `seeds` and `first_count` are those of Keras' generators at the first step, (layers,).
    """
    with np.errstate(over="ignore"):
        layer = np.arange(len(seeds), dtype=np.uint64)
        state = _mixed(seeds.astype(np.uint64) + (layer << np.uint64(40)))
        count = first_count.astype(np.uint64) + np.arange(steps, dtype=np.uint64)[:, None]
        mixed = _mixed(state + count * np.uint64(0x9E3779B97F4A7C15))
    return np.stack([mixed >> np.uint64(32), mixed & np.uint64(0xFFFFFFFF)], -1).astype(np.uint32)


def _mixed(z: np.ndarray) -> np.ndarray:
    """splitmix64's finaliser, element by element."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def threshold(rate: float) -> np.uint32:
    """Return the number below which a unit's random bits mean that dropout takes it out."""
    return np.uint32(round(rate * 2**32))


def scale(rate: float) -> np.float32:
    """Return the factor 1 / (1 − rate) of the units that stay, which keeps their mean."""
    return np.float32(1.0 / (1.0 - rate))


def bits(batch: int, units: int, keys: Tensor) -> Tensor:
    """Return random bits, uint32 (trials, batch, units), from keys (trials, 2).

    A unit's bits are the same however many units and rows pad the array. Rows and columns of the
    counter are mixed in one after the other: their sum XLA would write to memory as an array, and
    read at each use.
    """
    rows = ops.cast(ops.arange(batch, dtype="int32"), "uint32")[None, :, None]
    columns = ops.cast(ops.arange(units, dtype="int32"), "uint32")[None, None, :]
    first, second = keys[:, 0][:, None, None], keys[:, 1][:, None, None]
    x = ops.bitwise_xor(ops.bitwise_xor(rows * _word(MAX_UNITS), first), columns)
    x = ops.bitwise_xor(x, ops.right_shift(x, _word(16))) * _word(0x7FEB352D)
    x = x + second
    x = ops.bitwise_xor(x, ops.right_shift(x, _word(15))) * _word(0x846CA68B)
    return ops.bitwise_xor(x, ops.right_shift(x, _word(16)))


def mask(batch: int, units: int, keys: Tensor, thresholds: Tensor, scales: Tensor) -> Tensor:
    """Return a dropout mask of 0 and scale, float32 (trials, batch, units).

    `thresholds` and `scales` are (trials,), `keys` (trials, 2).
    """
    kept = bits(batch, units, keys) >= thresholds[:, None, None]
    return ops.where(kept, scales[:, None, None], ops.zeros((), "float32"))


def normal(words: Tensor) -> Tensor:
    """Return standard normal numbers, float32, from random bits of the same shape.

    The inverse of the distribution function at the middles of 2²³ equal parts of (0, 1), so none is
    further out than 5.3.
    """
    parts = ops.cast(ops.right_shift(words, _word(9)), "float32")
    return _SQRT_2 * ops.erfinv((2.0 * parts + 1.0) * 2.0**-23 - 1.0)


def _word(value: int) -> Tensor:
    return ops.convert_to_tensor(np.uint32(value))
