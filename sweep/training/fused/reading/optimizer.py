"""Reads a Keras optimizer: the rule by which it moves the weights, and each variable's role."""

import functools
from typing import Any

import keras
import numpy as np
from keras.optimizers import schedules

from sweep.training import keras_private
from sweep.training.fused.description import Role
from sweep.training.fused.program.optimizers import OptimizerRule
from sweep.training.fused.program.schedules import KINDS, RateSchedule
from sweep.training.fused.reading.refusal import NotCarriedError, name_of, require

_KINDS = (keras.optimizers.Adam, keras.optimizers.AdamW, keras.optimizers.SGD)

_REFUSED = ("use_ema", "loss_scale_factor", "gradient_accumulation_steps")
"""Settings that are left to Keras. Under `use_ema`, `fit` puts the averaged weights in place when
it ends, so at each rung, and training could not go on from there."""

_CLIPS = ("clipnorm", "global_clipnorm", "clipvalue")


def read_optimizer(optimizer: Any) -> OptimizerRule:
    """Return the rule of a Keras optimizer, built or not.

    Raises NotCarriedError, with one line that says why the optimizer is left to Keras.
    """
    kind = type(optimizer)
    require(kind in _KINDS, f"optimizer {kind.__name__}")
    config = optimizer.get_config()
    for setting in _REFUSED:
        require(not config.get(setting), f"{kind.__name__} with {setting}={config.get(setting)}")
    spared = keras_private.spares_weights_from_decay(optimizer)
    require(not spared, "weights excluded from weight decay")
    clip, limit = _clipping(config)
    name, decays, epsilon = _kind(kind, config)
    return OptimizerRule(
        kind=name,
        schedule=_schedule(optimizer),
        decays=decays,
        epsilon=epsilon,
        weight_decay=float(config.get("weight_decay") or 0.0),
        clip=clip,
        limit=limit,
    )


def _kind(kind: type, config: dict[str, Any]) -> tuple[str, tuple[float, float], float]:
    """The rule's name, its decays and its ε."""
    if kind is keras.optimizers.SGD:
        name = "nesterov" if config["nesterov"] and config["momentum"] else "sgd"
        return name, (float(config["momentum"]), 0.0), 0.0
    name = "amsgrad" if config["amsgrad"] else "adam"
    return name, (float(config["beta_1"]), float(config["beta_2"])), float(config["epsilon"])


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

    A slot's role is that of its weight with the slot before it, for instance "first kernel".
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
    else:
        optimizer = keras.optimizers.SGD(rate, momentum=0.5 if momentum else 0.0)
    optimizer.build([keras.Variable(np.zeros(1, np.float32)) for _ in trainable])
    found: dict[int, Role] = {id(keras_private.iteration_count(optimizer)): ("iteration", -1)}
    if not scheduled:
        found[id(keras_private.rate_or_schedule(optimizer))] = ("rate", -1)
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
