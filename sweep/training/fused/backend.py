"""What the fused trainer needs of Keras' backend beyond `keras.ops`: TensorFlow, or JAX.

Compiling, putting arrays on the device, telling what memory ran out: all else is written in
`keras.ops`, and runs the same on both.
"""

import functools
import threading
from collections.abc import Callable
from typing import Any

import keras

Tensor = Any

_JAX = keras.backend.backend() == "jax"


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of nested tensors, alike at every call, compiled by XLA at the first."""
    if _JAX:
        import jax

        jitted: Callable[..., Any] = jax.jit(function)
        return jitted
    import tensorflow as tf

    graph = tf.function(function, jit_compile=True, autograph=False)
    once = threading.Lock()
    traced: list[Callable[..., Any]] = []

    def call(*args: Any) -> Any:
        with once:  # which trace fits need not be found again at each call: 0.6 to 1 ms
            if not traced:
                traced.append(graph.get_concrete_function(*args))
        return traced[0](*args)

    return call


def on_device(array: Any) -> Tensor:
    """A NumPy array as a tensor of the backend, its type kept."""
    return keras.ops.convert_to_tensor(array)


@functools.cache
def on_gpu() -> bool:
    """Whether programs run on a GPU."""
    if _JAX:
        import jax

        return bool(jax.default_backend() == "gpu")
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a program failed because the device's or the host's memory did not suffice."""
    if isinstance(error, MemoryError):
        return True
    if _JAX:
        import jax

        return isinstance(error, jax.errors.JaxRuntimeError) and "RESOURCE_EXHAUSTED" in str(error)
    import tensorflow as tf

    return isinstance(error, tf.errors.ResourceExhaustedError)
