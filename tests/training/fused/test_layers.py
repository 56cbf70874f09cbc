"""The layers in the registry, one by one: slopes, noise, and what padding is kept from."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from sweep.training.fused.layers import random_bits, registry
from sweep.training.fused.layers.activation import Activation
from sweep.training.fused.layers.alpha_dropout import AlphaDropout
from sweep.training.fused.layers.batch_normalization import BatchNormalization
from sweep.training.fused.layers.dropout import Dropout
from sweep.training.fused.layers.gaussian_dropout import GaussianDropout
from sweep.training.fused.layers.gaussian_noise import GaussianNoise
from sweep.training.fused.layers.layer_normalization import LayerNormalization
from sweep.training.fused.layers.part import At

ROWS, UNITS, PADDED = 24, 11, 16

PARTS = [
    Activation("sigmoid"),
    AlphaDropout(0.3),
    BatchNormalization(0.9, 1e-3),
    Dropout(0.3),
    GaussianDropout(0.3),
    GaussianNoise(0.5),
    LayerNormalization(UNITS, 1e-3),
]


def at(part, random, rows=ROWS, padded=PADDED):
    """A place for one trial of `UNITS` units in a program of more."""
    real = (np.arange(padded) < UNITS).astype(np.float32)
    form = part.form
    return At(
        weights={
            kind: (1 + random.normal(size=(1, padded)) * 0.3).astype(np.float32) ** 2 * real
            for kind in (*form.weights, *form.averages)
        },
        numbers=np.array([part.numbers], np.float32),
        share=np.full(rows, 1 / rows, np.float32),
        keys=random_bits.step_keys(np.array([7]), np.array([3]), 1)[0],
        thresholds=np.array([random_bits.threshold(part.rate)]),
        scales=np.array([random_bits.scale(part.rate)]),
        real=lambda: real[None, None, :],
        masked=True,
    )


def test_every_part_is_tried_here():
    assert {type(part) for part in PARTS} == set(registry.PARTS)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: type(part).__name__)
def test_the_way_back_is_that_of_the_tape(part):
    random = np.random.default_rng(1)
    place, form = at(part, random), part.form
    real = np.arange(PADDED) < UNITS
    h = tf.constant((random.normal(size=(1, ROWS, PADDED)) * real).astype(np.float32))
    dh = tf.constant((random.normal(size=(1, ROWS, PADDED)) * real).astype(np.float32))
    weights = {kind: tf.constant(place.weights[kind]) for kind in form.weights}
    place.weights.update(weights)
    with tf.GradientTape() as tape:
        tape.watch([h, *weights.values()])
        after, left = form.forward(place, h)
        loss = tf.reduce_sum(after * dh)
    before, own = form.backward(place, left, dh)
    expected = tape.gradient(loss, [h, *weights.values()])
    found = [before, *(own[kind] for kind in weights)]
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine * real, theirs * real, rtol=1e-4, atol=2e-6)
    assert not np.asarray(after)[..., UNITS:].any()
    assert np.asarray(form.evaluated(place, h)).shape == h.shape


def test_normal_numbers_are_normal():
    """By the largest distance of distribution functions, at a false-alarm rate of 1e-6."""
    keys = random_bits.step_keys(np.array([5, 6]), np.array([0, 4]), 1)[0]
    found = np.asarray(random_bits.normal(random_bits.bits(400, 250, keys)))
    for one in found:
        assert stats.kstest(one.ravel(), "norm").pvalue > 1e-6
    assert np.abs(found).max() < 5.4
    assert abs(np.corrcoef(found[0].ravel(), found[1].ravel())[0, 1]) * found[0].size ** 0.5 < 4.9
    edge = np.array([0, 2**32 - 1], np.uint32)
    assert np.isfinite(np.asarray(random_bits.normal(edge))).all()


def keras_noise(layer):
    """Mean and standard deviation of what Keras' layer makes of a constant 0.7."""
    found = np.asarray(layer(np.full((400, 250), 0.7, np.float32), training=True))
    return found.mean(), found.std()


@pytest.mark.parametrize("name", ["AlphaDropout", "GaussianDropout", "GaussianNoise"])
def test_noise_has_the_mean_and_the_spread_of_keras(name):
    import keras

    layer = getattr(keras.layers, name)(0.3, seed=1)
    part = registry.part_of(layer).read(layer, 250)
    place = at(part, np.random.default_rng(0), 400, 250)
    place = At(numbers=place.numbers, keys=place.keys, thresholds=place.thresholds, weights={})
    found, _ = part.form.forward(place, tf.fill((1, 400, 250), np.float32(0.7)))
    mine = np.asarray(found)
    np.testing.assert_allclose((mine.mean(), mine.std()), keras_noise(layer), atol=0.01)
    still, _ = part.form.forward(
        At({}, np.array([part.form.absent], np.float32), keys=place.keys, thresholds=np.zeros(1)),
        tf.ones((1, 4, 4)),
    )
    assert (np.asarray(still) == 1).all()
