"""Per-example losses in the store: committed with their checkpoint, read as one matrix."""

import math
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sweep.errors import DataError
from sweep.records import Outcome, OutcomeStatus
from sweep.store import Store, TrialLosses
from tests.support.sweeps import record, store_sweep, trained

RANDOM = np.random.default_rng(0)
LOSSES = RANDOM.exponential(size=(3, 50)).astype(np.float32)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three trials under way."""
    pending = [trained(0.7, ended=None, last_epoch=9) for _ in range(3)]
    return store_sweep(tmp_path / "sweep.db", pending)


def test_losses_come_back_as_a_matrix_in_the_order_of_trials(store):
    first, _, third = store.pending()
    store.save_progress(third, "file", 2, [record(2, 0.6)], TrialLosses(2, LOSSES[2]))
    done = Outcome(OutcomeStatus.COMPLETED, 1, 3, 1.0)
    store.finish(first, done, [record(2, 0.6)], "keras", "file", 2, TrialLosses(1, LOSSES[0]))
    found = store.losses()
    assert (found.trials.tolist(), found.epochs.tolist()) == ([0, 2], [1, 2])
    assert found.values.dtype == np.float32
    np.testing.assert_array_equal(found.values, LOSSES[[0, 2]])


def test_a_better_epochs_losses_replace_the_former_ones(store):
    first = store.pending()[0]
    for epoch in (2, 3):
        losses = TrialLosses(epoch, LOSSES[epoch - 2])
        store.save_progress(first, "file", epoch, [record(epoch, 0.6)], losses)
    found = store.losses()
    assert found.epochs.tolist() == [3]
    np.testing.assert_array_equal(found.values, LOSSES[1:2])


def test_losses_are_kept_with_their_records_or_not_at_all(store):
    first = store.pending()[0]
    with pytest.raises(DataError, match="UNIQUE"):  # epoch 1 is there already
        store.save_progress(first, "file", 2, [record(1, 0.6)], TrialLosses(1, LOSSES[0]))
    assert store.losses().trials.size == 0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e40, 5e63, -1e300])
def test_numbers_of_a_trial_that_diverged_can_be_read_again(store, value):
    first = store.pending()[0]
    huge = dict.fromkeys(("fit_loss", "fit_score", "train_score", "val_score", "val_loss"), value)
    diverged = replace(record(2, 0.6), **huge, val_folds=(0.5,) * 7 + (value,))
    sound = replace(record(3, 0.6), val_folds=(0.5,) * 8)
    store.save_progress(first, "file", 3, [diverged, sound])
    store.finish(first, Outcome(OutcomeStatus.FAILED, 2, 3, 1.0, error="diverged"), [], "keras")
    assert store.folds().epochs.tolist() == [3]
    columns, rows = store.table("epoch")
    kept = {row[columns.index("val_score")] for row in rows if row[:2] == (0, 2)}
    assert kept == {None} if value != value else not any(map(math.isfinite, kept))
    assert store.progress().trials_failed == 1


def test_a_sweep_without_losses_has_an_empty_matrix(store):
    assert store.losses().values.shape == (0, 0)


def test_losses_of_unequal_length_are_refused(store):
    for assignment, n_rows in zip(store.pending(), (50, 49, 50), strict=True):
        losses = TrialLosses(1, LOSSES[0, :n_rows])
        store.save_progress(assignment, "file", 2, [record(2, 0.6)], losses)
    with pytest.raises(DataError, match="unequal length"):
        store.losses()


def test_a_thousand_rows_take_four_kilobytes_a_trial(store):
    for assignment in store.pending():
        losses = TrialLosses(1, np.zeros(1000))
        store.save_progress(assignment, "file", 2, [record(2, 0.6)], losses)
    with closing(sqlite3.connect(store.path)) as db:
        assert db.execute("SELECT length(losses) FROM losses").fetchall() == [(4000,)] * 3
