"""The one place that touches private names of TensorFlow: gradients, control flow, XLA's cache.

`tests/training/test_tensorflow_private.py` fails with the missing name when one of them is gone,
and says for which versions of TensorFlow that has been seen to be well. Importing this module does
not import TensorFlow.
"""

import functools
import threading
from collections.abc import Callable, Iterator
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

CONSTANTS_MARK = "maybe_propagate_compile_time_consts_in_xla"
"""TensorFlow's function that marks a loop or branch for `constants_left_alone`."""

_MUST_COMPILE = "_XlaMustCompile"
"""The attribute by which tf.function(jit_compile=True) marks a call."""


def xla_cache_flags(folder: Path) -> str:
    """Return the flags with which XLA keeps in `folder` what it has compiled for the CPU."""
    return f"{XLA_CACHE}={folder} {_XLA_CACHE_CPU_ONLY}"


def mark_for_xla(call: Any) -> None:
    """Have XLA compile the function that `call`, a node of a graph, calls."""
    call.attr[_MUST_COMPILE].b = True


@contextmanager
def constants_left_alone() -> Iterator[None]:
    """Trace, in this thread, loops and branches in whose arguments XLA looks for no constants.

    TensorFlow marks each loop and branch that is traced for XLA. For each mark the compiler looks
    whether an argument can have one value only: it computes, one number at a time, all that the
    argument rests on, products of the whole data too. Where no shape depends on such a value, the
    compiled program is the same in every bit without the marks; a mixed program is compiled in
    0.65 of the time. If TensorFlow has no such name, everything is marked.
    """
    _watch_marks()
    before = getattr(_here, "unmarked", False)
    _here.unmarked = True
    try:
        yield
    finally:
        _here.unmarked = before


_here = threading.local()
"""What is so in the thread that asks only."""


@functools.cache
def _watch_marks() -> None:
    """Have TensorFlow ask, before it marks a loop or branch, whether this thread wants it to."""
    from tensorflow.python.ops import control_flow_util_v2 as control_flow

    mark: Callable[[object], None] | None = getattr(control_flow, CONSTANTS_MARK, None)
    if mark is None:
        return

    def marked_where_wanted(operation: object) -> None:
        if not getattr(_here, "unmarked", False):
            mark(operation)

    setattr(control_flow, CONSTANTS_MARK, marked_where_wanted)


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
