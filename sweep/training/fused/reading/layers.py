"""Reads a chain of Keras layers: the units of a description and the role of each variable."""

from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import layers

from sweep.training.fused.description import Role, Unit
from sweep.training.fused.layers.activation import Activation
from sweep.training.fused.layers.penalty import NO_PENALTY, read_penalty
from sweep.training.fused.layers.random_bits import MAX_UNITS
from sweep.training.fused.layers.refusal import name_of, require
from sweep.training.fused.layers.registry import kinds_of, part_of

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
    require(shift.ndim == 1, f"rows of shape {shape} that no layer flattens first")
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
        part = part_of(layer)
        require(part is not None or type(layer) is layers.Dense, f"layer {name_of(layer)}")
        require(layer.trainable, f"layer {name_of(layer)} that is not trainable")
        require(layer.dtype_policy.name == "float32", f"precision {layer.dtype_policy.name}")
        if part is None:
            units.append(_read_dense(layer))
            variables = {"kernel": layer.kernel} | ({"bias": layer.bias} if layer.use_bias else {})
        else:
            require(layer.activity_regularizer is None, "an activity regularizer")
            found = part.read(layer, units[-1].width)
            if found is None:
                continue
            units[-1] = replace(units[-1], parts=(*units[-1].parts, found))
            kinds = kinds_of(units[-1].forms)[-1]
            variables = {kinds[kind]: one for kind, one in part.variables(layer).items()}
        roles |= {id(one): (kind, len(units) - 2) for kind, one in variables.items()}
    require(len(units) > 1, "no Dense layer")
    return units, roles


def _read_dense(layer: Any) -> Unit:
    require(
        layer.units < MAX_UNITS, f"a Dense layer of {layer.units:,} units, {MAX_UNITS:,} or more"
    )
    plain = layer.kernel_constraint is None and layer.bias_constraint is None
    require(plain, "a weight constraint")
    require(layer.activity_regularizer is None, "an activity regularizer")
    require(not getattr(layer, "lora_enabled", False), "weights with LoRA")
    activation = Activation.of(layer.activation)
    return Unit(
        width=int(layer.units),
        parts=() if activation is None else (activation,),
        biased=bool(layer.use_bias),
        kernel=read_penalty(layer.kernel_regularizer),
        bias=read_penalty(layer.bias_regularizer) if layer.use_bias else NO_PENALTY,
    )
