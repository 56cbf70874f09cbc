"""Keras Tuner's face: its tuners by their names and arguments, for scripts."""

from importlib import import_module

import sweep

_KINDS = ("BayesianOptimization", "GridSearch", "Hyperband", "RandomSearch", "Tuner")


def __getattr__(name: str) -> object:
    """Import a tuner when it is first used: `from sweep.tuners import RandomSearch`."""
    if name == "SklearnTuner":
        return getattr(sweep, name)
    if name not in _KINDS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module("sweep.tuners.kinds"), name)
    return found
