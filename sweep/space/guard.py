"""While a space's file is imported, nothing in it may search or train.

A script that makes a tuner, searches and trains would otherwise do all of that when it is imported,
and a tuner that is made with `overwrite=True` deletes what an older search left.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_TRAIN = ("fit", "train_on_batch")


class NotWhileImportedError(Exception):
    """A user's file searches or trains while it is imported. One line."""


@contextmanager
def only_defining() -> Iterator[None]:
    """Inside, a Keras Tuner tuner can be neither made nor searched with, and no model is trained.

    What tries raises NotWhileImportedError. Afterwards all is as it was.
    """
    import keras
    import keras_tuner

    tuner: Any = keras_tuner.Tuner
    closed = [
        (_owner(tuner, "__init__"), "__init__", "makes a tuner"),
        (_owner(tuner, "search"), "search", "searches"),
        *((_owner(keras.Model, name), name, "trains a model") for name in _TRAIN),
    ]
    before = [(owner, name, vars(owner)[name]) for owner, name, _ in closed]
    for owner, name, does in closed:
        setattr(owner, name, _refusing(does))
    try:
        yield
    finally:
        for owner, name, method in before:
            setattr(owner, name, method)


def _owner(kind: Any, name: str) -> Any:
    """The class that defines a method, so that all classes below it are reached."""
    ranked = [one for one in kind.__mro__ if name in vars(one) and one is not object]
    return ranked[-1] if name in ("__init__", "search") else ranked[0]


def _refusing(does: str) -> Callable[..., Any]:
    def refuse(*arguments: Any, **named: Any) -> Any:
        raise NotWhileImportedError(f"the file {does} while it is imported")

    return refuse
