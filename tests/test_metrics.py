"""The metrics against their definitions, against Keras, and at the edges."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sweep import metrics

LOGITS = hnp.arrays(np.float64, st.integers(2, 40), elements=st.integers(-40, 40).map(float))


@st.composite
def scored(draw):
    logits = draw(LOGITS)
    labels = draw(hnp.arrays(np.float64, len(logits), elements=st.sampled_from([0.0, 1.0])))
    return logits, labels


@given(scored())
def test_auc_is_the_share_of_pairs_in_the_right_order(pair):
    logits, labels = pair
    positive, negative = logits[labels > 0.5], logits[labels < 0.5]
    if len(positive) == 0 or len(negative) == 0:
        assert math.isnan(metrics.auc(logits, labels))
        return
    difference = positive[:, None] - negative[None, :]
    wins = (difference > 0).sum() + 0.5 * (difference == 0).sum()
    assert metrics.auc(logits, labels) == pytest.approx(wins / difference.size)


@given(scored())
def test_example_losses_are_minus_the_log_likelihood(pair):
    logits, labels = pair
    probability = 1 / (1 + np.exp(-logits))
    likelihood = np.where(labels > 0.5, probability, 1 / (1 + np.exp(logits)))
    np.testing.assert_allclose(
        metrics.example_losses(logits, labels), -np.log(likelihood), 1e-6, 1e-12
    )


def test_extreme_logits_do_not_overflow():
    losses = metrics.example_losses(np.array([1e4, -1e4]), np.array([0.0, 1.0]))
    np.testing.assert_array_equal(losses, [1e4, 1e4])


@given(LOGITS)
def test_logits_come_back_from_probabilities(logits):
    logits = np.clip(logits, -15, 15)
    probabilities = 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(metrics.logits_from_probabilities(probabilities), logits, atol=1e-6)


def test_losses_and_accuracy_agree_with_keras(keras):
    random = np.random.default_rng(0)
    logits = random.normal(size=(50, 1)).astype(np.float32)
    labels = (random.random((50, 1)) < 0.5).astype(np.float32)
    expected = keras.losses.BinaryCrossentropy(from_logits=True)(labels, logits)
    assert metrics.example_losses(logits[:, 0], labels[:, 0]).mean() == pytest.approx(
        float(expected), rel=1e-6
    )
    expected = keras.metrics.BinaryAccuracy(threshold=0.0)(labels, logits)
    assert metrics.accuracy(logits[:, 0], labels[:, 0]) == pytest.approx(float(expected))
