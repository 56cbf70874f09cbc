"""Keras variables that TensorFlow does not make, for models that are only read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_OF_RANDOM_NUMBERS = "seed_generator_state"
"""What Keras calls the variable of a `keras.random.SeedGenerator`."""


@contextmanager
def variables_unmade() -> Iterator[None]:
    """Give Keras variables created inside their first values, but no way to assign to them.

    They are tensors then: TensorFlow's variables take half of the time of building a small model.
    Those that random numbers are drawn from are made: the one of `keras.random` outlives the model.
    Under JAX all variables are made as ever.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    def first_value(make: Any, *, initial_value: object, **settings: Any) -> object:
        if settings.get("name") == _OF_RANDOM_NUMBERS:
            return make(initial_value=initial_value, **settings)
        value = initial_value() if callable(initial_value) else initial_value
        return tf.convert_to_tensor(value, settings.get("dtype"))

    with tf.variable_creator_scope(first_value):
        yield
