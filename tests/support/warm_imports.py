"""What takes seconds to import. Nothing here starts TensorFlow's threads, so forking is safe."""

import gc

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
from tests.support.programs import open_programs

open_programs()

gc.collect()
gc.freeze()  # a child that walks over all these objects would copy their pages first
