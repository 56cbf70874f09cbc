"""What takes seconds to import. Nothing here starts TensorFlow's threads, so forking is safe."""

import gc

import keras  # noqa: F401
import keras_tuner  # noqa: F401
import tensorflow  # noqa: F401

import sweep.cli.app
import sweep.runner.sweep  # noqa: F401

gc.collect()
gc.freeze()  # a child that walks over all these objects would copy their pages first
