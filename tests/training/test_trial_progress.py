"""An epoch's end is decided as Keras decides it, and the best epoch is kept."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.records import Assignment, EpochRecord, OutcomeStatus
from sweep.testing import made_up_record, made_up_state
from sweep.training.early_stopping import EarlyStopping
from sweep.training.trial_progress import TrialProgress, error_line

ASSIGNMENT = Assignment(0, 0, 0, 0, 9, {}, 1)


def record(epoch: int, val_score: float, **changes: float) -> EpochRecord:
    return replace(made_up_record(0, epoch), val_score=val_score, **changes)


def trained(values: list[float], patience: int | None, last_epoch: int = 9) -> Any:
    """The progress after these validation BCE, ended where it ends; best is the epoch's number."""
    progress: TrialProgress[int] = TrialProgress.begun(
        replace(ASSIGNMENT, last_epoch=last_epoch), patience
    )
    for epoch, value in enumerate(values, start=1):
        if progress.ended is None:
            progress = progress.after(record(epoch, value), np.full(2, value), lambda: epoch)  # noqa: B023
    return progress


def keras_stops(keras: Any, values: list[float], patience: int) -> tuple[int, int, bool]:
    """Epochs trained, the best of them, and whether training was stopped, by Keras' callback."""

    class Model:
        stop_training = False

        def get_weights(self) -> list[np.ndarray]:
            return []

    callback = keras.callbacks.EarlyStopping("val_score", patience=patience, mode="min")
    model = Model()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"val_score": value})
        if model.stop_training:
            break
    return epoch + 1, callback.best_epoch + 1, model.stop_training


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([0.5, 0.6, 0.7, 0.8]), min_size=1, max_size=9), st.integers(1, 4))
def test_a_trial_stops_where_keras_would_stop_it(keras, values, patience):
    epochs, best, stopped = keras_stops(keras, values, patience)
    progress = trained(values, patience, last_epoch=len(values))
    assert (progress.epoch, progress.best) == (epochs, best)
    assert progress.early_stopping.best_epoch == best
    assert progress.ended is (OutcomeStatus.STOPPED if stopped else OutcomeStatus.COMPLETED)
    assert progress.val_losses.dtype == np.float32 and progress.val_losses[0] == np.float32(
        values[best - 1]
    )


def test_nothing_is_kept_of_an_epoch_that_is_not_the_best():
    progress = trained([0.7, 0.6], None)
    assert progress.is_best and progress.best == 2

    def never() -> int:
        raise AssertionError("weights are copied for the best epoch alone")

    later = progress.after(record(3, 0.6), np.zeros(2), never)
    assert not later.is_best and (later.best, later.epoch) == (2, 3)
    assert later.val_losses is progress.val_losses and later.ended is None


@pytest.mark.parametrize("name", ["fit_loss", "val_score", "train_score"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e31, -1e63])
def test_a_number_that_is_not_finite_or_huge_fails_the_trial(name, value):
    broken = replace(record(3, 0.4), **{name: value})
    progress = trained([0.7, 0.6], 5).after(broken, np.zeros(2), lambda: 3)
    assert progress.ended is OutcomeStatus.FAILED
    assert progress.failure == f"{name} became {value:.4g} in epoch 3"
    assert (progress.epoch, progress.best, progress.is_best) == (3, 2, False)


def test_an_assignment_ends_at_its_last_epoch_and_a_promoted_trial_goes_on():
    done = trained([0.7, 0.6, 0.5], None, last_epoch=3)
    assert done.ended is OutcomeStatus.COMPLETED and done.n_trained == 3
    state = replace(made_up_state(3), early_stopping=done.early_stopping)
    promoted = replace(ASSIGNMENT, first_epoch=3)
    further = TrialProgress.begun(promoted, None).restored(state, best=3)
    assert (further.epoch, further.ended, further.n_trained, further.is_best) == (3, None, 0, False)
    assert further.after(record(4, 0.9), np.zeros(2), lambda: 4).best == 3


def test_a_trial_that_had_stopped_early_has_ended_before_it_trains():
    state = replace(made_up_state(5), early_stopping=EarlyStopping(2, 0.5, 3, 2))
    promoted = replace(ASSIGNMENT, first_epoch=5)
    progress = TrialProgress.begun(promoted, 2).restored(state, best=3)
    assert progress.ended is OutcomeStatus.STOPPED and progress.n_trained == 0


def test_an_error_is_told_in_one_line():
    assert error_line(RuntimeError("no luck\nwith 64")) == "RuntimeError: no luck with 64"
    assert error_line(KeyError()) == "KeyError: no message"
