"""Why a model is left to Keras: one line, raised by whatever reads the model."""

from typing import Any


class NotCarriedError(Exception):
    """The model has something in it that the fused trainer does not know. One line."""


def require(fact: bool, reason: str) -> None:
    """Raise NotCarriedError with `reason` unless `fact`."""
    if not fact:
        raise NotCarriedError(reason)


def name_of(thing: Any) -> str:
    """What a reason calls a part of a model: its class, or the string itself."""
    return str(thing) if isinstance(thing, str) else type(thing).__name__
