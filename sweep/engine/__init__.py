"""`kt.engine`: Keras Tuner's own, but for the tuners in it.

Its modules can be imported, too: `from sweep.engine.hyperparameters import HyperParameters`.
"""

import sys
from types import ModuleType

import keras_tuner
from keras_tuner.engine import hypermodel as hypermodel
from keras_tuner.engine import hyperparameters as hyperparameters
from keras_tuner.engine import metrics_tracking as metrics_tracking
from keras_tuner.engine import trial as trial

from sweep.tuners import tuner as tuner

base_tuner = ModuleType("base_tuner")
base_tuner.BaseTuner = tuner.Tuner  # type: ignore[attr-defined]
oracle = objective = ModuleType("oracle")
oracle.Objective = keras_tuner.Objective  # type: ignore[attr-defined]

for _name in (
    *("base_tuner", "hypermodel", "hyperparameters", "metrics_tracking", "objective"),
    *("oracle", "trial", "tuner"),
):
    sys.modules[f"{__name__}.{_name}"] = globals()[_name]
