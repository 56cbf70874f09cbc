"""Losses by rows: the same numbers as Keras' own losses, for random outputs and targets."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.metrics import logits_from_probabilities
from sweep.space.keras_loss import callable_of, read_loss
from sweep.tasks.losses import (
    Loss,
    LossName,
    log_probabilities,
    log_softmax,
    row_losses,
)

AMOUNTS = {
    "mse": LossName.SQUARED_ERROR,
    "MSE": LossName.SQUARED_ERROR,
    "mae": LossName.ABSOLUTE_ERROR,
    "mean_absolute_error": LossName.ABSOLUTE_ERROR,
    "huber": LossName.HUBER,
    "log_cosh": LossName.LOG_COSH,
    "poisson": LossName.POISSON,
    "msle": LossName.SQUARED_LOG_ERROR,
    "mape": LossName.PERCENTAGE_ERROR,
}


@pytest.fixture(autouse=True)
def _keras(keras: Any) -> None:
    return


def by_keras(loss: Any, targets: Any, outputs: Any) -> np.ndarray:
    import keras

    found = callable_of(loss)(np.asarray(targets, np.float64), np.asarray(outputs, np.float64))
    values = np.asarray(keras.ops.convert_to_numpy(found), np.float64)
    return values.reshape(len(values), -1).mean(axis=1)


seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=20, deadline=None)


@pytest.mark.parametrize("name", AMOUNTS)
@pytest.mark.parametrize("targets", [1, 3])
@few
@given(seed=seeds, scale=st.sampled_from([0.01, 1.0, 300.0]))
def test_losses_of_amounts_are_keras_own(name, targets, seed, scale):
    random = np.random.default_rng(seed)
    z, y = random.normal(size=(2, 30, targets)) * scale
    if name in ("poisson", "msle"):
        z, y = np.abs(z) + 1e-3, np.abs(y)
    expected = by_keras(name, y, z)
    known = read_loss(name).loss
    assert known.name is AMOUNTS[name]
    ours = row_losses(known, z[:, 0] if targets == 1 else z, y[:, 0] if targets == 1 else y)
    np.testing.assert_allclose(ours, expected, rtol=1e-6, atol=1e-6 * scale)


@few
@given(seed=seeds, delta=st.floats(0.01, 50))
def test_a_hubers_delta_is_read_from_the_object(seed, delta):
    import keras

    z, y = np.random.default_rng(seed).normal(size=(2, 30, 1)) * 20
    loss = keras.losses.Huber(delta)
    known = read_loss(loss).loss
    assert known.delta == pytest.approx(delta, rel=1e-9)
    np.testing.assert_allclose(row_losses(known, z[:, 0], y[:, 0]), by_keras(loss, y, z), 1e-6)


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("logits", [True, False])
@few
@given(seed=seeds, classes=st.integers(2, 9))
def test_the_cross_entropy_of_classes_is_keras_own(sparse, logits, seed, classes):
    import keras

    random = np.random.default_rng(seed)
    z, y = random.normal(size=(30, classes)) * 4, random.integers(0, classes, 30)
    outputs = z if logits else np.exp(log_softmax(z))
    kind = "SparseCategoricalCrossentropy" if sparse else "CategoricalCrossentropy"
    loss = getattr(keras.losses, kind)(from_logits=logits)
    expected = by_keras(loss, y if sparse else np.eye(classes)[y], outputs)
    predicted = log_softmax(outputs) if logits else log_probabilities(outputs)
    ours = row_losses(Loss(LossName.CROSSENTROPY), predicted, y)
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("logits", [True, False])
@pytest.mark.parametrize("labels", [1, 4])
@few
@given(seed=seeds)
def test_the_cross_entropy_of_answers_is_keras_own(logits, labels, seed):
    """Also of amounts between 0 and 1, as an autoencoder has them."""
    import keras

    random = np.random.default_rng(seed)
    z, y = random.normal(size=(30, labels)) * 4, random.random((30, labels))
    y = y if seed % 2 else y.round()
    outputs = z if logits else 1 / (1 + np.exp(-z))
    expected = by_keras(keras.losses.BinaryCrossentropy(from_logits=logits), y, outputs)
    predicted = outputs if logits else logits_from_probabilities(outputs)
    if labels == 1:
        predicted, y = predicted[:, 0], y[:, 0]
    np.testing.assert_allclose(row_losses(Loss(), predicted, y), expected, rtol=1e-5, atol=1e-5)


def test_a_loss_of_the_users_own_is_left_to_keras():
    with pytest.raises(ValueError, match="are Keras' to compute"):
        row_losses(Loss(LossName.OWN, called="mine"), np.zeros(2), np.zeros(2))
