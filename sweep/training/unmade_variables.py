"""Keras variables that TensorFlow does not make, for models that are only read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def variables_unmade() -> Iterator[None]:
    """Give Keras variables created inside their first values, but no way to assign to them.

    They are tensors then: TensorFlow's variables take two fifths of the time of building a small
    model. Under JAX variables are made as ever.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    def first_value(_: object, *, initial_value: object, **settings: Any) -> object:
        value = initial_value() if callable(initial_value) else initial_value
        return tf.convert_to_tensor(value, settings.get("dtype"))

    with tf.variable_creator_scope(first_value):
        yield
