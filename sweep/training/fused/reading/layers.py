"""Reads a chain of Keras layers: the units of a description and the role of each variable."""

from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import activations, layers, regularizers

from sweep.training.fused.description import Norm, Penalty, Role, Unit
from sweep.training.fused.program.activations import ACTIVATIONS
from sweep.training.fused.program.dropout import MAX_UNITS
from sweep.training.fused.reading.refusal import NotCarriedError, name_of, require

_ACTIVATIONS = (layers.Activation, layers.ReLU, layers.LeakyReLU, layers.ELU)
_LAYERS = (layers.Dense, *_ACTIVATIONS, layers.Dropout, layers.BatchNormalization)
_SCALES = (layers.Normalization, layers.Rescaling)

Scaling = tuple[tuple[float, ...], tuple[float, ...]]
"""What is subtracted from each feature, and what it is then divided by."""


def read_input(
    shape: tuple[int, ...], chain: list[Any]
) -> tuple[list[Any], Scaling | None, dict[int, Role]]:
    """Return the layers behind those that only prepare the input, and what these do to it.

    They are Flatten, and Normalization and Rescaling, whose numbers are constants; `shape` is that
    of a row. The last result holds the role of each of their variables by its id. Raises
    NotCarriedError unless a row is a vector behind them.
    """
    rest, roles, scaled = list(chain), dict[int, Role](), False
    shift, divisor = np.zeros(shape), np.ones(shape)
    while rest and type(rest[0]) in (layers.Flatten, *_SCALES):
        layer = rest.pop(0)
        if type(layer) is layers.Flatten:
            shift, divisor = shift.reshape(-1), divisor.reshape(-1)
            continue
        require(layer.dtype_policy.name == "float32", f"precision {layer.dtype_policy.name}")
        factor, summand = _affine(layer, shift.shape)
        require(bool(np.all(factor != 0)), f"{name_of(layer)} by 0")
        if scaled:  # (x − s)/d·a + b = (x − (s − b·d/a)) / (d/a)
            shift, divisor = shift - summand * divisor / factor, divisor / factor
        else:
            shift, divisor = -summand / factor, 1 / factor
        scaled = True
        roles |= {id(one): ("constant", len(roles) + n) for n, one in enumerate(layer.variables)}
    require(shift.ndim == 1, f"input of shape {shape}")
    if not scaled:
        return rest, None, roles
    first, second = (tuple(one.astype(np.float32).tolist()) for one in (shift, divisor))
    return rest, (first, second), roles


def _affine(layer: Any, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The factor and the summand, each of `shape`, by which a layer maps its input."""
    if type(layer) is layers.Rescaling:
        pair = layer.scale, layer.offset
    else:
        require(layer.mean is not None, "Normalization without an input shape")
        mean, variance = (
            np.asarray(keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(one)), np.float64)
            for one in (layer.mean, layer.variance)
        )
        root = np.maximum(np.sqrt(variance), keras.config.epsilon())
        pair = (root, mean) if layer.invert else (1 / root, -mean / root)
    found = (np.broadcast_to(np.asarray(one, np.float64), (1, *shape))[0] for one in pair)
    factor, summand = found
    return factor, summand


_UNLIKE = "ReLU with a threshold, or with both a slope and a maximum"

_MAX_RATE = 1 - 2**-20

SOFTMAX = "softmax"
"""The one activation that is read though no program has it: it may stand at the output only."""


def read_layers(features: int, chain: list[Any]) -> tuple[list[Unit], dict[int, Role]]:
    """Return the input's unit and one for each Dense, and the role of each variable by its id.

    `chain` are the model's layers in order, without the input. Layers count from 0, the input is
    −1. Raises NotCarriedError.
    """
    units = [Unit(width=features)]
    roles: dict[int, Role] = {}
    for layer in chain:
        if type(layer) is layers.Flatten:
            continue  # a row is a vector already
        require(type(layer) in _LAYERS, f"layer {name_of(layer)}")
        require(layer.trainable, f"{name_of(layer)} is frozen")
        require(layer.dtype_policy.name == "float32", f"precision {layer.dtype_policy.name}")
        if type(layer) is layers.Dense:
            index = len(units) - 1
            units.append(_read_dense(layer))
            roles[id(layer.kernel)] = ("kernel", index)
            if layer.use_bias:
                roles[id(layer.bias)] = ("bias", index)
            continue
        index = len(units) - 2
        require(units[-1].rate is None, f"{name_of(layer)} follows Dropout")
        if type(layer) in _ACTIVATIONS:
            units[-1] = _activated(units[-1], layer, index)
        elif type(layer) is layers.BatchNormalization:
            units[-1] = _normalised(units[-1], layer)
            found = {
                "gamma": layer.gamma, "beta": layer.beta,
                "mean": layer.moving_mean, "variance": layer.moving_variance,
            }  # fmt: skip
            roles |= {id(one): (kind, index) for kind, one in found.items() if one is not None}
        else:
            units[-1] = _read_dropout(units[-1], layer)
            if layer.rate > 0:
                roles[id(layer.seed_generator.state)] = ("generator", index)
    require(len(units) > 1, "no Dense layer")
    return units, roles


def _read_dense(layer: Any) -> Unit:
    require(layer.units < MAX_UNITS, f"Dense of {layer.units} units")
    plain = layer.kernel_constraint is None and layer.bias_constraint is None
    require(plain, "a weight constraint")
    require(layer.activity_regularizer is None, "an activity regularizer")
    require(not getattr(layer, "lora_enabled", False), "LoRA")
    return Unit(
        width=int(layer.units),
        activation=_read_activation(layer.activation),
        biased=bool(layer.use_bias),
        kernel=_read_penalty(layer.kernel_regularizer),
        bias=_read_penalty(layer.bias_regularizer) if layer.use_bias else Penalty(),
    )


def _activated(unit: Unit, layer: Any, index: int) -> Unit:
    require(index >= 0, f"{name_of(layer)} before the first Dense")
    require(unit.activation == "linear", "two activations in a row")
    if type(layer) is layers.Activation:
        return replace(unit, activation=_read_activation(layer.activation))
    name = layer_activation_name(layer)
    if name is None:
        raise NotCarriedError(_UNLIKE)
    return replace(unit, activation=name)


def _normalised(unit: Unit, layer: Any) -> Unit:
    name = name_of(layer)
    require(unit.norm is None, f"two {name} in a row")
    require(layer.axis in (-1, 1), f"{name} over axis {layer.axis}")
    require(not layer.renorm, f"{name} with renorm")
    require(not layer.synchronized, f"{name} synchronized")
    require(layer.epsilon > 0, f"{name} with epsilon {layer.epsilon}")
    plain = layer.gamma_constraint is None and layer.beta_constraint is None
    require(plain, "a weight constraint")
    norm = Norm(
        after=unit.activation != "linear",
        momentum=layer.momentum,
        epsilon=layer.epsilon,
        gamma=_read_penalty(layer.gamma_regularizer) if layer.scale else None,
        beta=_read_penalty(layer.beta_regularizer) if layer.center else None,
    )
    return replace(unit, norm=norm)


def _read_dropout(unit: Unit, layer: Any) -> Unit:
    require(layer.noise_shape is None, "Dropout with a noise shape")
    require(layer.rate <= _MAX_RATE, f"Dropout of {layer.rate}")
    require(unit.width < MAX_UNITS, f"Dropout of {unit.width} units")
    return replace(unit, rate=float(layer.rate))


def _read_activation(function: Any) -> str:
    name = SOFTMAX if function is activations.softmax else activation_name(function)
    if name is None:
        unknown = getattr(function, "__name__", name_of(function))
        raise NotCarriedError(f"activation {unknown}")
    return name


def _read_penalty(regularizer: Any) -> Penalty:
    if regularizer is None:
        return Penalty()
    known = type(regularizer) in (regularizers.L1, regularizers.L2, regularizers.L1L2)
    require(known, f"regularizer {name_of(regularizer)}")
    l1, l2 = getattr(regularizer, "l1", 0.0), getattr(regularizer, "l2", 0.0)
    return Penalty(l1=float(l1), l2=float(l2))


def activation_name(function: Any) -> str | None:
    """Return the name under which `function` stands in ACTIVATIONS, None if it does not."""
    name = getattr(function, "__name__", None)
    if isinstance(name, str) and name in ACTIVATIONS and getattr(activations, name) is function:
        return name
    return None


def layer_activation_name(layer: Any) -> str | None:
    """Return the name by which `activation` knows a ReLU, LeakyReLU or ELU, None if it does not."""
    if type(layer) is layers.LeakyReLU:
        return f"leaky_relu({float(layer.negative_slope)})"
    if type(layer) is layers.ELU:
        return "elu" if layer.alpha == 1 else f"elu({float(layer.alpha)})"
    if type(layer) is layers.ReLU and not layer.threshold:
        if layer.max_value is None:
            return f"leaky_relu({float(layer.negative_slope)})" if layer.negative_slope else "relu"
        return None if layer.negative_slope else f"relu({float(layer.max_value)})"
    return None
