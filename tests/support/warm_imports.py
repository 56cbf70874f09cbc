"""What takes seconds to import. Nothing here starts TensorFlow's threads, so forking is safe."""

import gc
from pathlib import Path

import keras  # noqa: F401
import keras_tuner  # noqa: F401
import sklearn.ensemble
import sklearn.linear_model  # noqa: F401
import tensorflow  # noqa: F401

import sweep.analysis.charts.catalogue
import sweep.analysis.page.write
import sweep.analysis.report.terminal
import sweep.cli.app
import sweep.doctor.integrity
import sweep.runner.prepare  # noqa: F401
from sweep.training.fused.program import kept

# all processes of all runs share what they compile, as a user's do
kept.open_for_tensorflow(Path(__file__).parents[2] / ".pytest_cache" / "programs")

gc.collect()
gc.freeze()  # a child that walks over all these objects would copy their pages first
