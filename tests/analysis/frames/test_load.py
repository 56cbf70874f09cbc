import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.analysis.answers.verdict import verdict
from sweep.analysis.frames.load import TRIAL_COLUMNS, load
from sweep.analysis.frames.trial_status import standing
from sweep.analysis.report.commands import commands
from sweep.records import OutcomeStatus
from sweep.statistics.onset import TOLERANCE, onset, onsets, smoothed
from tests.support.sweeps import NAMES, Trained, hyperband, record, store_sweep, trained

FAILED, STOPPED = OutcomeStatus.FAILED, OutcomeStatus.STOPPED


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    with hyperband(tmp_path_factory.mktemp("played") / "sweep.db") as store:
        yield load(store)


def by_trial(frames):
    return frames.trials.set_index("trial")


def frames_of(tmp_path, *trials, **changes):
    with store_sweep(tmp_path / "sweep.db", trials, **changes) as store:
        return load(store)


def test_a_trial_is_described_by_its_best_epoch(tmp_path):
    records = [record(1, 0.66, 0.65), record(2, 0.61, 0.60), record(3, 0.62, 0.58)]
    trial = frames_of(tmp_path, Trained(records, last_epoch=3)).trials.iloc[0]
    assert (trial["val_score"], trial["train_score"], trial["best_epoch"]) == (0.61, 0.60, 2)
    assert trial["gap"] == 0.61 - 0.60
    assert trial["val_auc"] == records[1].val_auc
    assert (trial["epochs"], trial["seconds"], trial["params"]) == (3, 0.75, 481)


def test_of_equal_epochs_the_first_is_the_best(tmp_path):
    frames = frames_of(tmp_path, trained(0.66, 0.61, 0.61))
    assert frames.trials["best_epoch"].tolist() == [2]


def test_an_epoch_without_a_finite_bce_is_no_score(tmp_path):
    frames = frames_of(
        tmp_path,
        trained(0.65, 0.64, math.nan, ended=FAILED, error="the loss is not finite"),
        trained(math.nan, math.inf),
    )
    trials = by_trial(frames)
    assert trials.loc[0, "val_score"] == 0.64
    assert math.isnan(trials.loc[1, "val_score"])
    assert trials.loc[1, "epochs"] == 2
    assert pd.isna(trials.loc[1, "best_epoch"])


@pytest.mark.parametrize(
    ("trial", "state", "status"),
    [
        (trained(*[0.6] * 81), "running", "finished"),
        (trained(0.6, 0.7, ended=STOPPED, last_epoch=81), "running", "stopped"),
        (trained(0.6, 0.7, last_epoch=2), "running", "waiting"),
        (trained(0.6, 0.7, last_epoch=2), "interrupted", "waiting"),
        (trained(0.6, 0.7, last_epoch=2), "finished", "cut"),
        (trained(0.6, ended=None, last_epoch=3), "running", "running"),
        (trained(ended=None, last_epoch=3), "running", "pending"),
        (trained(0.6, ended=FAILED, last_epoch=3), "finished", "failed"),
    ],
)
def test_status_says_what_became_of_a_trial(tmp_path, trial, state, status):
    frames = frames_of(tmp_path, trial, state=state)
    assert frames.trials["status"].tolist() == [status]


@pytest.mark.parametrize(
    ("status", "epochs", "words"),
    [
        ("cut", 3, "cut at epoch 3"),
        ("stopped", 31, "stopped at epoch 31"),
        ("finished", 81, "finished"),
        ("pending", 0, "pending"),
        ("failed", 0, "failed"),
    ],
)
def test_standing_names_the_epoch(status, epochs, words):
    assert standing(status, epochs) == words


def test_the_caller_may_know_the_state_better(tmp_path):
    with store_sweep(tmp_path / "sweep.db", [trained(0.6)], state="running") as store:
        assert load(store, state="interrupted").sweep.state == "interrupted"


def test_a_promoted_trial_is_at_its_highest_rung(tmp_path):
    with hyperband(tmp_path / "sweep.db", failures=0) as store:
        trials = load(store).trials
    ladder = trials[trials["bracket"] == 4]["rung"].value_counts().sort_index()
    assert ladder.tolist() == [81 - 27, 27 - 9, 9 - 3, 3 - 1, 1]
    of_bracket = trials[trials["bracket"] == 3].groupby("rung")["last_epoch"].unique()
    assert [list(planned) for planned in of_bracket] == [[3], [9], [27], [81]]
    baselines = trials.loc[trials["baseline"].notna(), ["rung", "bracket", "iteration"]]
    assert baselines.isna().to_numpy().all()


def test_every_column_is_named_in_the_data_dictionary(played):
    assert list(played.trials.columns) == list(TRIAL_COLUMNS)


def test_gap_is_validation_minus_train_in_the_same_epoch(played):
    epochs = played.epochs.set_index(["trial", "epoch"])
    for trial in played.trials.dropna(subset="val_score").itertuples():
        at_best = epochs.loc[(trial.trial, trial.best_epoch)]
        assert trial.val_score == at_best["val_score"] == epochs.loc[trial.trial]["val_score"].min()
        assert trial.gap == at_best["val_score"] - at_best["train_score"]


def test_hyperparameters_keep_the_order_of_the_space_and_their_types(played):
    assert played.hyperparameter_names == NAMES
    first = played.hyperparameters.iloc[0].to_dict()
    assert first == played.trials["hyperparameters"][0]
    assert [type(first[name]) for name in NAMES] == [int, int, float, float, int]


def test_a_hyperparameter_may_be_missing_or_called_like_a_column(tmp_path):
    frames = frames_of(
        tmp_path,
        trained(0.6, hyperparameters={"epochs": 7, "momentum": 0.9}),
        trained(0.7, hyperparameters={"epochs": "many"}),
    )
    assert frames.hyperparameters["epochs"].tolist() == [7, "many"]
    assert frames.hyperparameters["momentum"].tolist() == [0.9, None]
    assert frames.trials["epochs"].tolist() == [1, 1]


def test_an_empty_sweep_has_all_columns_and_no_rows(tmp_path):
    frames = frames_of(tmp_path, state="interrupted")
    assert list(frames.trials.columns) == list(TRIAL_COLUMNS)
    assert len(frames.trials) == len(frames.epochs) == len(frames.hyperparameters) == 0


# Onset


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        ([], None),
        ([0.6], None),
        ([0.7, 0.6, 0.7], None),  # three epochs average to one value
        ([0.6] * 20, None),
        ([0.7 - 0.01 * e for e in range(20)], None),  # falls to the end
        ([0.6 + 0.01 * e for e in range(20)], 1),  # rises from the first epoch
        ([0.6 + 0.01 * abs(e - 8) for e in range(20)], 9),  # epoch 9 is the turning point
        ([0.6 + 0.01 * abs(e - 8) for e in range(12)] + [0.6] * 8, None),  # comes back down
        ([0.6] * 10 + [0.9] + [0.6] * 9, None),  # one bad epoch is no rise
        ([0.6] * 19 + [0.6 + 2 * TOLERANCE], None),  # nor is a bad last one
    ],
)
def test_onset_is_the_minimum_after_which_the_curve_rises_for_good(curve, expected):
    assert onset(curve) == expected


def test_onset_is_not_moved_by_one_lucky_epoch():
    curve = [0.6 + 0.01 * abs(e - 8) for e in range(20)]
    curve[15] = 0.64
    assert onset(curve) == 9


def test_onset_leaves_out_epochs_without_a_value():
    curve = [0.6 + 0.01 * abs(e - 8) for e in range(20)]
    assert onset([*curve[:3], math.nan, *curve[4:], math.inf]) == 9


curves = st.lists(
    st.lists(st.floats(0.3, 2.0) | st.just(math.nan), min_size=1, max_size=30),
    min_size=1,
    max_size=6,
)


@settings(deadline=None)
@given(curves)
def test_onsets_of_many_trials_are_those_of_each_alone(many):
    trial = np.repeat(np.arange(len(many)), [len(curve) for curve in many])
    epoch = np.concatenate([np.arange(1, len(curve) + 1) for curve in many])
    found = onsets(trial, epoch, np.concatenate(many), len(many))
    assert [None if np.isnan(one) else int(one) for one in found] == [onset(c) for c in many]


@settings(deadline=None)
@given(st.lists(st.floats(0.3, 2.0), min_size=1, max_size=30), st.integers(0, 4))
def test_smoothing_is_the_mean_over_the_window(values, half):
    found = smoothed(np.zeros(len(values), np.intp), np.array(values), half)
    expected = [np.mean(values[max(i - half, 0) : i + half + 1]) for i in range(len(values))]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_reading_charting_and_logging_start_no_tensorflow(tmp_path):
    store_sweep(tmp_path / "sweep.db", [trained(0.6, 0.62)]).close()
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from sweep.analysis.charts import catalogue as charts\n"
        "from sweep.analysis.exchange import tensorboard\n"
        "from sweep.analysis.frames import load as frames\n"
        "from sweep.analysis.report import terminal, text_files, trials_json\n"
        "from sweep.store import Store\n"
        "found = frames.load(Store(Path('sweep.db'), read_only=True))\n"
        "terminal.report(found), trials_json.to_json(found), text_files.to_csv(found)\n"
        "charts.write_charts(found, Path('charts'))\n"
        "slow = 'scipy.stats' in sys.modules\n"
        "tensorboard.write_tensorboard(found, Path('logs'))\n"
        "heavy = [m for m in ('tensorflow', 'keras', 'keras_tuner') if m in sys.modules]\n"
        "sys.exit(f'imported: {heavy}, scipy.stats: {slow}' if heavy or slow else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_renamed_sweep_goes_by_the_name_of_its_folder(tmp_path):
    store = store_sweep(tmp_path / "sweep.db", [trained(0.6)])
    assert load(store).sweep.name == "capacity-1"
    frames = load(store, name="renamed")
    assert frames.sweep.name == "renamed"
    assert all("capacity-1" not in line for line in commands(frames))
    assert verdict(frames).sweep == "renamed"
