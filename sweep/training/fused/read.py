"""Reads a compiled Keras model into a description, or says why it is left to Keras.

What can be described: a Sequential or functional chain of Dense, each followed by at most one
activation and one Dropout, down to a single logit or probability; L1 and L2 penalties; Adam,
AdamW or SGD under a constant rate or a built-in schedule; binary cross-entropy. Everything
else, known or unknown, is refused by name: nothing is guessed.
"""

from dataclasses import replace
from typing import Any

import keras
from keras import layers, regularizers

from sweep.training.fused.activations import activation_name
from sweep.training.fused.description import Description, Penalty, Role, Unit
from sweep.training.fused.dropout import MAX_UNITS
from sweep.training.fused.optimizers import OptimizerRule, read_optimizer
from sweep.training.model import Model

_LAYERS = (layers.Dense, layers.Activation, layers.Dropout)

_MAX_RATE = 1 - 2**-20


class NotCarriedError(Exception):
    """The model has something in it that the fused trainer does not know. One line."""


def carries(model: Model) -> str | None:
    """None when the fused trainer can carry `model`; else one line saying why not."""
    try:
        read(model)
    except NotCarriedError as error:
        return str(error)
    return None


def read(model: Model) -> Description:
    """The description of a compiled model with a built optimizer. Raises NotCarriedError."""
    from_logits = _read_loss(model)
    chain = _chain(model)
    units, roles = _read_units(chain)
    *hidden, output = units
    if from_logits:
        _require(output.activation == "linear", f"logits pass through {output.activation}")
    else:
        _require(output.activation == "sigmoid", f"probabilities come from {output.activation}")
        output = replace(output, activation="linear")
    _require(output.width == 1, f"the output has {output.width} units")
    _require(output.rate is None, "Dropout follows the output")
    trainable = [roles.get(id(variable), ("unknown", -1)) for variable in model.trainable_variables]
    return Description(
        features=int(model.input_shape[-1]),
        hidden=tuple(hidden),
        output=output,
        from_logits=from_logits,
        optimizer=_read_optimizer(model.optimizer),
        model_roles=_roles(model.variables, roles, "model"),
        optimizer_roles=_optimizer_roles(model.optimizer, trainable),
    )


def _require(fact: bool, reason: str) -> None:
    if not fact:
        raise NotCarriedError(reason)


def _read_loss(model: Model) -> bool:
    """Whether the loss takes logits. The records need the loss's metric under its own name."""
    loss = model.loss
    _require(type(loss) is keras.losses.BinaryCrossentropy, f"loss {_name(loss)}")
    config = model.get_compile_config()
    _require(config is not None, "the compile arguments cannot be read")
    _require(not loss.get_config().get("label_smoothing"), "label smoothing")
    _require(loss.reduction == "sum_over_batch_size", f"loss reduction {loss.reduction!r}")
    _require(not config["loss_weights"], "loss weights")
    _require(not config["run_eagerly"], "run_eagerly")
    from_logits = bool(loss.from_logits)
    for metric in config["metrics"] or ():
        settings = metric.get("config", {}) if isinstance(metric, dict) else {}
        if settings.get("name") == "binary_crossentropy":
            same = (
                metric["class_name"] == "BinaryCrossentropy"
                and bool(settings["from_logits"]) == from_logits
                and not settings["label_smoothing"]
            )
            _require(same, "the metric binary_crossentropy is not the loss")
            return from_logits
    raise NotCarriedError("no metric named binary_crossentropy")


def _chain(model: Model) -> list[Any]:
    """The model's layers in order, the input left out."""
    kind = type(model)
    _require(kind is keras.Sequential or kind.__name__ == "Functional", f"class {_name(model)}")
    _require(len(model.inputs) == 1 and len(model.outputs) == 1, "several inputs or outputs")
    _require(len(model.input_shape) == 2, f"input of shape {model.input_shape[1:]}")
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
        _require(follows, f"{_name(layer)} is not in a simple chain")
        chain.append(layer)
    _require(tensor is model.outputs[0], "the layers are not a simple chain")
    return chain


def _read_units(chain: list[Any]) -> tuple[list[Unit], dict[int, Role]]:
    """The chain's units, and the role of each variable by the identity of the variable."""
    units: list[Unit] = []
    roles: dict[int, Role] = {}
    for layer in chain:
        _require(type(layer) in _LAYERS, f"layer {_name(layer)}")
        _require(layer.trainable, f"{_name(layer)} is frozen")
        _require(layer.dtype_policy.name == "float32", f"precision {layer.dtype_policy.name}")
        index = len(units) - 1
        if type(layer) is layers.Dense:
            units.append(_read_dense(layer))
            roles[id(layer.kernel)] = ("kernel", index + 1)
            roles[id(layer.bias)] = ("bias", index + 1)
            continue
        _require(bool(units), f"{_name(layer)} before the first Dense")
        last = units[index]
        _require(last.rate is None, f"{_name(layer)} follows Dropout")
        if type(layer) is layers.Activation:
            _require(last.activation == "linear", "two activations in a row")
            units[index] = replace(last, activation=_read_activation(layer.activation))
        else:
            _require(layer.noise_shape is None, "Dropout with a noise shape")
            _require(layer.rate <= _MAX_RATE, f"Dropout of {layer.rate}")
            units[index] = replace(last, rate=float(layer.rate))
            if layer.rate > 0:
                roles[id(layer.seed_generator.state)] = ("generator", index)
    _require(bool(units), "no Dense layer")
    return units, roles


def _read_dense(layer: Any) -> Unit:
    _require(layer.use_bias, "Dense without bias")
    _require(layer.units < MAX_UNITS, f"Dense of {layer.units} units")
    plain = layer.kernel_constraint is None and layer.bias_constraint is None
    _require(plain, "a weight constraint")
    _require(layer.activity_regularizer is None, "an activity regularizer")
    _require(not getattr(layer, "lora_enabled", False), "LoRA")
    return Unit(
        width=int(layer.units),
        activation=_read_activation(layer.activation),
        kernel=_read_penalty(layer.kernel_regularizer),
        bias=_read_penalty(layer.bias_regularizer),
    )


def _read_activation(function: Any) -> str:
    name = activation_name(function)
    if name is None:
        raise NotCarriedError(f"activation {getattr(function, '__name__', _name(function))}")
    return name


def _read_penalty(regularizer: Any) -> Penalty:
    if regularizer is None:
        return Penalty()
    known = type(regularizer) in (regularizers.L1, regularizers.L2, regularizers.L1L2)
    _require(known, f"regularizer {_name(regularizer)}")
    l1, l2 = getattr(regularizer, "l1", 0.0), getattr(regularizer, "l2", 0.0)
    return Penalty(l1=float(l1), l2=float(l2))


def _read_optimizer(optimizer: Any) -> OptimizerRule:
    rule = read_optimizer(optimizer)
    if isinstance(rule, str):
        raise NotCarriedError(rule)
    return rule


def _optimizer_roles(optimizer: Any, trainable: list[Role]) -> tuple[Role, ...]:
    """Roles of the optimizer's variables: a slot's is that of its weight, "momentum kernel"."""
    found: dict[int, Role] = {id(optimizer._iterations): ("iteration", -1)}
    if isinstance(optimizer._learning_rate, keras.Variable):
        found[id(optimizer._learning_rate)] = ("rate", -1)
    for slot, attribute in (
        ("first", "_momentums"),
        ("first", "momentums"),
        ("second", "_velocities"),
    ):
        for variable, (kind, layer) in zip(
            getattr(optimizer, attribute, ()), trainable, strict=False
        ):
            found[id(variable)] = (f"{slot} {kind}", layer)
    return _roles(optimizer.variables, found, "optimizer")


def _roles(variables: list[Any], found: dict[int, Role], owner: str) -> tuple[Role, ...]:
    for variable in variables:
        _require(id(variable) in found, f"{owner} variable {variable.path} has no known role")
    return tuple(found[id(variable)] for variable in variables)


def _name(thing: Any) -> str:
    return str(thing) if isinstance(thing, str) else type(thing).__name__
