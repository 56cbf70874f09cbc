"""What a model is regularised by is read from it, whatever its hyperparameters are called."""

import json

import keras
import pytest
from keras import layers, regularizers

from sweep.training.regularisation import regularisation


class Gate(layers.Layer):
    """A layer of the user's own, which may do anything."""

    def call(self, x):
        return x


def built(*inside, optimizer="adam", loss="binary_crossentropy"):
    model = keras.Sequential([keras.Input((4,)), *inside, layers.Dense(1)])
    model.compile(optimizer, loss)
    return model


l2 = {"kernel_regularizer": regularizers.L2(0.01)}
CASES = {
    "nothing": (lambda: built(layers.Dense(3)), {}),
    "strengths of 0": (
        lambda: built(layers.Dense(3, kernel_regularizer=regularizers.L2(0.0)), layers.Dropout(0)),
        {},
    ),
    "penalties": (
        lambda: built(
            layers.Dense(3, **l2),
            layers.Dense(3, bias_regularizer=regularizers.L1L2(0.5, 0.25)),
        ),
        {
            "l1": {"Dense 2 bias": 0.5},
            "l2": {"Dense 1 kernel": 0.01, "Dense 2 bias": 0.25},
        },
    ),
    "rates": (
        lambda: built(layers.Dropout(0.5), layers.GaussianDropout(0.25), layers.GaussianNoise(0.1)),
        {
            "dropout": {"Dropout 1": 0.5, "GaussianDropout 1": 0.25},
            "noise": {"GaussianNoise 1": 0.1},
        },
    ),
    "inside another model": (
        lambda: built(keras.Sequential([layers.Dense(2, **l2)])),
        {"l2": {"Dense 1 kernel": 0.01}},
    ),
    "optimizer and loss": (
        lambda: built(
            optimizer=keras.optimizers.AdamW(weight_decay=0.02),
            loss=keras.losses.BinaryCrossentropy(label_smoothing=0.1),
        ),
        {"weight decay": {"AdamW": 0.02}, "label smoothing": {"BinaryCrossentropy": 0.1}},
    ),
    "normalization": (
        lambda: built(layers.BatchNormalization()),
        {"batch normalization": {"BatchNormalization 1": 0.99}},
    ),
    "a constraint": (
        lambda: built(layers.Dense(3, kernel_constraint=keras.constraints.MaxNorm(3))),
        {"max norm": {"Dense 1 kernel": 3.0}},
    ),
    "a layer of one's own": (lambda: built(Gate()), {"unseen": {"Gate 1": 1.0}}),
}


@pytest.mark.parametrize("name", CASES)
def test_what_the_built_model_has_is_told_with_its_place_and_strength(name):
    build, expected = CASES[name]
    found = json.loads(regularisation(build()))
    assert {kind: pytest.approx(places) for kind, places in found.items()} == expected
