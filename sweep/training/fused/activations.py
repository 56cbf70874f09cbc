"""Element-wise activations by name, with their derivatives written out.

The forward functions are Keras' own. A derivative is computed from both the argument z and
the value f(z), whichever is cheaper.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

Tensor = Any

_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805
_INVERSE_SQRT_2PI = 0.3989422804014327
_INVERSE_SQRT_2 = 0.7071067811865476


@dataclass(frozen=True)
class Activation:
    """f and f'. `zero_at_zero` says that f(0) = 0, so that padded units stay silent."""

    value: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor, Tensor], Tensor]
    zero_at_zero: bool = True


def _constant(like: Tensor, value: float) -> Tensor:
    return ops.full_like(like, value)


def _elu_slope(z: Tensor, f: Tensor) -> Tensor:
    return ops.minimum(f, 0.0) + 1.0


def _relu_slope(z: Tensor, f: Tensor) -> Tensor:
    return ops.cast(z > 0, z.dtype)


def _leaky_relu_slope(z: Tensor, f: Tensor) -> Tensor:
    return ops.where(z > 0, _constant(z, 1.0), _constant(z, 0.2))


def _relu6_slope(z: Tensor, f: Tensor) -> Tensor:
    return ops.cast(ops.logical_and(z > 0, z < 6), z.dtype)


def _selu_slope(z: Tensor, f: Tensor) -> Tensor:
    return ops.where(z > 0, _constant(z, _SELU_SCALE), f + _SELU_SCALE * _SELU_ALPHA)


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


_functions = keras.activations

ACTIVATIONS: dict[str, Activation] = {
    "linear": Activation(lambda z: z, lambda z, f: _constant(z, 1.0)),
    "elu": Activation(_functions.elu, _elu_slope),
    "relu": Activation(_functions.relu, _relu_slope),
    "relu6": Activation(_functions.relu6, _relu6_slope),
    "leaky_relu": Activation(_functions.leaky_relu, _leaky_relu_slope),
    "tanh": Activation(_functions.tanh, lambda z, f: 1.0 - f * f),
    "sigmoid": Activation(_functions.sigmoid, lambda z, f: f * (1.0 - f), zero_at_zero=False),
    "gelu": Activation(_functions.gelu, _gelu_slope),
    "silu": Activation(_functions.silu, _silu_slope),
    "mish": Activation(_functions.mish, _mish_slope),
    "selu": Activation(_functions.selu, _selu_slope),
    "softsign": Activation(_functions.softsign, _softsign_slope),
    "softplus": Activation(_functions.softplus, lambda z, f: ops.sigmoid(z), zero_at_zero=False),
    "exponential": Activation(_functions.exponential, lambda z, f: f, zero_at_zero=False),
}


def activation_name(function: Any) -> str | None:
    """The name under which `function` stands in ACTIVATIONS, or None."""
    name = getattr(function, "__name__", None)
    if isinstance(name, str) and name in ACTIVATIONS and getattr(_functions, name) is function:
        return name
    return None
