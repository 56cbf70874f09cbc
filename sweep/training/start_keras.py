"""Starts Keras quietly and deterministically. Call `start_keras` before anything imports Keras.

Through `numerics_here` and `fused/program/kept.py` this module sets environment variables.
Elsewhere only the command line touches the environment; but TensorFlow reads these from there
alone, at its first operation, so they are set here, where TensorFlow is imported.
"""

import gc
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sweep.errors import PlatformError
from sweep.numerics import Numerics
from sweep.training import keras_private
from sweep.training.fused.program import kept as program_cache
from sweep.training.hidden_settings import refuse_hidden_settings
from sweep.training.native_messages import silenced
from sweep.training.numerics_here import fix_numerics, numerics_here

_COLLECTED_AFTER = (20_000, 20, 50)
"""Objects, and younger collections, between two of Python's garbage: a Keras model alone is tens of
thousands of objects, and looking for garbage 700 by 700 takes 2 to 3 % of a search."""

_UNUSED_BY_KERAS = ("IPython", "matplotlib", "pandas", "sklearn")
"""Libraries that are hidden while Keras is imported: it imports them, if they are installed, for
notebooks (where IPython is there already), for pictures of data, for tables and for wrappers.
Together with those hidden from Keras Tuner they take two fifths of the time of importing all. Keras
notes that they are absent. Its `fit` and `predict` are told of pandas again; its plots of images
and its wrappers for scikit-learn do without."""

_UNUSED_BY_TENSORFLOW = ("jax",)
"""Libraries that are hidden, too, where Keras computes with TensorFlow: that imports them, if they
are installed, to turn functions of JAX into files of TFLite, and does without."""

_UNUSED_BY_TUNER = (*_UNUSED_BY_KERAS, "scipy", "scipy.optimize")
"""Libraries that are hidden while Keras Tuner is imported: it has them for two tuners that nothing
here uses, BayesianOptimization and SklearnTuner, and for notebooks."""


_OF_A_LAMBDA = "The object being serialized includes a `lambda`"
"""Keras' warning each time that it looks at such a model; `sweep export` says how it is loaded."""

_MEMORY = ("Cannot allocate memory", "cannot allocate memory", "failed to map segment",
           "can't start new thread", "bad_alloc")  # fmt: skip
"""What is said of an import that fails for want of memory, beside MemoryError."""


def start_keras(programs: Path | None = None, stored: Numerics | None = None) -> Numerics:
    """Import Keras and its backend without their start-up messages, with deterministic kernels.

    Threads and flags are set as they are stored. Returns under what this process computes. In the
    folder `programs` compiled programs outlast the process, unless TensorFlow is imported already.
    Takes seconds. Raises PlatformError if Keras cannot be imported, or a setting that it would find
    by itself does not fit.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    backend = refuse_hidden_settings(os.environ)
    fix_numerics(stored, os.environ)
    unused = _UNUSED_BY_TENSORFLOW if backend == "tensorflow" else ()
    fresh = "tensorflow" not in sys.modules
    with _no_garbage_collection(), _explained():
        with silenced(), _absent(*_UNUSED_BY_KERAS, *unused):
            import keras  # noqa: F401
        keras_private.let_keras_take_pandas()
        _set_up_backend(programs if fresh else None, programs)
        with silenced(), _absent(*_UNUSED_BY_TUNER):
            import keras_tuner  # noqa: F401
        gc.freeze()  # the collector leaves alone, for good, what the libraries have made
    gc.set_threshold(*_COLLECTED_AFTER)
    warnings.filterwarnings("ignore", _OF_A_LAMBDA, UserWarning)
    return _found(stored)


def _found(stored: Numerics | None) -> Numerics:
    if stored is not None:
        return numerics_here(os.environ, stored.program_bytes)
    from sweep.training.fused.device import program_bytes

    return numerics_here(os.environ, program_bytes())


@contextmanager
def _explained() -> Iterator[None]:
    """Raises PlatformError for what goes wrong while libraries are imported, in one line."""
    try:
        yield
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(":")
        if isinstance(error, MemoryError) or any(sign in text for sign in _MEMORY):
            raise PlatformError(
                f"there is too little memory to start Keras ({text}); it takes about 1 GB: "
                "end other programs, or raise the limit of this shell (ulimit) or container"
            ) from error
        raise PlatformError(
            f"Keras does not start here ({text}); install sweep again, as its README says"
        ) from error


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
