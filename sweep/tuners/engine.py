"""`kt.engine`: Keras Tuner's own, but for the tuners in it."""

from types import SimpleNamespace

from keras_tuner import Objective
from keras_tuner.engine import hypermodel as hypermodel
from keras_tuner.engine import hyperparameters as hyperparameters
from keras_tuner.engine import metrics_tracking as metrics_tracking
from keras_tuner.engine import trial as trial

from sweep.tuners import tuner as tuner

base_tuner = SimpleNamespace(BaseTuner=tuner.Tuner)
objective = SimpleNamespace(Objective=Objective)
oracle = SimpleNamespace(Objective=Objective)
