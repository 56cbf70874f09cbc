"""Tuners of a user's own: a `run_trial`, or methods that hear of epochs."""

from typing import Any

import pytest

import sweep
from sweep.errors import UsageError
from tests.tuners.scripts import X, Y, build


def box(folder: Any, trials: int = 4, add: float = 1.0) -> Any:
    class Box(sweep.RandomSearch):
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> float:
            x = trial.hyperparameters.Float("x", -2.0, 2.0)
            return x * x + 2 * x + add

    return Box(max_trials=trials, seed=1, directory=str(folder), project_name="box")


def test_a_black_box_is_searched_and_gone_on_with(keras, tmp_path):
    tuner = box(tmp_path)
    tuner.search(verbose=0)
    scores = {key: trial.score for key, trial in tuner.oracle.trials.items()}
    for trial in tuner.oracle.trials.values():
        x = trial.hyperparameters.get("x")
        assert trial.score == pytest.approx(x * x + 2 * x + 1)
    more = box(tmp_path, 6)
    more.search(verbose=0)
    after = {key: trial.score for key, trial in more.oracle.trials.items()}
    assert len(after) == 6 and {key: after[key] for key in scores} == scores
    with pytest.raises(UsageError, match="began with other code"):
        box(tmp_path, add=2.0).search(verbose=0)


def test_a_run_trial_that_asks_for_the_batch_size_and_calls_the_tuners_own(keras, tmp_path, capsys):
    epochs = []

    class Batches(sweep.RandomSearch):
        def run_trial(self, trial, *args, **kwargs):
            kwargs["batch_size"] = trial.hyperparameters.Choice("batch_size", [20, 40])
            return super().run_trial(trial, *args, **kwargs)

        def on_epoch_end(self, trial, model, epoch, logs=None):
            super().on_epoch_end(trial, model, epoch, logs)
            epochs.append((trial.trial_id, epoch))

    tuner = Batches(build, "val_loss", 2, seed=1, directory=str(tmp_path), executions_per_trial=2)
    tuner.search(X, Y, epochs=2, validation_split=0.25, verbose=0)
    assert epochs == [(key, epoch) for key in "01" for _ in range(2) for epoch in range(2)]
    best = tuner.oracle.get_best_trials()[0]
    assert set(best.hyperparameters.values) == {"batch_size", "units", "rate"}
    model = tuner.get_best_models()[0]
    assert model.count_params() == 6 * best.hyperparameters.get("units") + 1


def test_a_tuner_that_hears_epochs_is_told_of_them(keras, tmp_path):
    heard = []

    class Hears(sweep.Hyperband):
        def on_epoch_end(self, trial, model, epoch, logs=None):
            heard.append((trial.trial_id, epoch, "val_loss" in logs))

    tuner = Hears(build, "val_loss", max_epochs=2, factor=2, seed=1, directory=str(tmp_path))
    tuner.search(X, Y, validation_split=0.25, verbose=0)
    assert all(has for _, _, has in heard)
    assert {epoch for _, epoch, _ in heard} == {0, 1}
