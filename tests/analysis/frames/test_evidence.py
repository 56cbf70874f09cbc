"""Errors, ties, the simplest trial and classes, from stored sweeps."""

import csv
import io
import json
import re

import numpy as np
import pytest
from rich.console import Console

from sweep.analysis.frames.load import load
from sweep.analysis.frames.trial_class import gap_errors
from sweep.analysis.report.terminal import render_table
from sweep.analysis.report.text_files import to_csv
from sweep.analysis.report.trials_json import to_json
from sweep.records import OutcomeStatus
from tests.support.sweeps import record, rows_of_losses, store_sweep, trained

FAILED = OutcomeStatus.FAILED


def frames_of(tmp_path, *trials, **changes):
    with store_sweep(tmp_path / "sweep.db", trials, **changes) as store:
        return load(store)


def scored(*means, params=None, **losses):
    """Trials with these scores and losses, and a train BCE to match."""
    sizes = params or [100 * (i + 1) for i in range(len(means))]
    return [
        trained(mean, params=size, losses=rows, train_score=mean - 0.01)
        for mean, size, rows in zip(means, sizes, rows_of_losses(*means, **losses), strict=True)
    ]


def column(frames, name):
    return frames.trials.set_index("trial")[name].sort_index().tolist()


def test_errors_ties_and_differences_to_the_best(tmp_path):
    """Two trials 0.0002 apart with a paired error of 0.0009, and one far behind."""
    frames = frames_of(tmp_path, *scored(0.6, 0.6002, 0.7))
    assert column(frames, "tied") == [True, True, False]
    se = column(frames, "val_score_se")
    assert se == pytest.approx([0.5 / np.sqrt(1000)] * 3, rel=0.1)
    assert column(frames, "difference") == pytest.approx([0, 0.0002, 0.1], abs=1e-6)
    paired = column(frames, "difference_se")
    assert paired[0] == 0
    assert paired[1] == pytest.approx(0.02 * np.sqrt(2 / 1000), rel=0.1)


@pytest.mark.parametrize(
    ("params", "simplest"),
    [
        ([300, 200, 100, 10], 2),  # trial 3 is smaller, but beyond one error over rows and seeds
        ([100, 200, 300, 10], 0),
        ([200, 200, 200, 200], 0),  # equal sizes: the first in rank
        ([200, 100, 100, 200], 1),
        ([300, None, 100, 10], 2),  # size unknown
    ],
)
def test_the_simplest_has_the_fewest_parameters_within_one_error(tmp_path, params, simplest):
    sizes = [None if size is None else 1000 * size for size in params]  # 0.003 between seeds
    frames = frames_of(tmp_path, *scored(0.6, 0.6001, 0.604, 0.606, params=sizes))
    assert column(frames, "simplest") == [trial == simplest for trial in range(4)]


def test_a_failed_trial_is_neither_tied_nor_simplest(tmp_path):
    good, bad = scored(0.6, 0.5, params=[200, 100])
    frames = frames_of(tmp_path, good, trained(0.5, losses=bad.losses, params=100, ended=FAILED))
    assert column(frames, "tied") == [True, None]
    assert column(frames, "simplest") == [True, False]
    assert column(frames, "class") == ["balanced", None]


def test_a_sweep_without_losses_is_reported_without_errors(tmp_path):
    frames = frames_of(tmp_path, trained(0.6), trained(0.7))
    for name in ("tied", "simplest", "class"):
        assert column(frames, name) == [None, None]
    assert np.isnan(column(frames, "val_score_se")).all()
    output = printed(frames)
    assert "Errors of all trials are unknown: this sweep was made by an older version" in output
    assert "±" not in output and "0.6000" in output


def test_losses_of_another_epoch_than_the_best_are_not_used(tmp_path):
    """As after a kill between a failure's records and its checkpoint."""
    first, second = scored(0.6, 0.61)
    records = [*second.records, record(2, 0.605)]
    stale = trained(0.61, losses=second.losses)
    with store_sweep(tmp_path / "sweep.db", [first, stale]) as store:
        assignment = store.ended()[1]
        store.save_progress(assignment, "file", 2, records[1:])
        frames = load(store)
    assert column(frames, "best_epoch") == [1, 2]
    assert column(frames, "tied") == [True, None]


RISING = [0.7, 0.65, 0.6, 0.62, 0.65, 0.68, 0.71, 0.74]
TURNING = [0.66, 0.63, 0.6, 0.61, 0.62, 0.64, 0.66, 0.67]
FALLING = [0.74, 0.72, 0.7, 0.68, 0.66, 0.64, 0.62, 0.6]


@pytest.mark.parametrize(
    ("val", "train", "expected"),
    [
        (FALLING, FALLING, "balanced"),
        (RISING, [0.7, 0.65, 0.6, 0.55, 0.5, 0.4, 0.3, 0.2], "overfit"),  # tied, then rose
        (TURNING, TURNING, "balanced"),  # it rose on the training rows too: no overfitting
        ([v + 0.05 for v in FALLING], [v + 0.05 for v in FALLING], "underfit"),
        ([v + 0.05 for v in FALLING], [v - 0.04 for v in FALLING], "overfit"),  # behind by gap
        ([v + 0.2 for v in FALLING], [v + 0.14 for v in FALLING], "underfit"),  # gap 0.06 of 0.2
        ([0.8] * 7 + [0.7], [0.69, 0.7, 0.75, 0.8, 0.8, 0.8, 0.8, 0.8], "diverged"),
        ([0.8] * 7 + [0.7], [0.9] * 7 + [0.8], "underfit"),  # bad, but from the start
    ],
)
def test_the_class_follows_from_gap_onset_and_tie(tmp_path, val, train, expected):
    """Against a best trial of 0.6; SE(gap) is 0.017, so gaps beyond 0.034 count."""
    losses = rows_of_losses(0.6, min(val))
    best = trained(*FALLING, train_score=0.6, losses=losses[0])
    records = [record(i, v, t) for i, (v, t) in enumerate(zip(val, train, strict=True), start=1)]
    trial = trained(*val, losses=losses[1])
    trial = type(trial)(records, last_epoch=8, losses=losses[1])
    frames = frames_of(tmp_path, best, trial)
    assert column(frames, "class")[1] == expected


def test_a_loss_that_is_not_finite_is_divergence_whatever_else_is_known(tmp_path):
    trial = trained(0.65, 0.64, float("nan"), ended=FAILED, error="val_score became nan in epoch 3")
    frames = frames_of(tmp_path, trained(0.6), trial, trained(ended=FAILED, error="no"))
    assert column(frames, "class") == [None, "diverged", None]


def test_the_error_of_the_gap_holds_both_sets_of_rows():
    """SD²/1,000 + SD²/10,000 for equal spreads."""
    assert gap_errors([0.5 / np.sqrt(1000)], 1000, 10_000)[0] == pytest.approx(
        np.sqrt(0.25 / 1000 + 0.25 / 10_000)
    )


def printed(frames, width=160):
    console = Console(width=width, highlight=False, markup=False)
    with console.capture() as capture:
        console.print(render_table(frames))
    return capture.get()


def test_the_table_shows_errors_and_marks_and_explains_them(tmp_path):
    frames = frames_of(tmp_path, *scored(0.61234, 0.6124, 0.7, params=[300, 200, 100]))
    first, second, third = printed(frames).splitlines()[2:5]
    assert "0.612 ± 0.016  =   " in first
    assert "0.612 ± 0.016  =*  " in second
    assert "0.700 ± 0.016      " in third and "underfit" in third
    notes = printed(frames)
    assert "± SE: standard error over the 1,000 validation rows." in notes
    for mark in ("= tied with the best:", "* the simplest:", "class: overfit ("):
        assert notes.count(mark) == 1


def test_nothing_is_shown_beyond_its_error(tmp_path):
    """Half a nat of spread over 1,000 rows: 0.016. Over 25: 0.1, so one decimal less."""
    few = frames_of(tmp_path, *scored(0.61234, 0.7, rows=25))
    assert re.search(r" 0\.61 ± 0\.1\d ", printed(few))


def test_files_carry_errors_and_marks_at_full_precision(tmp_path):
    frames = frames_of(tmp_path, *scored(0.6, 0.6002), trained(0.7))
    trials = json.loads(to_json(frames))["trials"]
    rows = list(csv.DictReader(io.StringIO(to_csv(frames))))
    for trial, row, se in zip(trials, rows, frames.trials["val_score_se"], strict=True):
        assert trial["val_score_se"] == (None if np.isnan(se) else se)
        assert row["tied"] == ("" if trial["tied"] is None else str(trial["tied"]))
    assert [trial["tied"] for trial in trials] == [True, True, None]
    assert [trial["simplest"] for trial in trials] == [True, False, False]
    assert [trial["class"] for trial in trials] == ["balanced", "balanced", None]
