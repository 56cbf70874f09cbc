"""A search from a script: trained, told in Keras Tuner's words, gone on with, refused if other."""

import json
from typing import Any

import numpy as np
import pytest

from sweep.errors import TooManyFailuresError, UsageError
from sweep.store import Store
from sweep.store.workers import workers
from sweep.tuners import kinds
from tests.tuners.scripts import X, Y, build

FIT = {"epochs": 3, "validation_split": 0.25, "verbose": 0}


MAX_TRIALS = 3


def random_search(folder: Any, **more: Any) -> kinds.RandomSearch:
    given = {"objective": "val_accuracy", "max_trials": MAX_TRIALS, "seed": 1, "project_name": "p"}
    return kinds.RandomSearch(build, directory=str(folder), **{**given, **more})


@pytest.fixture(scope="module")
def searched(keras, tmp_path_factory):
    tuner = random_search(tmp_path_factory.mktemp("script"))
    tuner.search(X, Y, **FIT)
    return tuner


def test_trials_are_those_of_keras_tuner(searched):
    trials = searched.oracle.trials
    assert list(trials) == ["0", "1", "2"]
    best = searched.oracle.get_best_trials(1)[0]
    assert best.score == max(one.score for one in trials.values())
    assert best.status == "COMPLETED" and 0 <= best.best_step < 3
    assert best.metrics.get_best_value("val_accuracy") == best.score
    assert [one.step for one in best.metrics.get_history("val_loss")] == [best.best_step]
    assert set(best.metrics.get_statistics("loss")) == {
        "min",
        "max",
        "mean",
        "median",
        "var",
        "std",
    }
    assert searched.remaining_trials == 0
    assert str(searched.oracle.objective) == 'Objective(name="val_accuracy", direction="max")'


def test_the_best_hyperparameters_build_a_model(searched):
    (best,) = searched.get_best_hyperparameters()
    assert set(best.values) == {"units", "rate"} and best.get("units") in range(2, 9)
    assert searched.hypermodel.build(best).count_params() == 6 * best.get("units") + 1


def test_the_best_model_has_the_weights_of_the_best_epoch(searched):
    (model,) = searched.get_best_models()
    loss, accuracy = model.evaluate(X[90:], Y[90:], verbose=0)
    best = searched.oracle.get_best_trials()[0]
    assert accuracy == pytest.approx(best.score)
    assert loss == pytest.approx(best.metrics.get_last_value("val_loss"), rel=1e-5)


def test_another_process_reads_the_same_and_loads_models(searched):
    again = random_search(searched.directory)
    assert [one.score for one in again.oracle.get_best_trials(3)] == [
        one.score for one in searched.oracle.get_best_trials(3)
    ]
    assert again.get_best_models()[0].count_params() > 0
    assert searched.sweep.name == "p"


def test_summaries_have_the_form_of_keras_tuner(searched, capsys):
    searched.search_space_summary()
    searched.results_summary(1)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["Search space summary", "Default search space size: 2", "units (Int)"]
    assert "Showing 1 best trials" in lines and any(one.startswith("Score: ") for one in lines)


def test_the_same_call_again_trains_nothing_and_more_trials_extend_it(searched):
    before = {key: one.score for key, one in searched.oracle.trials.items()}
    random_search(searched.directory).search(X, Y, **FIT)
    more = random_search(searched.directory, max_trials=5)
    more.search(X, Y, **FIT)
    after = {key: one.score for key, one in more.oracle.trials.items()}
    assert list(after) == ["0", "1", "2", "3", "4"]
    assert {key: after[key] for key in before} == before


def other_build(hp: Any) -> Any:
    model = build(hp)
    model.optimizer.learning_rate = 0.5
    return model


@pytest.mark.parametrize(
    ("changed", "given", "said"),
    [
        ({}, {"epochs": 4}, "other arguments: epochs was 3, and is 4"),
        ({}, {"batch_size": 16}, "batch_size was 32, and is 16"),
        ({"objective": "val_loss"}, {}, "objective"),
        ({}, {"validation_split": 0.5}, "other data: 90 . 30 rows then, 60 . 60 now"),
        ({}, {"x": X + 1}, "other data: their values have changed"),
        ({"hypermodel": other_build}, {}, "another build: changed are"),
        ({}, {"shuffle": False}, "another build: changed are callbacks"),
    ],
)
def test_what_has_changed_is_refused_by_name(searched, changed, given, said):
    own = {"objective": "val_accuracy", "max_trials": 5, "seed": 1, "project_name": "p"}
    made = {"hypermodel": build, **own, **changed}
    tuner = kinds.RandomSearch(directory=searched.directory, **made)
    with pytest.raises(UsageError, match=said):
        tuner.search(**{"x": X, "y": Y, **FIT, **given})


def test_overwrite_begins_anew(keras, tmp_path):
    random_search(tmp_path, max_trials=1).search(X, Y, **FIT)
    tuner = random_search(tmp_path, overwrite=True)
    assert tuner.oracle.trials == {}


def test_the_rows_and_the_script_are_kept(searched):
    folder = searched.folder
    assert folder.rows.is_file() and folder.build.is_file()
    kept = json.loads(folder.script.read_text())
    assert kept["rows_are_kept"] and "build" in kept["parts"]
    with Store(folder.database, read_only=True) as store:
        assert "def build" in next(iter((store.sweep().space.sources or {}).values()))


def test_the_end_is_three_lines(keras, tmp_path, capsys):
    random_search(tmp_path, max_trials=1, objective="val_loss").search(
        X, Y, **{**FIT, "verbose": 1}
    )
    lines = capsys.readouterr().out.splitlines()
    assert [one.split(":")[0] for one in lines[-3:]] == ["verdict", "cost", "more"]


def test_a_callback_is_copied_for_each_trial_and_sees_what_keras_logs(keras, tmp_path):
    seen: list[Any] = []

    class Own(keras.callbacks.Callback):
        epochs = 0

        def on_epoch_end(self, epoch, logs=None):
            self.epochs += 1
            seen.append((self.epochs, epoch, sorted(logs)))

    tuner = random_search(tmp_path, max_trials=2)
    tuner.search(X, Y, callbacks=[Own()], **{**FIT, "epochs": 2})
    assert [(own, epoch) for own, epoch, _ in seen] == [(1, 0), (2, 1)] * 2
    assert seen[0][2] == ["accuracy", "loss", "val_accuracy", "val_loss"]


@pytest.mark.parametrize("own_way", [False, True])
def test_logs_for_tensorboard_lie_under_the_trials_id(keras, tmp_path, own_way):
    import keras_tuner

    class Own(kinds.GridSearch):
        def run_trial(self, trial, *given, **named):
            return super().run_trial(trial, *given, **named)

    hp = keras_tuner.HyperParameters()
    hp.Fixed("units", 4)
    tuner = (Own if own_way else kinds.GridSearch)(
        build, "val_loss", hyperparameters=hp, tune_new_entries=False, directory=str(tmp_path)
    )
    logs = [keras.callbacks.TensorBoard(tmp_path / "logs")]
    tuner.search(X, Y, callbacks=logs, **{**FIT, "epochs": 1})
    ((trial_id, _),) = tuner.oracle.trials.items()
    run = tmp_path / "logs" / trial_id / "execution0"
    (hparams,) = run.glob("events*")
    assert b"units" in hparams.read_bytes() and (run / "validation").is_dir()


def test_a_callback_that_cannot_be_copied_is_refused_before_training(keras, tmp_path):
    class Holds(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.held = (one for one in ())

    tuner = random_search(tmp_path)
    with pytest.raises(UsageError, match=r"Holds cannot be copied .* callbacks=lambda"):
        tuner.search(X, Y, callbacks=[Holds()], **FIT)
    assert not tuner.folder.exists


def test_given_hyperparameters_go_before_those_of_build(keras, tmp_path):
    import keras_tuner

    hp = keras_tuner.HyperParameters()
    hp.Fixed("units", 4)
    tuner = random_search(tmp_path, hyperparameters=hp, tune_new_entries=False, max_trials=4)
    tuner.search(X, Y, **{**FIT, "epochs": 1})
    assert [one.hyperparameters.values for one in tuner.oracle.trials.values()] == [
        {"units": 4, "rate": 0.03}
    ]


def test_a_trial_that_raises_is_tried_again(keras, tmp_path):
    """One fault that passes: the search is as without it."""
    raised: list[int] = []

    class Fails(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if not raised:
                raised.append(epoch)
                raise MemoryError("for a moment")

    tuner = random_search(tmp_path, max_trials=2, max_retries_per_trial=1)
    tuner.search(X, Y, callbacks=lambda: [Fails()], **FIT)
    assert raised and {one.status for one in tuner.oracle.trials.values()} == {"COMPLETED"}


def test_trials_that_raise_one_after_the_other_end_the_search(keras, tmp_path):
    class Fails(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            raise ValueError("always")

    tuner = random_search(tmp_path, max_trials=3, max_consecutive_failed_trials=2)
    with pytest.raises(TooManyFailuresError, match="always"):
        tuner.search(X, Y, callbacks=lambda: [Fails()], **FIT)


def test_random_numbers_of_the_script_are_its_own(searched):
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    random_search(searched.directory, max_trials=5).search(X, Y, **FIT)
    assert (np.random.get_state()[1] == before).all()


def test_rows_of_the_script_are_tested_once(keras, tmp_path):
    tuner = random_search(tmp_path)
    tuner.search(X, Y, **FIT)
    found = tuner.sweep
    for x, y, said in ((X[:, :2], Y, "x has rows of another form"), (X, Y[:5], "120 rows")):
        with pytest.raises(UsageError, match=said):
            found.test(x, y)
    opening = found.test(X, Y)
    model = found.best_model()
    right = (model.predict(X, verbose=0)[:, 0] > 0.5) == Y
    assert opening.rows == len(Y) and opening.accuracy.value == pytest.approx(right.mean())
    with pytest.raises(UsageError, match="were opened for trial"):
        found.test(X, Y)


def test_a_pool_of_workers_trains_the_same_numbers(searched, tmp_path):
    with_pool = random_search(tmp_path, pool=1)
    with_pool.search(X, Y, **FIT)
    tables = []
    for tuner in (searched, with_pool):
        with Store(tuner.folder.database, read_only=True) as store:
            names, rows = store.table("epoch")
            seconds = names.index("seconds")
            both = [row for row in rows if row[0] < MAX_TRIALS]  # another test extends the first
            tables.append([row[:seconds] + row[seconds + 1 :] for row in both])
    assert tables[0] and tables[0] == tables[1]
    with Store(with_pool.folder.database, read_only=True) as store:
        assert [one.assignments for one in workers(store)] == [3]


def test_a_pool_that_cannot_be_is_refused_before_anything_is_trained(tmp_path):
    with pytest.raises(UsageError, match=r"^pool is 'two', expected a number of workers"):
        random_search(tmp_path, pool="two")

    class Own(kinds.RandomSearch):
        def run_trial(self, trial, *given, **named):
            raise AssertionError

    tuner = Own(build, "val_loss", 2, directory=str(tmp_path), pool=2)
    with pytest.raises(UsageError, match=r"^pool='2': Own has a run_trial of its own"):
        tuner.search(X, Y)
    assert not tuner.folder.exists
