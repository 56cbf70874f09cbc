"""An ensemble gives the mean of its members' probabilities, whatever these end in."""

import numpy as np
import pytest
from scipy.special import expit

from sweep.training.ensemble import ensemble
from sweep.training.model import predict_logits

LOSSES = {
    ("linear", 1): lambda keras: keras.losses.BinaryCrossentropy(from_logits=True),
    ("sigmoid", 1): lambda keras: keras.losses.BinaryCrossentropy(),
    ("linear", 2): lambda keras: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    ("softmax", 2): lambda keras: keras.losses.SparseCategoricalCrossentropy(),
}


def member(keras, ending, units, *, functional):
    """A small model with a name that every member has."""
    layers = [keras.layers.Dense(5, "elu", name="hidden"), keras.layers.Dropout(0.5)]
    layers += [keras.layers.BatchNormalization(), keras.layers.Dense(units, ending)]
    if functional:
        rows = outputs = keras.Input((28,))
        for layer in layers:
            outputs = layer(outputs)
        model = keras.Model(rows, outputs, name="net")
    else:
        model = keras.Sequential([keras.Input((28,)), *layers], name="net")
    model.compile("adam", LOSSES[ending, units](keras))
    return model


@pytest.mark.parametrize("functional", [False, True])
@pytest.mark.parametrize(("ending", "units"), LOSSES)
def test_the_mean_of_the_probabilities_also_after_saving(
    keras, tmp_path, ending, units, functional
):
    members = [member(keras, ending, units, functional=functional) for _ in range(3)]
    x = np.random.default_rng(0).normal(size=(50, 28)).astype(np.float32)
    expected = np.mean([expit(predict_logits(one, x)) for one in members], axis=0)
    before = [one.get_weights() for one in members]
    model = ensemble(members)
    assert expit(predict_logits(model, x)) == pytest.approx(expected, abs=1e-6)
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert np.asarray(loaded(x))[:, -1] == pytest.approx(expected, abs=1e-6)
    assert model.count_params() == sum(one.count_params() for one in members)
    for one, weights in zip(members, before, strict=True):
        assert all(map(np.array_equal, one.get_weights(), weights))
