"""Element-wise activations by name, with their derivatives written out.

The forward functions are Keras' own, but for elu: exp(z) − 1 in place of expm1(z), which is off
by less than float32's rounding of 1 (6e-8) and takes a tenth off an epoch on a CPU. A derivative
is computed from the value f(z) where that tells it, else from the argument z, or from both.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import keras
from keras import ops

from sweep.training.tensors import Tensor

_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805
_INVERSE_SQRT_2PI = 0.3989422804014327
_INVERSE_SQRT_2 = 0.7071067811865476


@dataclass(frozen=True)
class Elementwise:
    """An activation f as `value`, its derivative f' as `slope`, a function of z and f(z).

    `by_value` says that f' looks at f(z) only, so that z need not be kept; `zero_at_zero` says
    that f(0) = 0, so that padded units stay 0.
    """

    value: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor, Tensor], Tensor]
    by_value: bool = False
    zero_at_zero: bool = True


def _constant(like: Tensor, value: float) -> Tensor:
    return ops.full_like(like, value)


def _elu_value(z: Tensor, alpha: float = 1.0) -> Tensor:
    below = ops.exp(ops.minimum(z, 0.0)) - 1.0
    return ops.where(z > 0, z, below if alpha == 1 else alpha * below)


def _elu_slope(z: Tensor, f: Tensor) -> Tensor:
    return ops.minimum(f, 0.0) + 1.0


def _relu_slope(z: Tensor, f: Tensor) -> Tensor:
    return ops.cast(f > 0, f.dtype)


def _selu_slope(z: Tensor, f: Tensor) -> Tensor:
    return ops.where(f > 0, _constant(f, _SELU_SCALE), f + _SELU_SCALE * _SELU_ALPHA)


def _gelu_slope(z: Tensor, f: Tensor) -> Tensor:
    density = _INVERSE_SQRT_2PI * ops.exp(-0.5 * z * z)
    return 0.5 * (1.0 + ops.erf(z * _INVERSE_SQRT_2)) + z * density


def _silu_slope(z: Tensor, f: Tensor) -> Tensor:
    gate = ops.sigmoid(z)
    return gate + f * (1.0 - gate)


def _mish_slope(z: Tensor, f: Tensor) -> Tensor:
    gate = ops.tanh(ops.softplus(z))
    return gate + z * (1.0 - gate * gate) * ops.sigmoid(z)


def _softsign_slope(z: Tensor, f: Tensor) -> Tensor:
    return 1.0 / ops.square(1.0 + ops.absolute(z))


def _hard_sigmoid_slope(z: Tensor, f: Tensor) -> Tensor:
    return _within(z, 3.0) / 6.0


def _hard_silu_slope(z: Tensor, f: Tensor) -> Tensor:
    return _functions.hard_sigmoid(z) + z * _hard_sigmoid_slope(z, f)


def _squareplus_slope(z: Tensor, f: Tensor) -> Tensor:
    return 0.5 + 0.5 * z / ops.sqrt(z * z + 4.0)


def _within(z: Tensor, limit: float) -> Tensor:
    """1 where |z| < limit, else 0."""
    return ops.cast(ops.absolute(z) < limit, z.dtype)


_functions = keras.activations


def _leaky_relu(slope: float) -> Elementwise:
    return Elementwise(
        lambda z: _functions.leaky_relu(z, slope),
        lambda z, f: ops.where(f > 0, _constant(f, 1.0), _constant(f, slope)),
        by_value=True,
    )


def _elu(alpha: float) -> Elementwise:
    return Elementwise(
        lambda z: _elu_value(z, alpha),
        lambda z, f: ops.where(z > 0, _constant(z, 1.0), f + alpha),
    )


def _relu(highest: float) -> Elementwise:
    return Elementwise(
        lambda z: _functions.relu(z, max_value=highest),
        lambda z, f: ops.cast(ops.logical_and(z > 0, z < highest), z.dtype),
    )


ACTIVATIONS: dict[str, Elementwise] = {
    "linear": Elementwise(lambda z: z, lambda z, f: _constant(f, 1.0), by_value=True),
    "elu": Elementwise(_elu_value, _elu_slope, by_value=True),
    "relu": Elementwise(_functions.relu, _relu_slope, by_value=True),
    "relu6": _relu(6.0),
    "leaky_relu": _leaky_relu(0.2),
    "tanh": Elementwise(_functions.tanh, lambda z, f: 1.0 - f * f, by_value=True),
    "sigmoid": Elementwise(
        _functions.sigmoid, lambda z, f: f * (1.0 - f), by_value=True, zero_at_zero=False
    ),
    "gelu": Elementwise(_functions.gelu, _gelu_slope),
    "silu": Elementwise(_functions.silu, _silu_slope),
    "mish": Elementwise(_functions.mish, _mish_slope),
    "selu": Elementwise(_functions.selu, _selu_slope, by_value=True),
    "softsign": Elementwise(_functions.softsign, _softsign_slope),
    "softplus": Elementwise(_functions.softplus, lambda z, f: ops.sigmoid(z), zero_at_zero=False),
    "exponential": Elementwise(
        _functions.exponential, lambda z, f: f, by_value=True, zero_at_zero=False
    ),
    "celu": Elementwise(_functions.celu, _elu_slope, by_value=True),
    "hard_tanh": Elementwise(_functions.hard_tanh, lambda z, f: _within(z, 1.0)),
    "tanh_shrink": Elementwise(_functions.tanh_shrink, lambda z, f: ops.square(ops.tanh(z))),
    "soft_shrink": Elementwise(_functions.soft_shrink, lambda z, f: 1.0 - _within(z, 0.5)),
    "hard_shrink": Elementwise(_functions.hard_shrink, lambda z, f: 1.0 - _within(z, 0.5)),
    "hard_silu": Elementwise(_functions.hard_silu, _hard_silu_slope),
    "hard_sigmoid": Elementwise(_functions.hard_sigmoid, _hard_sigmoid_slope, zero_at_zero=False),
    "log_sigmoid": Elementwise(
        _functions.log_sigmoid, lambda z, f: ops.sigmoid(-z), zero_at_zero=False
    ),
    "squareplus": Elementwise(_functions.squareplus, _squareplus_slope, zero_at_zero=False),
    "sparse_plus": Elementwise(
        _functions.sparse_plus, lambda z, f: ops.clip(0.5 * z + 0.5, 0.0, 1.0), zero_at_zero=False
    ),
    "sparse_sigmoid": Elementwise(
        _functions.sparse_sigmoid, lambda z, f: 0.5 * _within(z, 1.0), zero_at_zero=False
    ),
}


_WITH_NUMBER = {"leaky_relu": _leaky_relu, "elu": _elu, "relu": _relu}


@functools.cache
def activation(name: str) -> Elementwise:
    """Return the activation `name`: one of ACTIVATIONS, or with a number, as leaky_relu(0.3)."""
    kind, _, number = name.rstrip(")").partition("(")
    return _WITH_NUMBER[kind](float(number)) if number else ACTIVATIONS[kind]
