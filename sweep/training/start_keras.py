"""Starts Keras quietly and deterministically. Call `start_keras` before anything imports it."""

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sweep.errors import PlatformError
from sweep.streams import words_to
from sweep.training.fused.program import kept as program_cache

_VECTOR_WIDTH = "--xla_cpu_prefer_vector_width"
"""XLA takes half of an AVX-512 core's width unless told: 1.1 times the time at 512 units."""

_COLLECTED_AFTER = (20_000, 20, 50)
"""Objects, and younger collections, between two of Python's garbage: a Keras model alone is tens of
thousands of objects, and looking for garbage 700 by 700 takes 2 to 3 % of a search."""

_UNUSED_BY_KERAS = ("matplotlib", "pandas", "sklearn")
_UNUSED_BY_TUNER = (*_UNUSED_BY_KERAS, "scipy")
"""They are imported where they are, for pictures, wrappers and tuners that nothing here uses:
together two fifths of the time of importing all."""


def start_keras(programs: Path | None = None) -> None:
    """Import Keras and its backend without their start-up chatter, with deterministic kernels.

    In `programs` compiled programs outlast the process, unless TensorFlow is imported already.
    Takes seconds. Raises PlatformError when they cannot be imported.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if _VECTOR_WIDTH not in os.environ.get("XLA_FLAGS", ""):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {_VECTOR_WIDTH}=512".strip()
    fresh = "tensorflow" not in sys.modules
    with _uncollected():
        with _silence(), _absent(*_UNUSED_BY_KERAS):
            try:
                import keras
            except Exception as error:
                raise PlatformError(
                    f"Keras does not start here ({type(error).__name__}: {error}); "
                    "reinstall it, or run `make install` again"
                ) from error
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            if fresh and programs is not None:
                program_cache.open_for_tensorflow(programs)
            tf.config.experimental.enable_op_determinism()
            for gpu in tf.config.list_physical_devices("GPU"):
                tf.config.experimental.set_memory_growth(gpu, True)
        elif keras.backend.backend() == "jax" and programs is not None:
            _keep_jax_programs(programs)
        with _silence(), _absent(*_UNUSED_BY_TUNER):
            import keras_tuner  # noqa: F401
        gc.freeze()  # nor need they be looked at again and again
    gc.set_threshold(*_COLLECTED_AFTER)


def _keep_jax_programs(root: Path) -> None:
    import jax

    folder = program_cache.folder_for_jax(root)
    if folder is not None:
        config: Any = jax.config
        config.update("jax_compilation_cache_dir", str(folder))


@contextmanager
def traces_forgotten() -> Iterator[None]:
    """Let go of what TensorFlow keeps of the functions traced inside.

    Keras' optimizer reduces gradients through a function with a gradient of its own, which
    TensorFlow enters into a registry for good, the whole traced graph with it: 2.7 MiB a trial
    (`benchmarks/memory.py`). TensorFlow has no public way to take it out again.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        yield
        return
    from tensorflow.python.framework import ops

    entries: dict[str, object] = getattr(ops.gradient_registry, "_registry", {})
    before = set(entries)
    try:
        yield
    finally:
        for name in set(entries) - before:
            del entries[name]


@contextmanager
def variables_unmade() -> Iterator[None]:
    """Keras variables created inside have their first values, but cannot be assigned to.

    They are tensors then: TensorFlow's variables take two fifths of the time of building a
    small model.
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


@contextmanager
def native_messages_to(path: Path) -> Iterator[None]:
    """Send what TensorFlow's C++ parts write to file descriptor 2 to a file instead.

    Python's own `sys.stderr` goes on to the terminal, so progress is not torn by stray lines.
    """
    sys.stderr.flush()
    before = sys.stderr
    kept = os.dup(2)
    with path.open("ab") as file, words_to(kept, before) as terminal:
        os.dup2(file.fileno(), 2)
        sys.stderr = terminal
        try:
            yield
        finally:
            terminal.flush()
            sys.stderr = before
            os.dup2(kept, 2)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without looking for garbage: the libraries' half a million objects are none."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def _absent(*names: str) -> Iterator[None]:
    """As if these modules were not installed, where they have not been imported yet."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: not to be found
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextmanager
def _silence() -> Iterator[None]:
    """Send file descriptor 2 elsewhere: TensorFlow's C++ parts write to it directly.

    What was written is shown after all when the block raises.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        except BaseException:
            sink.seek(0)
            os.write(kept, sink.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
