"""Compiled programs in the tests' processes: shared by all runs, as a user's sweeps share them."""

import functools
import os
from pathlib import Path

PROGRAMS = Path(__file__).parents[2] / ".pytest_cache" / "programs"


def open_programs(folder: Path = PROGRAMS) -> None:
    """Have this process, in which TensorFlow has not computed yet, find and keep programs there.

    Others that were opened are not used any more.
    """
    from sweep.training.fused.program import kept
    from sweep.training.numerics_here import fix_numerics
    from sweep.training.tensorflow_private import TF_XLA_FLAGS

    # as `start_keras` sets them before it opens a folder: the folder's name depends on them
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    fix_numerics(None, os.environ)
    os.environ.pop(TF_XLA_FLAGS, None)
    kept._opened = kept._Opened()
    kept.open_for_tensorflow(folder)


@functools.cache
def start_keras_with_programs() -> None:
    """Start Keras in a process of the tests itself."""
    from sweep.training.start_keras import start_keras
    from sweep.training.tensorflow_private import TF_XLA_FLAGS

    open_programs()
    start_keras()
    import tensorflow as tf

    tf.function(lambda: tf.constant(0.0) + 1.0, jit_compile=True)()  # XLA reads its flags here
    os.environ.pop(TF_XLA_FLAGS, None)  # processes that a test starts find programs by themselves
