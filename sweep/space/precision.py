"""The precision that a search space trains in: Keras keeps it in global variables.

A policy such as `mixed_bfloat16` is honoured: every build begins with the one that the space's file
set, whatever another build or `clear_session` made of it. The type of all numbers and the smallest
number that Keras adds are those of every sweep, so a space that changes them is refused.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_FLOATX, _EPSILON = "float32", 1e-07


class OtherPrecisionError(Exception):
    """A user's code sets Keras' type of numbers, or its epsilon, to another than sweep's."""


def policy() -> Any:
    """Return Keras' present `DTypePolicy`, which layers made from now on have."""
    import keras

    return keras.config.dtype_policy()


@contextmanager
def with_policy(chosen: Any) -> Iterator[None]:
    """Inside, Keras has this policy, if one is given; afterwards what it had before.

    Raises OtherPrecisionError if the type of numbers or the epsilon are others at the end.
    """
    import keras

    before = keras.config.dtype_policy()
    if chosen is not None:
        keras.config.set_dtype_policy(chosen)
    try:
        yield
        refuse_other_precision()
    finally:
        keras.config.set_dtype_policy(before)


def refuse_other_precision() -> None:
    """Raises OtherPrecisionError, and puts back what was changed."""
    import keras

    floatx, epsilon = keras.config.floatx(), keras.config.epsilon()
    keras.config.set_floatx(_FLOATX)
    keras.config.set_epsilon(_EPSILON)
    if floatx != _FLOATX:
        raise OtherPrecisionError(
            f"keras.config.set_floatx({floatx!r}) is not supported: sweep computes in {_FLOATX}; "
            'for less, use keras.config.set_dtype_policy("mixed_bfloat16")'
        )
    if epsilon != _EPSILON:
        raise OtherPrecisionError(
            f"keras.config.set_epsilon({epsilon!r}) is not supported: sweep computes with "
            f"{_EPSILON!r}; give layers and optimizers an epsilon of their own"
        )
