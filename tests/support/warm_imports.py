"""What takes seconds to import. Nothing here starts TensorFlow's threads, so forking is safe."""

import gc

import keras  # noqa: F401
import keras_tuner  # noqa: F401
import matplotlib.backends.backend_agg
import matplotlib.backends.backend_svg  # noqa: F401
import sklearn.ensemble
import sklearn.linear_model  # noqa: F401
import tensorflow  # noqa: F401
from typer.testing import CliRunner

import sweep.analysis.answers.two_trials
import sweep.analysis.charts.catalogue
import sweep.analysis.page.write
import sweep.analysis.report.terminal
import sweep.cli.app
import sweep.doctor.integrity
import sweep.runner.estimate
import sweep.runner.extend
import sweep.runner.run
import sweep.runner.test_rows
import sweep.training.export
from tests.support.hasty import hasty_discovery
from tests.support.programs import open_programs

open_programs()
hasty_discovery()

_thresholds = gc.get_threshold()
CliRunner().invoke(sweep.cli.app.app, ["ls", "--results", "none"])  # what any command imports
gc.set_threshold(*_thresholds)

gc.collect()
gc.freeze()  # a child that walks over all these objects would copy their pages first
