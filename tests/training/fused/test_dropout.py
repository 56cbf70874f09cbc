"""Dropout's random bits pass stated tests, and padding changes nothing.

Each test's statistic is compared with the quantile of its distribution at a false-alarm rate
of 1e-6; the bits are fixed by their seeds, so a test passes always or never.
"""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from search_spaces import capacity
from sweep.training.fused.group import Resident, SlotGroup, TrialSeat
from sweep.training.fused.layers import random_bits
from sweep.training.fused.packing import Packing
from sweep.training.fused.program import shape as shapes
from sweep.training.fused.program import shape_policy
from sweep.training.fused.program.epoch import compiled
from sweep.training.fused.reading.kept import Readings
from sweep.training.fused.trainer import FusedTrainer
from sweep.training.model import epoch_order
from tests.support.fused import (
    BATCH,
    MemoryJournal,
    assignment,
    measures,
    normalised,
    small_split,
    train_all,
)

Z = 4.9
"""Two-sided normal quantile of 1e-6."""

BATCH_ROWS, UNITS, STEPS, LAYERS = 256, 64, 12, 3


@pytest.fixture(scope="module")
def words():
    """Random words of several trials' layers and steps: (trials · layers, steps, rows, units)."""
    seeds = np.array([1, 2, 3, 403271457, 403271457, 2**31 - 1], dtype=np.int64)
    keys = random_bits.step_keys(seeds, np.array([0, 0, 5, 100, 0, 7]), STEPS)
    by_step = [np.asarray(random_bits.bits(BATCH_ROWS, UNITS, keys[step])) for step in range(STEPS)]
    return np.stack(by_step, axis=1)


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.9])
def test_the_share_of_dropped_units_is_the_rate(words, rate):
    dropped = words < random_bits.threshold(rate)
    for axes in ((0, 1, 2, 3), (1, 2, 3), (0, 2, 3), (0, 1, 3), (0, 1, 2)):
        share = dropped.mean(axis=axes)
        count = dropped.size / np.size(share)
        z = (share - rate) / np.sqrt(rate * (1 - rate) / count)
        bound = Z if np.size(share) < 100 else Z + 0.5
        assert np.abs(z).max() < bound


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_masks_of_layers_steps_rows_and_units_are_independent(words, rate):
    """Correlation of each mask with its neighbour along every axis, and at odd offsets."""
    dropped = (words < random_bits.threshold(rate)).astype(np.float64) - rate
    scale = rate * (1 - rate)
    for axis in range(4):
        for offset in (1, 2, 5):
            near = np.take(dropped, range(dropped.shape[axis] - offset), axis=axis)
            far = np.take(dropped, range(offset, dropped.shape[axis]), axis=axis)
            z = (near * far).sum() / (scale * np.sqrt(near.size))
            assert abs(z) < Z, f"axis {axis}, offset {offset}"


def test_every_bit_is_fair_and_pairs_of_bits_are_independent(words):
    flat = words.ravel()
    bits = ((flat[:, None] >> np.arange(32, dtype=np.uint32)) & 1).astype(np.float32) - 0.5
    covariance = bits.T @ bits / len(flat) * 4
    np.fill_diagonal(covariance, bits.mean(axis=0) * 2)
    assert np.abs(covariance).max() * np.sqrt(len(flat)) < Z + 0.7  # 528 statistics


def test_bytes_are_uniform_by_chi_square(words):
    for shift in (0, 8, 16, 24):
        counts = np.bincount(((words.ravel() >> shift) & 255).astype(int), minlength=256)
        expected = words.size / 256
        chi_square = ((counts - expected) ** 2 / expected).sum()
        assert abs(chi_square - 255) / np.sqrt(2 * 255) < Z + 0.5


def test_the_mean_stays_and_a_rate_of_nought_changes_nothing():
    keys = random_bits.step_keys(np.array([5, 6]), np.array([0, 0]), 1)[0]
    rates = [0.0, 0.4]
    thresholds = np.array([random_bits.threshold(rate) for rate in rates])
    scales = np.array([random_bits.scale(rate) for rate in rates])
    mask = np.asarray(random_bits.mask(BATCH_ROWS, UNITS, keys, thresholds, scales))
    assert (mask[0] == 1).all()
    assert abs(mask[1].mean() - 1) < Z * np.sqrt(0.4 / 0.6 / mask[1].size)


def test_the_bits_do_not_depend_on_the_padding():
    keys = random_bits.step_keys(np.array([5, 6]), np.array([0, 3]), 1)[0]
    narrow, wide = (np.asarray(random_bits.bits(8, units, keys)) for units in (16, 64))
    np.testing.assert_array_equal(narrow, wide[:, :, :16])


def numbers(trained):
    """All that a trial measured in an epoch, but for the seconds."""
    return measures(trained.record), trained.val_losses


def trained_arrays(values, widths, depth):
    """Slot 0's state after two epochs in a program of the given widths."""
    split = small_split()
    rows = shapes.RowCounts(200, 60, BATCH)
    readings = Readings(capacity.build)
    task = assignment(0, **values)
    description = readings.description(task)
    own = shape_policy.shape_of(description, rows, 1 << 30, False)
    shape = dataclasses.replace(
        own,
        widths=widths,
        activations=("elu",) * len(widths),
        biased=(True,) * (len(widths) + 1),
        slots=2,
        depth=depth,
    )
    packing = Packing(description, shape)
    arrays, clock = packing.pack(readings.initial_state(task, None))
    group = SlotGroup(shape, compiled(shape), Resident(split, rows))
    slot = group.seat(TrialSeat(packing, clock, task.seed, 0), arrays)
    measured = [numbers(group.train_epoch()[slot]) for _ in range(2)]
    return packing, group.arrays(slot), measured


@pytest.mark.parametrize("depth", ["padded", "looped"])
def test_padding_stays_zero_and_results_equal_the_unpadded_ones(depth):
    """Bound 1e-6: only the order of summation in matrix products differs."""
    values = {"width": 24, "depth": 2, "l2": 1e-3, "dropout": 0.4, "decay_steps": 500}
    plain, bare, exact = trained_arrays(values, (24, 24), "exact")
    padded, wide, measured = trained_arrays(values, (32, 32, 32, 32), depth)
    trainable = [role for role in plain.description.model_roles if role[0] in ("kernel", "bias")]
    for name in ("values", "firsts", "seconds"):
        arrays = getattr(wide, name)
        real = [np.zeros(array.shape, bool) for array in arrays]
        for role in trainable:
            inside, where = padded._found(role, real)
            inside[where] = True
        assert sum(map(np.sum, real)) == plain.description.params
        for position, array in enumerate(arrays):
            assert not array[~real[position]].any(), f"{name} of array {position}"
    for role in padded.description.model_roles:
        if role[0] != "generator":
            mine, theirs = padded._cut(wide.values, role), plain._cut(bare.values, role)
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-6)
    for one, other in zip(measured, exact, strict=True):
        for mine, theirs in zip(one, other, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-6)


def test_padding_of_normalised_layers_stays_zero_and_changes_nothing():
    """Weights, slots and moving averages with and without padding.

    Bound 5e-5: sums are taken in another order, by each processor in its own, and Adam scales up
    what rounding leaves of a gradient near 0.
    """
    split, rows, task = small_split(), shapes.RowCounts(200, 60, BATCH), assignment(0, dropout=0.3)
    readings = Readings(normalised)
    description = readings.description(task)
    own = shape_policy.shape_of(description, rows, 1 << 30, False)
    assert own.widths == (32, 32)
    state = readings.initial_state(task, None)
    results = []
    for widths in ((24, 20), (48, 64)):
        shape = dataclasses.replace(own, widths=widths)
        packing = Packing(description, shape)
        arrays, clock = packing.pack(state)
        group = SlotGroup(shape, compiled(shape), Resident(split, rows))
        slot = group.seat(TrialSeat(packing, clock, task.seed, 0), arrays)
        measured = [numbers(group.train_epoch()[slot]) for _ in range(2)]
        results.append((real_parts(packing, group.arrays(slot)), measured))
    (bare, exact), *padded = results
    for parts, measured in padded:
        for (name, mine, rest), (_, theirs, _) in zip(parts, bare, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=5e-5, err_msg=name)
            assert not rest.any(), name
        for one, other in zip(measured, exact, strict=True):
            for mine, theirs in zip(one, other, strict=True):
                np.testing.assert_allclose(mine, theirs, rtol=0, atol=2e-5)


def real_parts(packing, state):
    """Name, real part and padding of each array of a slot, the real part cut from it."""
    found = []
    for name in ("values", "firsts", "seconds", "best"):
        arrays = getattr(state, name)
        for kind, layer in packing.description.model_roles:
            averages = kind in ("mean", "variance")
            if kind == "generator" or (averages and name in ("firsts", "seconds")):
                continue
            real = packing._cut(arrays, (kind, layer))
            whole, where = packing._found((kind, layer), arrays)
            rest = whole.copy()
            rest[where] = 0
            found.append((f"{name}: {kind} of layer {layer}", real, rest))
    return found


def dropped_input(hp):
    """Logistic regression on what a dropout leaves of the input, plain SGD."""
    model = keras.Sequential([keras.Input((28,)), layers.Dropout(0.25), layers.Dense(1)])
    model.compile(
        keras.optimizers.SGD(0.5),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryCrossentropy(from_logits=True, name="binary_crossentropy")],
    )
    return model


def test_dropout_on_the_input_trains_on_what_its_masks_leave():
    """Against the same masks in NumPy, double precision; bound 2e-6 after 8 steps."""
    split, task, journal = small_split(), assignment(0, 2), MemoryJournal()
    (seed, count), kernel, bias = Readings(dropped_input).initial_state(task, None).model
    train_all(FusedTrainer(dropped_input, split, BATCH, None), [task], journal)
    kernel, bias = kernel[:, 0].astype(float), float(bias[0])
    threshold, scale = np.array([random_bits.threshold(0.25)]), np.array([random_bits.scale(0.25)])
    for epoch in (1, 2):
        order = epoch_order(200, task.seed, epoch)
        for start in range(0, 200, BATCH):
            rows = order[start : start + BATCH]
            keys = random_bits.step_keys(np.array([seed]), np.array([count]), 1)[0]
            mask = random_bits.mask(BATCH, 28, keys, threshold, scale)
            x = split.train.x[rows] * np.asarray(mask)[0, : len(rows)]
            error = 1 / (1 + np.exp(-(x @ kernel + bias))) - split.train.y[rows]
            kernel -= 0.5 * x.T @ error / len(rows)
            bias -= 0.5 * error.mean()
            count += 1
    mine = journal.states[0].model
    assert list(mine[0]) == [seed, count]
    np.testing.assert_allclose(mine[1][:, 0], kernel, rtol=0, atol=2e-6)
    np.testing.assert_allclose(mine[2], bias, rtol=0, atol=2e-6)


def dropped_between(activations):
    """A build of layers so narrow that dropout often leaves nothing of a row; plain SGD."""

    def make(hp):
        hidden = [
            one
            for activation in activations
            for one in (layers.Dense(3, activation), layers.Dropout(0.5))
        ]
        model = keras.Sequential([keras.Input((28,)), *hidden, layers.Dense(1)])
        model.compile(
            keras.optimizers.SGD(0.5),
            loss=keras.losses.BinaryCrossentropy(from_logits=True),
            metrics=[
                keras.metrics.BinaryCrossentropy(from_logits=True, name="binary_crossentropy")
            ],
        )
        return model

    return make


@pytest.mark.parametrize(
    "activations",
    [["elu"] * 3, ["relu"] * 3, ["gelu"] * 3, ["sigmoid"] * 3, ["elu", "relu", "gelu", "sigmoid"]],
    ids=" ".join,
)
def test_dropout_between_layers_trains_on_what_its_masks_leave(activations):
    """Against Keras' layers and gradients with the same masks; bound 2e-6 after 8 steps."""
    make, split, task = dropped_between(activations), small_split(), assignment(0, 2)
    journal, model = MemoryJournal(), make(None)
    initial = Readings(make).initial_state(task, None).model
    for variable, value in zip(model.variables, initial, strict=True):
        variable.assign(value)
    seeds, counts = np.array([array for array in initial if array.dtype == np.int64]).T
    threshold, scale = np.array([random_bits.threshold(0.5)]), np.array([random_bits.scale(0.5)])
    silent = 0
    for epoch in (1, 2):
        order = epoch_order(200, task.seed, epoch)
        for start in range(0, 200, BATCH):
            rows = order[start : start + BATCH]
            keys = iter(random_bits.step_keys(seeds, counts, 1)[0])
            with tf.GradientTape() as tape:
                h = split.train.x[rows]
                for layer in model.layers:
                    if isinstance(layer, layers.Dropout):
                        mask = random_bits.mask(BATCH, 3, next(keys)[None], threshold, scale)
                        h = h * mask[0, : len(rows)]
                        silent += int(np.sum(np.all(np.asarray(h) == 0, axis=1)))
                    else:
                        h = layer(h)
                loss = tf.reduce_mean(model.loss(split.train.y[rows, None], h))
            weights = model.trainable_variables
            model.optimizer.apply(tape.gradient(loss, weights), weights)
            counts = counts + 1
    assert silent > 20
    train_all(FusedTrainer(make, split, BATCH, None), [task], journal)
    for mine, variable in zip(journal.states[0].model, model.variables, strict=True):
        if mine.dtype != np.int64:
            np.testing.assert_allclose(mine, variable.numpy(), rtol=0, atol=2e-6)


def test_the_mean_outcome_over_seeds_is_that_of_keras():
    """Validation BCE after 2 epochs at rate 1/2, 6 seeds: means within 4 standard errors."""
    from sweep.training.keras_trainer import KerasTrainer

    values = {"width": 16, "depth": 1, "l2": 0.0, "dropout": 0.5, "decay_steps": 500}
    work = [assignment(trial, 2, **values) for trial in range(6)]
    final = []
    for kind in (FusedTrainer, KerasTrainer):
        journal = MemoryJournal()
        train_all(kind(capacity.build, small_split(), BATCH, None), work, journal)
        final.append([journal.records[trial][-1].val_score for trial in range(6)])
    difference = np.subtract(*final)  # paired: same weights, rows and order, other masks
    assert abs(difference.mean()) < 4 * difference.std(ddof=1) / np.sqrt(len(difference))
    assert 0 < np.abs(difference).max() < 0.05
