"""The verdict of sweeps whose right answer is known by how they were made."""

import json
from dataclasses import replace
from itertools import count

import numpy as np
import pandas as pd
import pytest

from sweep.analysis.answers.capacity_groups import decade
from sweep.analysis.answers.chosen_trials import chosen
from sweep.analysis.answers.overfitting import Overfitting
from sweep.analysis.answers.regularisers import kinds, kinds_of, regularisers
from sweep.analysis.answers.verdict import verdict
from sweep.analysis.frames.load import load
from sweep.analysis.report.terminal import report
from sweep.analysis.report.text_files import to_markdown
from sweep.analysis.report.trials_json import to_json, write_verdict
from sweep.analysis.report.verdict_words import lines
from sweep.errors import DataError
from sweep.records import OutcomeStatus
from sweep.statistics.selection_bias import optimism
from tests.support.printed import printed
from tests.support.sweeps import confirm, rows_of_losses, store_sweep, trained

STOPPED = OutcomeStatus.STOPPED
NAMES = count()


def trial(params, score, *, epochs=20, l2=0.0, dropout=0.0, rise=0.0, **changes):
    """A curve that falls to `score` by its middle and rises by `rise` behind it."""
    half = epochs // 2
    curve = [score + 0.1 * (half - e) / half for e in range(half)]
    curve += [score + rise * (e + 1) / (epochs - half) for e in range(epochs - half)]
    values = {"width": params, "l2": l2, "dropout": dropout}
    return trained(*curve, params=params, hyperparameters=values, ended=STOPPED, **changes)


def cut(params, score, **changes):
    return replace(trial(params, score, epochs=3, **changes), ended=OutcomeStatus.COMPLETED)


def judged(tmp_path, trials, tied=(), simplest=None, **changes):
    """The verdict when the trials numbered `tied` are tied with the best."""
    with store_sweep(tmp_path / f"{next(NAMES)}.db", trials, **changes) as store:
        frames = load(store)
    table = frames.trials.copy()
    table["tied"] = table["trial"].isin(tied)
    table["simplest"] = table["trial"] == simplest
    table["val_score_se"] = 0.015
    return verdict(replace(frames, trials=table))


def words(found):
    return " ".join(line for _, line in lines(found))


def test_a_clear_answer_names_capacity_and_regularisation(tmp_path):
    trials = [
        trial(300, 0.62),
        trial(5_000, 0.56, dropout=0.3),
        trial(20_000, 0.55, dropout=0.5),
        trial(400_000, 0.60, l2=0.01),
        cut(2_000_000, 0.66),
    ]
    found = judged(tmp_path, trials, tied=(1, 2), simplest=1)
    assert found.is_enough and found.reasons == [] and found.is_final
    assert (found.trials, found.tied, found.best.trial, found.simplest.trial) == (5, 2, 2, 1)
    assert found.params_tied == (5_000, 20_000)
    assert found.params_tried == (300, 2_000_000)
    assert found.capacity.best == ["1k–10k", "10k–100k"]
    assert found.capacity.ruled_out == ["100–1k", "100k–1M"]
    assert found.capacity.cut_short == ["1M–10M"], "never trained in full, so not ruled out"
    assert found.regularisation.best == ["dropout"]
    assert found.regularisation.ruled_out == ["none", "l2"]
    said = words(found)
    assert "Best is trial 2: val BCE 0.550 ± 0.015, 20,000 parameters, regularised by" in said
    assert (
        "simplest within one standard error is trial 1: val BCE 0.560 ± 0.015, 5,000 parameters"
        in said
    )
    assert (
        "best with 5,000 to 20,000 parameters; worse: 100–1k (1 trial), 100k–1M (1 trial);" in said
    )
    assert len(lines(found)) <= 4


def test_few_trials_are_not_enough(tmp_path):
    found = judged(tmp_path, [trial(300, 0.6), trial(900, 0.5)], tied=(1,))
    assert found.reasons == ["only 2 of at least 5 trials have a score"]
    assert "Not enough evidence: only 2" in words(found)


def test_all_tied_is_not_enough(tmp_path):
    trials = [trial(10**k, 0.6 + k / 1e4) for k in range(2, 8)]
    found = judged(tmp_path, trials, tied=range(6), simplest=0)
    assert found.reasons == ["all 6 trials are tied"]
    assert not found.capacity.is_decided
    assert "; the other 5 trials are tied with it" in words(found)


def test_all_tied_by_one_run_each_says_so_where_there_are_repeats(tmp_path):
    losses = rows_of_losses(*(0.6 + k / 1e4 for k in range(5)))
    trials = [trial(10**k, float(one.mean()), losses=one) for k, one in enumerate(losses, 2)]
    with store_sweep(tmp_path / "sweep.db", trials) as store:
        confirm(store, 0, 0.6, 0.61)
        found = verdict(load(store))
    assert found.reasons == ["all 5 trials are tied by their one run in the search"]


def test_differences_within_the_error_are_not_enough(tmp_path):
    """Only trials that were cut are worse, so no size and no regularisation is ruled out."""
    trials = [*(trial(10**k, 0.6) for k in range(2, 6)), cut(10**6, 0.66, l2=0.1)]
    found = judged(tmp_path, trials, tied=range(4))
    assert not found.is_enough
    assert found.reasons[0].startswith("no capacity or kind of regularisation")
    assert found.capacity.cut_short == ["1M–10M"] and found.regularisation.cut_short == ["l2"]


def test_a_best_trial_that_was_cut_is_not_enough(tmp_path):
    trials = [cut(10**6, 0.5), *(trial(10**k, 0.6) for k in range(2, 6))]
    found = judged(tmp_path, trials, tied=(0,))
    assert found.reasons == ["the best trial was trained for only 3 epochs, not in full"]


def test_a_best_trial_that_still_improves_is_not_enough(tmp_path):
    falling = trained(*np.linspace(0.7, 0.5, 20), params=900, last_epoch=81, ended=STOPPED)
    found = judged(tmp_path, [falling, *(trial(10**k, 0.6) for k in range(2, 6))], tied=(0,))
    assert found.reasons == ["the best trial was still improving when training ended at epoch 20"]


def test_one_lucky_epoch_at_the_end_is_no_improvement(tmp_path):
    flat = [0.5, 0.51] * 60 + [0.485]
    best = trained(*flat, params=900, last_epoch=243, ended=STOPPED)
    found = judged(tmp_path, [best, *(trial(10**k, 0.6) for k in range(2, 6))], tied=(0,))
    assert found.is_enough, found.reasons


def test_a_fall_at_the_end_that_stays_above_the_best_is_no_improvement(tmp_path):
    curve = [0.7, 0.5, *[0.53] * 14, *np.linspace(0.54, 0.52, 6)]
    best = trained(*curve, params=900, last_epoch=27, ended=STOPPED)
    found = judged(tmp_path, [best, *(trial(10**k, 0.6) for k in range(2, 6))], tied=(0,))
    assert found.is_enough, found.reasons


def test_a_trial_that_rose_for_good_is_not_improving(tmp_path):
    """From its peak it falls again, but not to where it was."""
    curve = [*np.linspace(0.7, 0.5, 10), *np.linspace(0.5, 0.6, 10), *np.linspace(0.6, 0.54, 7)]
    best = trained(*curve, params=900, last_epoch=81, ended=STOPPED)
    found = judged(tmp_path, [best, *(trial(10**k, 0.6) for k in range(2, 6))], tied=(0,))
    assert found.is_enough, found.reasons


def test_scores_without_errors_are_not_enough(tmp_path):
    found = judged(tmp_path, [trial(10**k, 0.6) for k in range(2, 8)])
    assert found.tied is None and found.capacity is None
    assert "errors of the scores are unknown" in words(found)
    assert "tied" not in words(found)


def test_an_unfinished_sweep_says_that_it_may_change(tmp_path):
    trials = [trial(10**k, 0.5 + k / 100) for k in range(2, 8)]
    found = judged(tmp_path, trials, tied=(0,), simplest=0, state="running")
    assert found.is_enough and not found.is_final
    assert "The sweep is not finished; this may change." in words(found)


def test_overfitting_begins_where_half_of_the_larger_trials_overfit(tmp_path):
    sizes = (100, 500, 1_000, 3_000, 5_000, 20_000, 100_000, 300_000)
    overfit = (500, 20_000, 300_000)
    trials = [trial(params, 0.6, rise=0.1 * (params in overfit)) for params in sizes]
    found = judged(tmp_path, [*trials, cut(10**6, 0.7)], tied=(0,)).overfitting
    assert (found.judged, found.seen) == (8, 3)
    assert (found.from_params, found.smallest_params) == (20_000, 500)


def test_no_overfitting_and_no_long_trial_are_told_apart(tmp_path):
    none = judged(tmp_path, [trial(10**k, 0.6) for k in range(2, 8)], tied=(0,))
    assert none.overfitting == Overfitting(6, 0, 0.02, 0, None, None, None)
    assert "Not seen in 6 trials of 5 or more epochs." in words(none)
    short = judged(tmp_path, [cut(10**k, 0.6) for k in range(2, 8)], tied=(0,))
    assert "Cannot be judged: no trial was trained for 5 epochs." in words(short)


def test_confirmation_ties_selection_bias_and_openings_are_said(tmp_path):
    """From losses row by row to words: nothing is put into the table by hand."""
    scores = (0.50, 0.501, 0.56, 0.57, 0.58)
    trials = [
        trial(10 ** (6 - i), score, losses=losses)
        for i, (score, losses) in enumerate(zip(scores, rows_of_losses(*scores), strict=True))
    ]
    with store_sweep(tmp_path / "sweep.db", trials) as store:
        confirm(store, 0, 0.53, 0.55)
        confirm(store, 1, 0.53, 0.542)
        opening = store.open_test(0, "best", 0.5, 10_000, "c0ffee")
        found = verdict(load(store))
    assert opening.opening == found.test_openings == 1
    assert found.is_enough and found.tied == 2 and found.params_tied == (100_000, 1_000_000)
    assert 0 < found.optimism.bias < 0.003
    confirmation = found.confirmation
    assert (confirmation.trial, confirmation.seeds, confirmation.confirmed) == (1, 2, 2)
    assert confirmation.val_score == pytest.approx(0.536) and confirmation.val_score_se > 0
    assert confirmation.bias == pytest.approx((0.50 - 0.54 + 0.501 - 0.536) / 2)
    said = words(found)
    assert "repeated under other seeds, the first by its mean is trial 1: mean val BCE 0.53" in said
    assert "scores in the search were 0.0375 ± 0.0025 nats better than the repeats" in said
    assert "Selection bias: expect the best trial to do" in said
    assert "nats worse on new data (chosen among 5)." in said
    assert "The test rows have been opened once." in said


@pytest.mark.parametrize("state", ["running", "finished"])
def test_a_sweep_without_trials_has_a_verdict(tmp_path, state):
    found = judged(tmp_path, [], state=state)
    assert not found.is_enough and found.best is None
    assert [label for label, _ in lines(found)] == ["verdict"]


def test_every_form_of_the_report_carries_the_verdict(tmp_path):
    with store_sweep(tmp_path / "sweep.db", [trial(10**k, 0.6) for k in range(2, 8)]) as store:
        frames = load(store)
    path = tmp_path / "verdict.json"
    write_verdict(frames, path)
    answer = json.loads(path.read_text())
    assert answer == json.loads(to_json(frames))["verdict"]
    assert answer["schema"] == "sweep.verdict/1" and answer["is_enough"] is False
    assert "verdict     Not enough evidence" in printed(report(frames))
    assert "**verdict**: Not enough evidence" in to_markdown(frames)


def test_names_tell_what_regularises():
    names = ["l2", "kernel_l1", "dropout", "dropout_rate", "weight_decay", "regularizer", "noise"]
    others = ["decay_steps", "width", "learning_rate", "level2", "momentum", "drop_last"]
    assert regularisers([*names, *others]) == names


def test_a_kind_is_what_is_switched_on():
    values = {
        "l2": [0.0, 1e-3, None, 0.1, float("nan")],
        "dropout": [0, 0.5, 0.2, "none", False],
        "width": [8, 8, 8, 8, 8],
    }
    found = kinds(pd.DataFrame(values, dtype=object))
    assert found.tolist() == ["none", "l2 + dropout", "dropout", "l2", "none"]


@pytest.mark.parametrize(
    ("params", "name"),
    [(0, "1–10"), (9, "1–10"), (1_000, "1k–10k"), (999_999, "100k–1M"), (10**9, "1G–10G")],
)
def test_decades_have_plain_names(params, name):
    assert decade(params) == name


@pytest.mark.parametrize("n_trials", [5, 50])
def test_the_optimism_of_equal_trials_is_what_choosing_adds(n_trials):
    """The expected loss is 0.5 for all, so all that the best lies below it is chance."""
    random = np.random.default_rng(0)
    draws = [0.5 + 0.4 * random.standard_normal((n_trials, 500)) for _ in range(20)]
    true = np.mean([0.5 - losses.mean(axis=1).min() for losses in draws])
    assert np.mean([optimism(losses).bias for losses in draws]) == pytest.approx(true, rel=0.2)


def test_a_clear_winner_is_not_too_good():
    losses = np.random.default_rng(0).normal(0.5, 0.1, (5, 500)) + np.arange(5)[:, None]
    assert optimism(losses).bias < 2e-3


def test_optimism_takes_two_trials():
    assert optimism(np.ones((1, 100))) is None and optimism(np.ones((0, 0))) is None


def test_a_hyperparameter_with_an_unfamiliar_name_leaves_regularisation_unknown():
    values = pd.DataFrame(
        {"width": [8, 8, 8], "rate": [0.3, 0.0, 0.3], "l2": [0.0, 0.0, 0.1]}, dtype=object
    )
    assert kinds(values).tolist() == ["unknown", "none", "l2"]
    assert kinds(values[["width"]]).tolist() == ["none"] * 3
    assert kinds(values[[]]).tolist() == ["none"] * 3


def test_what_a_model_was_read_to_have_goes_before_names(tmp_path):
    """A dropout called `d1` is dropout, and one called `l2` that is off in the model is none."""
    values = {"d1": 0.5, "l2": 0.0}
    reads = ['{"dropout": {"Dropout 1": 0.5}}', "{}", '{"unseen": {"Gate 1": 1.0}}', None]
    store = store_sweep(tmp_path / "s.db", [trained(0.6, hyperparameters=values) for _ in reads])
    for trial, text in enumerate(reads):
        store._db.execute("UPDATE trial SET regularisation = ? WHERE trial = ?", (text, trial))
    frames = load(store)
    found = dict(zip(frames.trials["trial"], kinds_of(frames), strict=True))
    assert found == {0: "dropout", 1: "none", 2: "unknown", 3: "unknown"}


@pytest.mark.parametrize("text", ["[]", '{"sorcery": {}}', '{"l2": 1}', '{"l2": {"a": "b"}}'])
def test_a_forged_reading_is_damage(tmp_path, text):
    store = store_sweep(tmp_path / "s.db", [trained(0.6)])
    store._db.execute("UPDATE trial SET regularisation = ?", (text,))
    with pytest.raises(DataError, match="regularisation"):
        load(store)


def test_a_bias_that_chance_explains_and_runs_that_were_cut_give_no_direction(tmp_path):
    scores = (0.50, 0.501, 0.56, 0.57, 0.58)
    cut = OutcomeStatus.COMPLETED
    trials = [
        trained(score, params=1000, losses=one, last_epoch=1 if n == 2 else 81, ended=kind)
        for n, (score, one, kind) in enumerate(
            zip(scores, rows_of_losses(*scores), (STOPPED, STOPPED, cut, cut, cut), strict=True)
        )
    ]
    with store_sweep(tmp_path / "sweep.db", trials) as store:
        confirm(store, 0, 0.53, 0.55)
        confirm(store, 1, 0.50, 0.51)
        confirm(store, 2, 0.20, 0.21)  # its own run was cut: no like to compare with
        found = verdict(load(store))
    assert found.confirmation.bias == pytest.approx((0.50 - 0.54 + 0.501 - 0.505) / 2)
    assert not found.confirmation.bias_is_sure
    assert "no difference found between scores in the search and the repeats" in words(found)
    assert "better than the repeats" not in words(found)


def test_a_learning_rate_of_0_finds_nothing(tmp_path):
    scores = (0.50, 0.55, 0.6, 0.61, 0.62, 0.63)
    trials = [
        trial(10**k, score, losses=one)
        for k, (score, one) in enumerate(zip(scores, rows_of_losses(*scores), strict=True), 2)
    ]
    assert verdict_of(tmp_path / "one.db", trials).is_enough
    for one in trials:
        one.records[:] = [replace(epoch, learning_rate=0.0) for epoch in one.records]
    found = verdict_of(tmp_path / "other.db", trials)
    assert not found.is_enough and found.worth is None
    assert "its learning rate was 0" in words(found)


def test_no_word_of_test_rows_where_there_are_none_and_two_trials_are_not_the_other_1(tmp_path):
    found = judged(tmp_path, [trial(100, 0.5), trial(1000, 0.6)], tied=(0,))
    assert "sealed" not in words(replace(found, test_rows=0))
    assert "still sealed" in words(replace(found, test_rows=500))
    assert "the other trial is not tied with it" in words(found)


def verdict_of(path, trials):
    with store_sweep(path, trials) as store:
        return verdict(load(store))


def test_the_luck_of_an_epoch_is_taken_off_and_the_score_stays(tmp_path):
    """Trial 0 has the lowest score, at an epoch that three tenths of the rows alone find good."""
    scores = (0.590, 0.592, 0.70, 0.71, 0.72)
    trials = []
    for number, (score, one) in enumerate(zip(scores, rows_of_losses(*scores), strict=True)):
        found = trial(10 ** (6 - number), score, losses=one)
        curve = np.array([epoch.val_score for epoch in found.records])
        folds = np.tile(curve[:, None], (1, 10))
        if number == 0:
            folds[curve.argmin(), :3] -= 0.2
            folds[curve.argmin(), 3:] += 0.2 * 3 / 7
        found.records[:] = [
            replace(epoch, val_folds=tuple(row))
            for epoch, row in zip(found.records, folds.tolist(), strict=True)
        ]
        trials.append(found)
    with store_sweep(tmp_path / "sweep.db", trials) as store:
        frames = load(store)
    table = frames.trials.set_index("trial")
    assert list(frames.trials["trial"]) == [0, 1, 2, 3, 4] and table["val_score"][0] == 0.590
    assert table["choice_of_epoch"][0] > 0.003 and table["choice_of_epoch"][1] < 1e-6
    found = verdict(frames)
    assert (found.best.trial, found.lowest.trial, found.simplest.trial) == (1, 0, 1)
    assert "of trial 0 is lower, but about" in words(found)
    assert "too good by the choice of its epoch" in words(found)
    assert "Choice of the epoch: less than" in words(found)
    assert chosen(frames, "best").trial == 1
