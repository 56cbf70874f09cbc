"""The one place that touches private names of TensorFlow: its registry of gradients, XLA's cache.

`tests/training/test_tensorflow_private.py` fails with the missing name when one of them is gone,
and says for which versions of TensorFlow that has been seen to be well. Importing this module does
not import TensorFlow.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TF_XLA_FLAGS = "TF_XLA_FLAGS"
"""The environment variable that TensorFlow reads XLA's flags from, at its first operation."""

XLA_CACHE = "--tf_xla_persistent_cache_directory"
"""The flag that names the folder where XLA keeps what it has compiled."""

XLA_CACHE_FILES = "xla_compile_cache__*.pb"
"""The files in that folder that are whole; XLA writes them under other names first."""

_XLA_CACHE_CPU_ONLY = "--tf_xla_persistent_cache_device_types=CPU"

_MUST_COMPILE = "_XlaMustCompile"
"""The attribute by which tf.function(jit_compile=True) marks a call."""


def xla_cache_flags(folder: Path) -> str:
    """Return the flags with which XLA keeps in `folder` what it has compiled for the CPU."""
    return f"{XLA_CACHE}={folder} {_XLA_CACHE_CPU_ONLY}"


def mark_for_xla(call: Any) -> None:
    """Have XLA compile the function that `call`, a node of a graph, calls."""
    call.attr[_MUST_COMPILE].b = True


@contextmanager
def traces_forgotten() -> Iterator[None]:
    """Have TensorFlow forget the functions that are traced inside.

    Keras' optimizer reduces gradients through a function with a gradient of its own, which
    TensorFlow enters into a registry for good, the whole traced graph with it: 2.7 MiB a trial
    (`benchmarks/memory.py`). TensorFlow has no public way to take it out again. Without the
    registry's private name nothing is taken out.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        yield
        return
    entries = gradient_registry()
    before = set(entries)
    try:
        yield
    finally:
        for name in set(entries) - before:
            del entries[name]


def gradient_registry() -> dict[str, object]:
    """Return TensorFlow's own registry of gradient functions by name; empty if it is not found."""
    from tensorflow.python.framework import ops

    found: dict[str, object] = getattr(ops.gradient_registry, "_registry", {})
    return found
