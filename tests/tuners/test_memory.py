"""Models of trials do not stay in memory: a search of any length keeps as few."""

import gc
from typing import Any

import sweep
from tests.tuners.scripts import X, Y, build


def models_alive(keras: Any) -> int:
    gc.collect()
    return sum(isinstance(one, keras.Model) for one in gc.get_objects())


def test_models_that_keras_trains_do_not_stay(keras, tmp_path):
    tuner = None

    def searched(trials: int) -> int:
        nonlocal tuner
        tuner = sweep.RandomSearch(
            build, "val_loss", trials, seed=1, directory=str(tmp_path), project_name="p"
        )
        again = [keras.callbacks.LambdaCallback()]
        tuner.search(X, Y, epochs=1, validation_split=0.25, verbose=0, callbacks=lambda: again)
        return models_alive(keras)

    few = searched(2)
    assert searched(6) <= few + 1
