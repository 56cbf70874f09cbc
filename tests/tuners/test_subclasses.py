"""Tuners of a user's own: a `run_trial`, or methods that hear of epochs."""

import sqlite3
from typing import Any

import numpy as np
import pytest

import sweep
from sweep.analysis.charts.axes import TooFewDataError
from sweep.analysis.page.plots import curves
from sweep.analysis.page.write import page
from sweep.analysis.report.header import header as header_of
from sweep.analysis.report.table import columns, notes
from sweep.errors import UsageError
from sweep.tuners.fingerprint import fingerprint_of
from tests.tuners.scripts import X, Y, build


def box(folder: Any, trials: int = 4, add: float = 1.0) -> Any:
    class Box(sweep.RandomSearch):
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> float:
            x = trial.hyperparameters.Float("x", -2.0, 2.0)
            return x * x + 2 * x + add

    return Box(max_trials=trials, seed=1, directory=str(folder), project_name="box")


def test_a_black_box_is_searched_and_gone_on_with(keras, tmp_path, capsys):
    tuner = box(tmp_path)
    assert not tuner.oracle.get_space().space
    tuner.search()
    said = capsys.readouterr().out
    assert "[1/4] trial 0: default_objective " in said and "cost: 4 runs, " in said
    assert "epoch" not in said and "val " not in said
    assert [one.name for one in box(tmp_path).oracle.get_space().space] == ["x"]
    assert tuner.oracle.get_trial("03").trial_id == "3"
    scores = {key: trial.score for key, trial in tuner.oracle.trials.items()}
    for trial in tuner.oracle.trials.values():
        x = trial.hyperparameters.get("x")
        assert trial.score == pytest.approx(x * x + 2 * x + 1)
    assert tuner.sweep.trials["class"].isna().all()  # nothing is known of how it fits
    more = box(tmp_path, 6)
    more.search(verbose=0)
    after = {key: trial.score for key, trial in more.oracle.trials.items()}
    assert len(after) == 6 and {key: after[key] for key in scores} == scores
    with pytest.raises(UsageError, match="began with other code"):
        box(tmp_path, add=2.0).search(verbose=0)
    for said in (report_of(more.sweep), more.sweep._repr_html_()):
        assert "epoch" not in said.replace("no epochs", "") and "params" not in said
        assert "size and regularisation unknown" in said and "onset" not in said
    frames = more.sweep.frames
    assert more.sweep.trials[["best_epoch", "epochs", "onset_epoch"]].isna().all(axis=None)
    assert curves(frames)["trials"] == {} and "neither sizes nor epochs are seen" in page(frames)
    with pytest.raises(TooFewDataError, match="neither sizes nor epochs are seen"):
        more.sweep.plots.frontier()


def report_of(found: sweep.Sweep) -> str:
    """What `sweep report` prints."""
    header = header_of(found.frames)
    table = [column.name for column in columns(found.frames)]
    return " ".join([*map(str, header), *table, *notes(found.frames), str(found.verdict)])


def test_a_black_box_that_an_older_version_began_is_gone_on_with(keras, tmp_path):
    box(tmp_path, 2).search(verbose=0)
    older, _ = fingerprint_of({"given": ([], {"verbose": 0})})
    with sqlite3.connect(tmp_path / "box" / "sweep.db") as database:
        database.execute("UPDATE sweep SET scoring = json_remove(scoring, '$.is_of_rows')")
        database.execute("UPDATE sweep SET data = json_set(data, '$.fingerprint', ?)", (older,))
    box(tmp_path, 3).search(verbose=0)
    assert len(box(tmp_path, 3).oracle.trials) == 3


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
    heard, ended = [], []

    class Hears(sweep.Hyperband):
        def on_trial_end(self, trial):
            ended.append((trial.trial_id, trial.status))

        def on_epoch_end(self, trial, model, epoch, logs=None):
            heard.append((trial.trial_id, epoch, "val_loss" in logs))

    tuner = Hears(build, "val_loss", max_epochs=2, factor=2, seed=1, directory=str(tmp_path))
    tuner.search(X, Y, validation_split=0.25, verbose=0)
    assert all(has for _, _, has in heard)
    assert {epoch for _, epoch, _ in heard} == {0, 1}
    assert set(ended) == {(key, "COMPLETED") for key in tuner.oracle.trials}


def own_fits(
    folder: Any, fit: Any, objective: Any = "val_accuracy", kind: str = "RandomSearch", **more: Any
) -> Any:
    import keras_tuner

    class Own(keras_tuner.HyperModel):
        def build(self, hp: Any) -> Any:
            return build(hp)

    Own.fit = fit
    size = {"max_epochs": 2, "factor": 2} if kind == "Hyperband" else {"max_trials": 1}
    return getattr(sweep, kind)(Own(), objective, seed=1, directory=str(folder), **size, **more)


def two_halves(self, hp, model, x, y, validation_data=None, epochs=1, **named):
    """Cross-validation, with a batch size and early stopping of its own."""
    import keras

    scores, size = [], hp.Choice("batch_size", [30, 60])
    for part in (slice(0, 60), slice(60, 120)):
        stop = keras.callbacks.EarlyStopping("loss", patience=1)
        here = build(hp)
        here.fit(x[part], y[part], batch_size=size, callbacks=[stop], epochs=epochs, verbose=0)
        scores.append(here.evaluate(x, y, verbose=0)[1])
    return {"val_accuracy": float(np.mean(scores))}


def own_loop(self, hp, model, x, y, epochs=1, **named):
    """A training loop of its own, which returns a float: lower is better."""
    for _ in range(epochs):
        loss = model.train_on_batch(x, y)[0]
    return float(loss)


def more_callbacks(self, hp, model, *args, callbacks=(), **named):
    """Own rows and callbacks; returns the history."""
    import keras

    stop = keras.callbacks.EarlyStopping(patience=hp.Int("patience", 1, 3))
    x, y = args
    return model.fit(x * 2, y, callbacks=[*callbacks, stop], **named)


@pytest.mark.parametrize(
    ("fit", "objective", "asked"),
    [
        (two_halves, "val_accuracy", "batch_size"),
        (own_loop, None, "units"),
        (more_callbacks, "val_accuracy", "patience"),
    ],
)
def test_a_fit_that_does_more_than_to_forward_is_called(
    keras, tmp_path, capsys, fit, objective, asked
):
    tuner = own_fits(tmp_path, fit, objective)
    tuner.search(X, Y, validation_data=(X, Y), epochs=2)
    assert "not fused, and a trial that is cut begins again" in capsys.readouterr().out
    best = tuner.oracle.get_best_trials()[0]
    assert asked in best.hyperparameters.values and best.score is not None
    if fit is own_loop:
        again = own_fits(tmp_path, fit, objective)
        again.search(X, Y, validation_data=(X, Y), epochs=2)
        assert again.oracle.get_best_trials()[0].score == best.score
    if fit is more_callbacks:
        model = tuner.get_best_models()[0]
        assert model.evaluate(X, Y, verbose=0)[1] == pytest.approx(best.score)


def test_hyperband_trains_such_a_trial_again_at_each_rung(keras, tmp_path):
    def untrained(self, hp, model, x, y, epochs=1, **named):
        return float(hp.get("units") + epochs)

    found = []
    for iterations in (1, 2, 2):  # more of them extend the search
        tuner = own_fits(tmp_path, untrained, None, "Hyperband", hyperband_iterations=iterations)
        tuner.search(X, Y, validation_data=(X, Y), verbose=0)
        found.append({key: one.score for key, one in tuner.oracle.trials.items()})
    assert {one.status for one in tuner.oracle.trials.values()} == {"COMPLETED"}
    assert len(found[1]) > len(found[0]) and found[1] == found[2]
    assert {key: found[1][key] for key in found[0]} == found[0]


def test_a_hyperparameter_that_only_the_training_asks_for_is_refused(keras, tmp_path):
    def late(self, hp, model, x, y, **named):
        model.train_on_batch(x, y)
        return float(hp.Int("late", 1, 3))

    with pytest.raises(UsageError, match="'late' is asked for only after a training has begun"):
        own_fits(tmp_path, late, None).search(X, Y, validation_data=(X, Y), verbose=0)


def test_models_whose_rows_cannot_be_scored_are_trained_as_keras_tuner_does(
    keras, tmp_path, capsys
):
    """Two outputs, and a model of which only its call knows the layers."""

    class Net(keras.Model):
        def __init__(self, units):
            super().__init__()
            self.hidden = keras.layers.Dense(units, activation="relu")
            self.price, self.sold = keras.layers.Dense(1), keras.layers.Dense(1)

        def call(self, x):
            hidden = self.hidden(x)
            return {"price": self.price(hidden), "sold": self.sold(hidden)}

    def two_outputs(hp):
        model = Net(hp.Int("units", 2, 4))
        model.compile("adam", loss={"price": "mse", "sold": "mse"}, metrics={"price": ["mae"]})
        model.run_eagerly = True
        return model

    tuner = sweep.RandomSearch(two_outputs, "val_loss", 1, seed=1, directory=str(tmp_path))
    tuner.search(X, {"price": X[:, 0], "sold": Y}, epochs=1, validation_split=0.25, batch_size=60)
    assert "one is scored here; so trained as Keras Tuner does it" in capsys.readouterr().out
    (trial,) = tuner.oracle.get_best_trials()
    assert {"val_price_mae", "price_mae", "val_loss"} <= set(trial.metrics.metrics)
    assert set(tuner.get_best_models()[0].predict(X, verbose=0)) == {"price", "sold"}


def test_several_objectives_and_those_of_training_rows_are_ranked_as_keras_tuner_does(
    keras, tmp_path, capsys
):
    class Own(sweep.RandomSearch):
        def _build_and_fit_model(self, trial, *args, **kwargs):
            return super()._build_and_fit_model(trial, *args, **kwargs)

    several = ["val_accuracy", "val_loss"]
    tuner = Own(build, several, 1, seed=1, directory=str(tmp_path), project_name="several")
    tuner.search(X, Y, validation_split=0.25, batch_size=60, verbose=0)
    (trial,) = tuner.oracle.get_best_trials()
    values = {name: trial.metrics.get_last_value(name) for name in several}
    assert trial.score == pytest.approx(values["val_loss"] - values["val_accuracy"])
    assert "Multi" in str(tuner.oracle.objective)

    tuner = sweep.RandomSearch(build, "loss", 1, seed=1, directory=str(tmp_path))
    tuner.search(X, Y, batch_size=60)
    assert "'loss', which is measured on training rows" in capsys.readouterr().out
    (trial,) = tuner.oracle.get_best_trials()
    assert trial.score == trial.metrics.get_last_value("loss")
    with pytest.raises(AttributeError, match="a loop of one's own over trials is not followed"):
        tuner.oracle.create_trial("tuner0")


def test_an_objective_that_nothing_measures_ends_the_search_at_its_first_trial(keras, tmp_path):
    objective = sweep.Objective("auc", "max")
    tuner = sweep.RandomSearch(build, objective, 3, seed=1, directory=str(tmp_path))
    with pytest.raises(UsageError, match=r"auc was not measured; measured were: .*val_loss; name"):
        tuner.search(X, Y, validation_split=0.25, batch_size=60, verbose=0)
