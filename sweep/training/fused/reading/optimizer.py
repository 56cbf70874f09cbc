"""Reads a Keras optimizer: the rule by which it moves the weights, and each variable's role."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras.optimizers import schedules

from sweep.training import keras_private
from sweep.training.fused.description import Role
from sweep.training.fused.layers.refusal import NotCarriedError, name_of, require
from sweep.training.fused.program.optimizers import OptimizerRule
from sweep.training.fused.program.schedules import KINDS, RateSchedule


@dataclass(frozen=True)
class _Known:
    """How an optimizer of Keras is read."""

    kind: Callable[[dict[str, Any]], str]
    """The name of its rule, from its settings."""
    decays: tuple[str, str]
    """The settings that are its two decays; "" for 0."""


_ADAM = _Known(lambda c: "amsgrad" if c["amsgrad"] else "adam", ("beta_1", "beta_2"))
_KNOWN = {
    "Adam": _ADAM,
    "AdamW": _ADAM,
    "Nadam": _Known(lambda c: "nadam", ("beta_1", "beta_2")),
    "Adamax": _Known(lambda c: "adamax", ("beta_1", "beta_2")),
    "Adagrad": _Known(lambda c: "adagrad", ("", "")),
    "Adadelta": _Known(lambda c: "adadelta", ("", "rho")),
    "RMSprop": _Known(
        lambda c: "rmsprop_centered" if c["centered"] else "rmsprop", ("momentum", "rho")
    ),
    "Lion": _Known(lambda c: "lion", ("beta_1", "beta_2")),
    "SGD": _Known(lambda c: "nesterov" if c["nesterov"] and c["momentum"] else "sgd",
                  ("momentum", "")),
}  # fmt: skip

_REFUSED = ("use_ema", "loss_scale_factor", "gradient_accumulation_steps")
"""Settings that are left to Keras. Under `use_ema`, `fit` puts the averaged weights in place when
it ends, so at each rung, and training could not go on from there."""

_CLIPS = ("clipnorm", "global_clipnorm", "clipvalue")


def read_optimizer(optimizer: Any) -> OptimizerRule:
    """Return the rule of a Keras optimizer, built or not.

    Raises NotCarriedError, with one line that says why the optimizer is left to Keras.
    """
    kind = type(optimizer)
    known = _KNOWN.get(kind.__name__)
    if known is None or kind is not getattr(keras.optimizers, kind.__name__):
        raise NotCarriedError(f"optimizer {kind.__name__}")
    config = optimizer.get_config()
    for setting in _REFUSED:
        require(not config.get(setting), f"{kind.__name__} with {setting}={config.get(setting)}")
    spared = keras_private.spares_weights_from_decay(optimizer)
    require(not spared, "weights excluded from weight decay")
    epsilon = float(config.get("epsilon", 0.0))
    require(epsilon > 0 or "epsilon" not in config, f"{kind.__name__} with epsilon={epsilon}")
    clip, limit = _clipping(config)
    first, second = (float(config[name] or 0) if name else 0.0 for name in known.decays)
    return OptimizerRule(
        kind=known.kind(config),
        schedule=_schedule(optimizer),
        decays=(first, second),
        epsilon=epsilon,
        weight_decay=float(config.get("weight_decay") or 0.0),
        clip=clip,
        limit=limit,
        initial=float(config.get("initial_accumulator_value", 0.0)),
    )


def _clipping(config: dict[str, Any]) -> tuple[str, float]:
    """How gradients are clipped, in Keras' word, and the limit; ("", 0.0) if they are not."""
    clips = [(name, config[name]) for name in _CLIPS if config.get(name)]
    return next(((name, float(value)) for name, value in clips if value > 0), ("", 0.0))


def _schedule(optimizer: Any) -> RateSchedule | None:
    """The optimizer's schedule, None if its learning rate is a variable."""
    rate = keras_private.rate_or_schedule(optimizer)
    if isinstance(rate, keras.Variable):
        return None
    schedule = read_schedule(rate)
    if schedule is None:
        raise NotCarriedError(f"learning rate {name_of(rate)}")
    return schedule


def read_schedule(schedule: Any) -> RateSchedule | None:
    """Return the description of a Keras schedule, or None unless it is one of the built-in ones."""
    kind = type(schedule).__name__
    if kind not in KINDS or type(schedule) is not getattr(schedules, kind):
        return None
    settings = schedule.get_config()
    numbers = [settings.get("initial_learning_rate"), *settings.get("values", ())]
    if any(number is not None and not isinstance(number, float) for number in numbers):
        return None  # of another type, for instance an integer: rates would be rounded to it
    return RateSchedule(kind, settings)


def optimizer_roles(rule: OptimizerRule, trainable: tuple[Role, ...]) -> tuple[Role, ...]:
    """Return the role of each variable of the optimizer, in their order.

    The count of steps is iteration, the learning rate is rate, Nadam's product is product. A slot's
    role is that of its weight with the slot before it, for instance "first kernel".
    `trainable` are the roles of the model's trainable variables, in their order.
    """
    scheduled, momentum = rule.schedule is not None, rule.decays[0] != 0
    return _optimizer_roles(rule.kind, scheduled, momentum, trainable)


@functools.cache
def _optimizer_roles(
    kind: str, scheduled: bool, momentum: bool, trainable: tuple[Role, ...]
) -> tuple[Role, ...]:
    """The roles, read off an optimizer that is built here, once for all that are alike.

    To build each trial's own would take a seventh of the time of reading its model.
    """
    optimizer: Any
    rate = schedules.InverseTimeDecay(1.0, 1, 1.0) if scheduled else 1.0
    if kind in ("adam", "amsgrad"):
        optimizer = keras.optimizers.Adam(rate, amsgrad=kind == "amsgrad")
    elif kind in ("sgd", "nesterov"):
        optimizer = keras.optimizers.SGD(rate, momentum=0.5 if momentum else 0.0)
    elif kind in ("rmsprop", "rmsprop_centered"):
        options = {"momentum": 0.5 if momentum else 0.0, "centered": kind != "rmsprop"}
        optimizer = keras.optimizers.RMSprop(rate, **options)
    else:
        optimizer = getattr(keras.optimizers, kind.capitalize())(rate)
    optimizer.build([keras.Variable(np.zeros(1, np.float32)) for _ in trainable])
    found: dict[int, Role] = {id(keras_private.iteration_count(optimizer)): ("iteration", -1)}
    if not scheduled:
        found[id(keras_private.rate_or_schedule(optimizer))] = ("rate", -1)
    product = keras_private.product_of_momenta(optimizer)
    if product is not None:
        found[id(product)] = ("product", -1)
    for slot, variables in keras_private.slots(optimizer).items():
        for variable, (weight, layer) in zip(variables, trainable, strict=False):
            found[id(variable)] = (f"{slot} {weight}", layer)
    return roles_of(optimizer.variables, found, "optimizer")


def roles_of(variables: list[Any], found: dict[int, Role], owner: str) -> tuple[Role, ...]:
    """Return the role of each of the owner's variables; `found` has roles by a variable's id.

    Raises NotCarriedError for a variable that has none.
    """
    for variable in variables:
        require(id(variable) in found, f"{owner} variable {variable.path} has no known role")
    return tuple(found[id(variable)] for variable in variables)
