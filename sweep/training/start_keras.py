"""Starts Keras quietly and deterministically. Call `start_keras` before anything imports Keras.

This module sets `XLA_FLAGS`, and through `fused/program/kept.py` `TF_XLA_FLAGS`. Elsewhere only the
command line touches the environment; but TensorFlow reads these two from there alone, at its first
operation, so they are set here, where TensorFlow is imported.
"""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sweep.errors import PlatformError
from sweep.training import keras_private
from sweep.training.fused.program import kept as program_cache
from sweep.training.native_messages import silenced

_VECTOR_WIDTH = "--xla_cpu_prefer_vector_width"
"""XLA takes half of an AVX-512 core's width unless told: 1.1 times the time at 512 units."""

_COLLECTED_AFTER = (20_000, 20, 50)
"""Objects, and younger collections, between two of Python's garbage: a Keras model alone is tens of
thousands of objects, and looking for garbage 700 by 700 takes 2 to 3 % of a search."""

_UNUSED_BY_KERAS = ("matplotlib", "pandas", "sklearn")
"""Libraries that are hidden while Keras is imported: it imports them, if they are installed, for
pictures of data, for tables and for wrappers. Together with those hidden from Keras Tuner they take
two fifths of the time of importing all. Keras notes that they are absent. Its `fit` and `predict`
are told of pandas again; its plots of images and its wrappers for scikit-learn do without."""

_UNUSED_BY_TUNER = (*_UNUSED_BY_KERAS, "scipy")
"""Libraries that are hidden while Keras Tuner is imported: it has them for two tuners that nothing
here uses, BayesianOptimization and SklearnTuner."""


def start_keras(programs: Path | None = None) -> None:
    """Import Keras and its backend without their start-up messages, with deterministic kernels.

    In the folder `programs` compiled programs outlast the process, unless TensorFlow is imported
    already. Takes seconds. Raises PlatformError when Keras cannot be imported.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if _VECTOR_WIDTH not in os.environ.get("XLA_FLAGS", ""):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {_VECTOR_WIDTH}=512".strip()
    fresh = "tensorflow" not in sys.modules
    with _no_garbage_collection():
        _import_keras()
        _set_up_backend(programs if fresh else None, programs)
        with silenced(), _absent(*_UNUSED_BY_TUNER):
            import keras_tuner  # noqa: F401
        gc.freeze()  # the collector leaves alone, for good, what the libraries have made
    gc.set_threshold(*_COLLECTED_AFTER)


def _import_keras() -> None:
    with silenced(), _absent(*_UNUSED_BY_KERAS):
        try:
            import keras  # noqa: F401
        except Exception as error:
            raise PlatformError(
                f"Keras does not start here ({type(error).__name__}: {error}); "
                "reinstall it, or run `make install` again"
            ) from error
    keras_private.let_keras_take_pandas()


def _set_up_backend(tensorflow_programs: Path | None, jax_programs: Path | None) -> None:
    """Make TensorFlow deterministic and modest on a GPU; keep compiled programs in the folder."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        if tensorflow_programs is not None:
            program_cache.open_for_tensorflow(tensorflow_programs)
        tf.config.experimental.enable_op_determinism()
        for gpu in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)
    elif keras.backend.backend() == "jax" and jax_programs is not None:
        _keep_jax_programs(jax_programs)


def _keep_jax_programs(root: Path) -> None:
    import jax

    folder = program_cache.folder_for_jax(root)
    if folder is not None:
        config: Any = jax.config
        config.update("jax_compilation_cache_dir", str(folder))


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Keep Python's garbage collector off while libraries make half a million lasting objects."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def _absent(*names: str) -> Iterator[None]:
    """Hide these modules as if they were not installed, unless they have been imported already."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: not to be found
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
