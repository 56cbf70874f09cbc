"""A sweep as an Optuna study: what Optuna itself reads in the file."""

import math
import sqlite3
import sys
from dataclasses import replace

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from typer.testing import CliRunner

from sweep.analysis.exchange.optuna_distributions import distributions
from sweep.analysis.exchange.optuna_study import write_study
from sweep.analysis.frames.load import load
from sweep.cli.app import app
from sweep.errors import PlatformError, UsageError
from sweep.records import OutcomeStatus
from tests.support.sweeps import rows_of_losses, store_sweep, sweep_row, trained

DEFINITIONS = [
    {"name": "width", "kind": "Choice", "values": [16, 64]},
    {
        "name": "l2",
        "kind": "Float",
        "min_value": 1e-5,
        "max_value": 0.1,
        "step": None,
        "sampling": "log",
    },
]
SPACE = {"name": "mine", "hyperparameters": ["width", "l2"], "definitions": DEFINITIONS}


def settings(width, l2):
    return {"width": width, "l2": l2}


def ended(*val_score, **changes):
    return trained(*val_score, ended=OutcomeStatus.STOPPED, **changes)


def sweep_of_every_kind(path, **changes):
    losses = rows_of_losses(0.6, 0.62)
    trials = [
        ended(0.65, 0.6, losses=losses[0], hyperparameters=settings(256, 0.01), baseline="Big"),
        ended(0.64, 0.62, losses=losses[1], hyperparameters=settings(16, 1e-3)),
        trained(0.7, hyperparameters=settings(64, 1e-4), last_epoch=1),
        trained(math.nan, ended=OutcomeStatus.FAILED, error="ValueError: no", params=None),
        ended(0.66, math.inf, hyperparameters=settings(16, 0.05)),
        *(
            trained(0.6 + n / 100, hyperparameters=settings(16 + 48 * (n % 2), 10.0**-n))
            for n in range(2, 5)
        ),
    ]
    trials[3] = replace(trials[3], hyperparameters=settings(64, 1e-5))
    return store_sweep(path, trials, **{"space": SPACE, **changes})


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    with sweep_of_every_kind(tmp_path_factory.mktemp("store") / "sweep.db") as store:
        return load(store)


@pytest.fixture(scope="module")
def written(frames, tmp_path_factory):
    return write_study(frames, tmp_path_factory.mktemp("study") / "new")


@pytest.fixture(scope="module")
def study(written):
    storage = optuna.storages.RDBStorage(f"sqlite:///{written}")
    yield optuna.load_study(study_name=None, storage=storage)
    storage.remove_session()
    storage.engine.dispose()


def test_optuna_reads_every_trial_with_its_state_value_and_settings(study, frames):
    assert study.study_name == frames.sweep.name
    assert study.best_value == pytest.approx(0.6, abs=1e-12)
    assert study.best_params == {"width": 256, "l2": 0.01}
    names = [trial.state.name for trial in study.trials]
    assert names == ["COMPLETE", "COMPLETE", "PRUNED", "FAIL", "COMPLETE"] + 3 * ["PRUNED"]
    by_trial = frames.trials.set_index("trial")
    for number, trial in enumerate(study.trials):
        assert trial.user_attrs["trial"] == number == trial.number
        expected = by_trial.loc[number]
        assert trial.value == (None if trial.state.name == "FAIL" else expected["val_score"])
        at = list(frames.trials["trial"]).index(number)
        assert trial.params == frames.hyperparameters.iloc[at].to_dict()
        assert trial.datetime_start <= trial.datetime_complete


def test_optuna_reads_the_epochs_and_what_we_know_besides(study):
    assert study.trials[1].intermediate_values == {1: 0.64, 2: 0.62}
    assert study.trials[4].intermediate_values == {1: 0.66, 2: math.inf}
    best = study.trials[0].user_attrs
    assert (best["baseline"], best["parameters"], best["train BCE"]) == ("Big", 481, 0.6)
    assert 0 < best["val BCE error"] < 0.1
    assert best["tied with the best"] is True and best["class"] == "balanced"
    assert "bracket" not in best and study.trials[1].user_attrs["bracket"] == 4
    assert study.trials[2].user_attrs["rung"] == 0
    assert study.trials[3].user_attrs["error"] == "ValueError: no"
    assert study.user_attrs["data"] and study.user_attrs["space"] == "mine"
    assert study.metric_names == ["validation BCE"]


def test_optuna_can_analyse_it(study):
    importances = optuna.importance.get_param_importances(study)
    assert set(importances) == {"width", "l2"}
    assert sum(importances.values()) == pytest.approx(1)
    assert len(study.trials_dataframe()) == 8


def test_a_trial_that_may_go_on_is_running_and_one_not_begun_is_waiting(tmp_path):
    trials = [trained(0.65, ended=None, last_epoch=9), trained(ended=None)]
    with store_sweep(tmp_path / "sweep.db", trials, state="interrupted") as store:
        path = write_study(load(store), tmp_path)
    with sqlite3.connect(path) as db:
        found = db.execute("SELECT state, datetime_complete FROM trials ORDER BY trial_id")
        assert found.fetchall() == [("RUNNING", None), ("WAITING", None)]
    db.close()


def test_writing_again_replaces_and_never_doubles(frames, tmp_path):
    few = replace(
        frames, trials=frames.trials.head(2), hyperparameters=frames.hyperparameters.head(2)
    )
    for wanted in (few, frames, few):
        path = write_study(wanted, tmp_path)
        summary = optuna.get_all_study_summaries(f"sqlite:///{path}")
        assert [(one.study_name, one.n_trials) for one in summary] == [
            (frames.sweep.name, len(wanted.trials))
        ]
    assert [one.name for one in tmp_path.iterdir()] == ["optuna.db"]


@pytest.mark.parametrize("content", ["text", "another sweep", "a study beside it"])
def test_a_file_that_holds_anything_else_is_refused_and_stays(frames, content, tmp_path):
    path = tmp_path / "optuna.db"
    if content == "text":
        path.write_text("mine")
    else:
        write_study(replace(frames, trials=frames.trials.head(0)), tmp_path)
    if content == "a study beside it":
        optuna.create_study(storage=f"sqlite:///{path}", study_name="mine")
    wanted = frames
    if content == "another sweep":
        wanted = replace(frames, sweep=sweep_row(identity="fedcba9876543210"))
    before = path.read_bytes()
    with pytest.raises(UsageError, match="is not this sweep's study"):
        write_study(wanted, tmp_path)
    assert path.read_bytes() == before


def test_without_optuna_one_line_says_what_to_install(frames, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(PlatformError, match=r"pip install 'keras-sweep\[optuna\]'"):
        write_study(frames, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_the_command_writes_it(tmp_path):
    (tmp_path / "results" / "capacity-1").mkdir(parents=True)
    sweep_of_every_kind(tmp_path / "results" / "capacity-1" / "sweep.db").close()
    options = ["--results", str(tmp_path / "results"), "--no-charts"]
    command = ["report", "capacity-1", "-o", "optuna", "--folder", str(tmp_path / "out"), *options]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0 and done.stdout.strip() == str(tmp_path / "out" / "optuna.db")
    done = CliRunner().invoke(app, ["report", "capacity-1", "-o", "optuna", *options])
    assert done.exit_code != 0 and "--folder" in str(done.exception)


def ranged(kind, low, high, step=None, sampling="linear"):
    values = {"min_value": low, "max_value": high, "step": step, "sampling": sampling}
    return {"name": "x", "kind": kind, **values}


@pytest.mark.parametrize(
    ("definitions", "seen", "expected"),
    [
        ([ranged("Int", 1, 10, 3)], [4], IntDistribution(1, 10, step=3)),
        ([ranged("Int", 1, 10, 3)], [5], IntDistribution(1, 10)),
        ([ranged("Int", 1, 64, 2, "log")], [8], IntDistribution(1, 64, log=True)),
        ([ranged("Float", 0.0, 1.0, 0.1)], [0.3], FloatDistribution(0.0, 1.0, step=0.1)),
        ([ranged("Float", 0.0, 1.0)], [1.5], FloatDistribution(0.0, 1.5)),
        ([ranged("Float", 1e-4, 1.0, None, "log")], [0.1], FloatDistribution(1e-4, 1.0, log=True)),
        (
            [{"name": "x", "kind": "Boolean", "values": [False]}],
            [True],
            CategoricalDistribution([False, True]),
        ),
        ([ranged("Int", 1, 2), ranged("Int", 5, 6)], [6, 1], IntDistribution(1, 6)),
        ([ranged("Int", 1, 9, 2)] * 3, [5], IntDistribution(1, 9, step=2)),
        (
            [ranged("Float", 1e-4, 1e-3, None, "log"), ranged("Float", 0.1, 1.0, None, "log")],
            [0.0002, 0.5],
            FloatDistribution(1e-4, 1.0, log=True),
        ),
        ([ranged("Int", 1, 2), ranged("Float", 0.5, 6.0)], [2, 0.7], FloatDistribution(0.5, 6.0)),
        (
            [{"name": "x", "kind": "Choice", "values": values} for values in (["a"], ["b"])],
            ["b"],
            CategoricalDistribution(["a", "b"]),
        ),
        ([], ["b", "a"], CategoricalDistribution(["b", "a"])),
    ],
)
def test_distributions_are_those_of_the_space(definitions, seen, expected, tmp_path):
    space = {"name": "mine", "hyperparameters": ["x"], "definitions": definitions}
    trials = [trained(0.6, hyperparameters={"x": value}) for value in seen]
    with store_sweep(tmp_path / "sweep.db", trials, space=space) as store:
        found = distributions(load(store))
    assert found == {"x": expected}
    assert all(found["x"]._contains(found["x"].to_internal_repr(value)) for value in seen)
