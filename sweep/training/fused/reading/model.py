"""Reads a compiled Keras model into a description, or says why it is left to Keras.

What can be described: a Sequential or functional chain of Dense, each followed by at most one
activation, one BatchNormalization and one Dropout, which the input may have as well, down to one
logit or probability, or to one of each class; L1 and L2 penalties; Adam, AdamW or SGD under a
constant rate or a built-in schedule; binary cross-entropy, labels smoothed or not, categorical
cross-entropy, or mean squared error. Everything else, known or unknown, is refused by name:
nothing is guessed.
"""

import functools
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import layers

from sweep.training.fused.description import Description, Role
from sweep.training.fused.program.optimizers import OptimizerRule, read_optimizer
from sweep.training.fused.reading.layers import SOFTMAX, read_layers
from sweep.training.fused.reading.loss import read_loss
from sweep.training.fused.reading.refusal import NotCarriedError, name_of, require
from sweep.training.model import Model


def carries(model: Model) -> str | None:
    """None when the fused trainer can carry `model`; else one line saying why not."""
    try:
        read(model)
    except NotCarriedError as error:
        return str(error)
    return None


def read(model: Model) -> Description:
    """The description of a compiled model, its optimizer built or not. Raises NotCarriedError."""
    loss = read_loss(model)
    chain = _chain(model)
    units, roles = read_layers(int(model.input_shape[-1]), chain)
    given, *hidden, output = units
    require(all(unit.activation != SOFTMAX for unit in hidden), f"activation {SOFTMAX}")
    if loss.from_logits:
        require(output.activation == "linear", f"logits pass through {output.activation}")
    else:
        squashing = SOFTMAX if loss.categorical else "sigmoid"
        require(output.activation == squashing, f"probabilities come from {output.activation}")
        output = replace(output, activation="linear")
    require(output.width == 1 + loss.categorical, f"the output has {output.width} units")
    require(output.rate is None, "Dropout follows the output")
    require(output.norm is None, "BatchNormalization follows the output")
    optimizer = _read_optimizer(model.optimizer)
    scheduled, momentum = optimizer.schedule is not None, optimizer.decays[0] != 0
    trainable = _roles(model.trainable_variables, roles, "model")
    return Description(
        given=given,
        hidden=tuple(hidden),
        output=output,
        loss=loss,
        optimizer=optimizer,
        model_roles=_roles(model.variables, roles, "model"),
        optimizer_roles=_optimizer_roles(optimizer.kind, scheduled, momentum, trainable),
    )


def _chain(model: Model) -> list[Any]:
    """The model's layers in order, the input left out."""
    kind = type(model)
    require(kind is keras.Sequential or kind.__name__ == "Functional", f"class {name_of(model)}")
    require(len(model.inputs) == 1 and len(model.outputs) == 1, "several inputs or outputs")
    require(len(model.input_shape) == 2, f"input of shape {model.input_shape[1:]}")
    if kind is keras.Sequential:
        return list(model.layers)
    tensor = model.inputs[0]
    chain = []
    for layer in model.layers:
        if isinstance(layer, layers.InputLayer):
            continue
        try:
            follows = layer.input is tensor
            tensor = layer.output
        except (AttributeError, ValueError):  # a layer used twice, or never
            follows = False
        require(follows, f"{name_of(layer)} is not in a simple chain")
        chain.append(layer)
    require(tensor is model.outputs[0], "the layers are not a simple chain")
    return chain


def _read_optimizer(optimizer: Any) -> OptimizerRule:
    rule = read_optimizer(optimizer)
    if isinstance(rule, str):
        raise NotCarriedError(rule)
    return rule


@functools.cache
def _optimizer_roles(
    kind: str, scheduled: bool, momentum: bool, trainable: tuple[Role, ...]
) -> tuple[Role, ...]:
    """Roles of an optimizer's variables: a slot's is that of its weight, "first kernel".

    They are read off an optimizer that is built here, once for all that are alike: building each
    trial's would take a seventh of the time of reading its model.
    """
    optimizer: Any
    rate = keras.optimizers.schedules.InverseTimeDecay(1.0, 1, 1.0) if scheduled else 1.0
    if kind in ("adam", "amsgrad"):
        optimizer = keras.optimizers.Adam(rate, amsgrad=kind == "amsgrad")
    else:
        optimizer = keras.optimizers.SGD(rate, momentum=0.5 if momentum else 0.0)
    optimizer.build([keras.Variable(np.zeros(1, np.float32)) for _ in trainable])
    found: dict[int, Role] = {id(optimizer._iterations): ("iteration", -1)}
    if not scheduled:
        found[id(optimizer._learning_rate)] = ("rate", -1)
    for slot, attribute in (
        ("first", "_momentums"),
        ("first", "momentums"),
        ("second", "_velocities"),
        ("highest", "_velocity_hats"),
    ):
        for variable, (weight, layer) in zip(
            getattr(optimizer, attribute, ()), trainable, strict=False
        ):
            found[id(variable)] = (f"{slot} {weight}", layer)
    return _roles(optimizer.variables, found, "optimizer")


def _roles(variables: list[Any], found: dict[int, Role], owner: str) -> tuple[Role, ...]:
    for variable in variables:
        require(id(variable) in found, f"{owner} variable {variable.path} has no known role")
    return tuple(found[id(variable)] for variable in variables)
