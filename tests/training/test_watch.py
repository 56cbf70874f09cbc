"""A script's own rule of early stopping ends a trial where Keras' callback does."""

import itertools
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest

from sweep.settings import StopRule
from sweep.training.early_stopping import EarlyStopping, Watch

CASES = [
    dict(zip(("patience", "min_delta", "start_from_epoch", "baseline", "mode"), one, strict=True))
    for one in itertools.product((0, 2), (0, 0.1), (0, 3), (None, 0.4), ("min", "max"))
]


@pytest.mark.parametrize("case", CASES)
def test_it_stops_where_keras_stops(keras, case):
    values = np.random.default_rng(5).random((20, 12)).round(2)
    for row in values:
        assert ours(row, case) == of_keras(keras, row, case)


def ours(values, case):
    higher = case["mode"] == "max"
    given = {key: value for key, value in case.items() if key != "mode"}
    watch = Watch(StopRule("val_x", is_higher_better=higher, **given))
    for epoch, value in enumerate(values, 1):
        watch = watch.after(epoch, float(value))
        if watch.stopped:
            return epoch
    return None


def of_keras(keras, values, case):
    callback = keras.callbacks.EarlyStopping("val_x", **case)
    callback.set_model(SimpleNamespace(stop_training=False))
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"val_x": float(value)})
        if callback.model.stop_training:
            return epoch + 1
    return None


def test_its_state_is_kept():
    state = EarlyStopping.of(StopRule("val_loss", 3))
    assert EarlyStopping.from_json(asdict(state)) == state
    assert EarlyStopping.from_json(asdict(EarlyStopping(4))) == EarlyStopping(4)
