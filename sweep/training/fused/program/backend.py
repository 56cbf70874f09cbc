"""What the fused trainer needs of TensorFlow or JAX, beyond `keras.ops`.

How to compile, how to put arrays on the device, how to know that memory ran out. All else is
written in `keras.ops`, which runs on both.
"""

import functools
import hashlib
import logging
import threading
from collections.abc import Callable
from typing import Any

import keras

from sweep.training.fused.program import kept as program_cache
from sweep.training.fused.program.kept import ProgramCache
from sweep.training.fused.program.tracing import TRACING
from sweep.training.tensorflow_private import constants_left_alone
from sweep.training.tensors import Tensor

_log = logging.getLogger(__name__)

_JAX = keras.backend.backend() == "jax"


def compiled(
    function: Callable[..., Any], key: str, like_result: Callable[..., Any]
) -> Callable[..., Any]:
    """Return `function`, compiled by XLA at its first call.

    `function` takes and returns nested tensors, of the same shapes at every call. `key` is the name
    under which the program is kept on disk, if a cache was opened: another function needs another
    key. `like_result` takes the arguments and returns anything with the structure of the result.
    """
    if _JAX:
        import jax

        jitted: Callable[..., Any] = jax.jit(function)
        return jitted
    import tensorflow as tf

    graph = tf.function(function, jit_compile=True, autograph=False)
    once = threading.Lock()
    ready: list[Callable[..., Any]] = []

    def call(*args: Any) -> Any:
        with once:  # which trace fits need not be found again at each call: 0.6 to 1 ms
            if not ready:
                cache = None if on_gpu() else program_cache.opened()
                if cache is not None:
                    kept, result = _first_call(graph, key, like_result, args, cache)
                    if kept is not None:
                        ready.append(kept)
                        return result
                ready.append(_traced(graph, args))
        return ready[0](*args)

    return call


def _first_call(
    graph: Any, key: str, like_result: Callable[..., Any], args: Any, cache: ProgramCache
) -> tuple[Callable[..., Any] | None, Any]:
    """Return the program from the cache, and its result for `args`; (None, None) after any error.

    A program that is not in the cache is traced, compiled and kept there. Anything may be wrong
    with files, so any error empties the cache, and the caller compiles without it. If it was memory
    that ran out, and not the disk, that fails again.
    """
    import tensorflow as tf

    from sweep.training.fused.program import kept_graph

    specs = [tf.TensorSpec.from_tensor(tf.convert_to_tensor(x)) for x in tf.nest.flatten(args)]
    program = hashlib.sha256(f"{key} {specs}".encode()).hexdigest()[:16]
    try:
        stored = cache.graph(program)
        if stored is None:
            made = kept_graph.graph_of(_traced(graph, args), f"sweep_{program}")
            cache.keep_graph(program, made.SerializeToString())
        else:
            made = tf.compat.v1.GraphDef.FromString(stored)
        run = kept_graph.runnable(made, specs)

        def kept(*args: Any) -> Any:
            return tf.nest.pack_sequence_as(like_result(*args), run(*tf.nest.flatten(args)))

        result = kept(*args)
        cache.keep_compiled()
    except Exception as error:
        _log.info("compiled programs are not kept: %s: %s", type(error).__name__, error)
        cache.forget()
        return None, None
    return kept, result


def _traced(graph: Any, args: Any) -> Any:
    """The concrete function of a `tf.function`. No shape in a program depends on a value."""
    with TRACING.turn(), constants_left_alone():
        return graph.get_concrete_function(*args)


def on_device(array: Any) -> Tensor:
    """Return a NumPy array as a tensor of the backend, of the same type of number."""
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
