"""Learning rates of whole epochs, step by step: Keras' built-in schedules in NumPy float32.

A schedule is evaluated on the host for all steps of an epoch at once, so that trials with
schedules of any kind share a program.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from sweep.records import Json

_F = np.float32


@dataclass(frozen=True)
class RateSchedule:
    """One of Keras' built-in schedules: the name of its class, and its settings."""

    kind: str
    settings: Json

    def rates(self, steps: np.ndarray) -> np.ndarray:
        """Return the rate at each of `steps`, which are iteration counts: float32 (steps,)."""
        return np.asarray(_RULES[self.kind](self.settings, steps).astype(_F))


def _power(base: Any, exponent: np.ndarray) -> np.ndarray:
    return np.asarray(np.power(_F(base), exponent, dtype=_F))


def _fraction(settings: Json, steps: np.ndarray) -> np.ndarray:
    fraction: np.ndarray = steps.astype(_F) / _F(settings["decay_steps"])
    return np.asarray(np.floor(fraction)) if settings["staircase"] else fraction


def _inverse_time(settings: Json, steps: np.ndarray) -> np.ndarray:
    fraction = _fraction(settings, steps)
    denominator = _F(1) + _F(settings["decay_rate"]) * fraction
    return np.asarray(_F(settings["initial_learning_rate"]) / denominator)


def _exponential(settings: Json, steps: np.ndarray) -> np.ndarray:
    factor = _power(settings["decay_rate"], _fraction(settings, steps))
    return np.asarray(_F(settings["initial_learning_rate"]) * factor)


def _polynomial(settings: Json, steps: np.ndarray) -> np.ndarray:
    step, length = steps.astype(_F), _F(settings["decay_steps"])
    if settings["cycle"]:
        lengths = length * np.where(step == 0, _F(1), np.ceil(step / length))
    else:
        step, lengths = np.minimum(step, length), np.full_like(step, length)
    first, last = _F(settings["initial_learning_rate"]), _F(settings["end_learning_rate"])
    return np.asarray((first - last) * _power_of(1 - step / lengths, settings["power"]) + last)


def _power_of(base: np.ndarray, exponent: Any) -> np.ndarray:
    return np.asarray(np.power(base, _F(exponent), dtype=_F))


def _cosine(settings: Json, steps: np.ndarray) -> np.ndarray:
    step, length = steps.astype(_F), _F(settings["decay_steps"])
    first, target = _F(settings["initial_learning_rate"]), settings["warmup_target"]
    alpha = settings["alpha"]

    def decayed(step: np.ndarray, start: np.float32) -> np.ndarray:
        cosine = _F(0.5) * (_F(1) + np.cos(_F(math.pi) * (step / length)))
        return np.asarray(start * (_F(1 - alpha) * cosine + _F(alpha)))

    if target is None:
        return decayed(np.minimum(step, length), first)
    warmup = _F(settings["warmup_steps"])
    step = np.minimum(step, length + warmup)
    with np.errstate(divide="ignore", invalid="ignore"):
        rising = (_F(target) - first) * (step / warmup) + first
    return np.where(step < warmup, rising, decayed(step - warmup, _F(target)))


def _cosine_restarts(settings: Json, steps: np.ndarray) -> np.ndarray:
    completed = steps.astype(_F) / _F(settings["first_decay_steps"])
    t_mul, alpha = _F(settings["t_mul"]), _F(settings["alpha"])
    if t_mul == 1:
        restart = np.floor(completed)
        completed = completed - restart
    else:
        restart = np.floor(np.log(_F(1) - completed * (_F(1) - t_mul)) / np.log(t_mul))
        passed = (_F(1) - _power(t_mul, restart)) / (_F(1) - t_mul)
        completed = (completed - passed) / _power(t_mul, restart)
    height = _F(0.5) * _power(settings["m_mul"], restart)
    cosine = height * (_F(1) + np.cos(_F(math.pi) * completed))
    return np.asarray(_F(settings["initial_learning_rate"]) * ((1 - alpha) * cosine + alpha))


def _piecewise_constant(settings: Json, steps: np.ndarray) -> np.ndarray:
    boundaries = np.asarray(settings["boundaries"]).astype(np.int64)
    values = np.asarray(settings["values"], dtype=_F)
    return np.asarray(values[np.searchsorted(boundaries, steps, side="left")])


_RULES = {
    "InverseTimeDecay": _inverse_time,
    "ExponentialDecay": _exponential,
    "PolynomialDecay": _polynomial,
    "CosineDecay": _cosine,
    "CosineDecayRestarts": _cosine_restarts,
    "PiecewiseConstantDecay": _piecewise_constant,
}

KINDS = frozenset(_RULES)
"""The names of the classes of Keras whose schedules are known here."""
