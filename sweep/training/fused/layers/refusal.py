"""The error that says, in one line, why a model is left to Keras."""

from typing import Any


class NotCarriedError(Exception):
    """A model has something in it that the fused trainer does not know. The text is one line."""


def require(fact: bool, reason: str) -> None:
    """Raise NotCarriedError with `reason` unless `fact`."""
    if not fact:
        raise NotCarriedError(reason)


def name_of(thing: Any) -> str:
    """Return what a reason calls a part of a model: its class, or the string if it is one."""
    return str(thing) if isinstance(thing, str) else type(thing).__name__
