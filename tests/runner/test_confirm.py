"""Confirmation: errors that cover, a bias that is found, runs that disturb nothing."""

import json
import shutil
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sweep.analysis.frames.load import load
from sweep.analysis.frames.other_seeds import bias, confirmed, runs
from sweep.records import SweepState
from sweep.runner.confirm import confirmations
from sweep.runner.limits import Ending
from sweep.seeds import derive
from sweep.statistics.seeds_and_rows import difference, mean
from sweep.store import Store
from sweep.testing import IdleTrainer
from tests.support import tiny, warm
from tests.support.runs import confirm_in, contents, new_runner, new_store, search


def test_the_error_of_a_mean_by_hand():
    """Losses 1 3 / 2 8: MS seeds 9, MS rows 16, MS rest 4: variance (9 + 16 - 4) / 4."""
    found = mean(np.array([[1.0, 3.0], [2.0, 8.0]]))
    assert (found.value, found.error) == (3.5, pytest.approx(np.sqrt(21 / 4)))
    assert found.freedom == pytest.approx((21 / 4) ** 2 / (4**2 + (81 + 16) / 16))


def test_a_single_seed_has_no_error():
    found = mean(np.ones((1, 5)))
    assert found.value == 1 and np.isnan(found.error) and np.isnan(found.interval[0])
    assert np.isnan(difference(np.ones((1, 5)), np.ones((3, 5))).error)


def test_seeds_that_agree_leave_the_error_of_the_rows():
    rows = np.random.default_rng(0).normal(size=50)
    assert mean(np.tile(rows, (4, 1))).error == pytest.approx(rows.std(ddof=1) / np.sqrt(50))
    assert difference(np.tile(rows, (4, 1)), np.tile(rows, (2, 1))).error == 0


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("of_seeds", [0.0, 0.02])
def test_intervals_hold_the_truth_95_times_in_100(seeds, of_seeds):
    """Seeds and rows drawn anew each time; the errors of 500 draws are 1 %."""
    random = np.random.default_rng(seeds)
    held = {"mean": 0, "difference": 0}
    for _ in range(500):
        rows = random.normal(0.5, 0.5, 300)
        one, two = (
            random.normal(0, of_seeds, (seeds, 1)) + rows + random.normal(0, 0.1, (seeds, 300))
            for _ in range(2)
        )
        low, high = mean(one).interval
        held["mean"] += low < 0.5 < high
        low, high = difference(one, two).interval
        held["difference"] += low < 0 < high
    assert all(0.92 <= count / 500 <= 0.995 for count in held.values()), held


def search_and_confirm(random: np.random.Generator, top: int) -> tuple[pd.DataFrame, float]:
    """100 configurations searched under one seed each, the `top` confirmed under five; and how
    far the scores of these lie from what they truly reach."""
    truth = random.normal(0.6, 0.01, 100)
    score = truth + random.normal(0, 0.01, 100)
    best = np.argsort(score)[:top]
    trials = pd.DataFrame(
        {
            "trial": range(100),
            "baseline": None,
            "params": 9,
            "val_score": score,
            "status": "finished",
            "choice_of_epoch": np.nan,
            "expected_score": np.nan,
        }
    )
    rows = [
        {"trial": 100 + 5 * i + k, "confirms": trial, "val_score": truth[trial] + seed}
        for i, trial in enumerate(best)
        for k, seed in enumerate(random.normal(0, 0.01, 5))
    ]
    repeats = pd.DataFrame(rows).assign(
        status="finished",
        train_score=0.5,
        onset_epoch=np.nan,
        epochs=9,
        seconds=1.0,
        choice_of_epoch=np.nan,
    )
    table = confirmed(trials, runs(trials, repeats), {})
    return table, float((score - truth)[best].mean())


def test_the_search_is_found_too_good_by_as_much_as_it_is():
    """The best 8 of 100 by a noisy score; what is estimated is what the simulation knows."""
    random = np.random.default_rng(3)
    found, true, errors = [], [], []
    for _ in range(40):
        table, truth = search_and_confirm(random, top=8)
        estimate = bias(table)
        assert estimate is not None and estimate.trials == 8
        found.append(estimate.value)
        true.append(truth)
        errors.append(estimate.error)
    assert np.mean(true) < -0.005, "the simulation chooses what was lucky"
    assert np.mean(found) == pytest.approx(np.mean(true), abs=0.0008)
    assert max(found) < 0
    assert np.mean(errors) == pytest.approx(np.std(np.subtract(found, true)), rel=1.0)


def test_nothing_is_too_good_where_nothing_was_chosen():
    table, _ = search_and_confirm(np.random.default_rng(4), top=100)
    estimate = bias(table)
    assert estimate is not None
    assert abs(estimate.value) < 3 * estimate.error
    assert list(table["val_score"]) == sorted(table["val_score"])


def test_a_trial_of_the_search_has_no_name_beside_baselines_that_do():
    columns = {"params": 9, "val_score": 0.5, "train_score": 0.5, "status": "finished"}
    columns |= {"onset_epoch": np.nan, "epochs": 9, "seconds": 1.0, "choice_of_epoch": np.nan}
    trials = pd.DataFrame({"trial": [0, 1], "baseline": ["Tiny", None], **columns})
    repeats = pd.DataFrame({"trial": [2, 3], "confirms": [0, 1], **columns})
    table = confirmed(trials, runs(trials, repeats), {})
    assert table["baseline"].tolist() == ["Tiny", None]
    assert table["seeds"].tolist() == [2, 1], "a baseline's own run counts"


def test_a_baselines_own_run_is_its_first_seed_and_a_trials_is_not():
    values: dict[int, dict[str, Any]] = {0: {"width": 8}, 3: {"width": 9}}
    new = confirmations(values, baselines=[0], seeds=3, sweep_seed=7)
    assert [(n.confirms, n.seed_number) for n in new] == [(3, 1), (0, 2), (3, 2), (0, 3), (3, 3)]
    assert len({n.seed for n in new}) == 5
    assert new[0].seed == derive(7, "confirm", 3, 1)
    there = [(3, 1), (0, 2), (3, 2)]
    more = confirmations(values, [0], 3, 7, there)
    assert [(n.confirms, n.seed_number) for n in more] == [(0, 3), (3, 3)]


def searched(store: Store) -> Any:
    """All of the search: its trials, assignments and epochs."""
    tables = contents(store)
    names = store.table("trial")[0]
    others = {row[0] for row in tables["trial"] if row[names.index("confirms")] is not None}
    of_trial = store.table("assignment")[0].index("trial")
    return (
        [row for row in tables["trial"] if row[0] not in others],
        [row for row in tables["assignment"] if row[of_trial] not in others],
        [row for row in tables["epoch"] if row[0] not in others],
    )


def test_confirmations_change_nothing_of_the_search(tmp_path, keras):
    folder, store = new_store(tmp_path)
    new_runner(folder, store, IdleTrainer()).run()
    before, progress, lowest = searched(store), store.progress(), store.lowest()
    confirm_in(store, {4: {"width": 3}, 0: {"width": 8}})
    assert new_runner(folder, store, IdleTrainer()).confirm() == Ending(SweepState.FINISHED)
    assert searched(store) == before
    after = store.progress()
    assert (after.confirmations, after.confirmations_done, after.confirmation_epochs) == (4, 4, 36)
    assert (after.assignments, after.epochs_done, after.best_trial, after.trials_failed) == (
        progress.assignments,
        progress.epochs_done,
        progress.best_trial,
        progress.trials_failed,
    )
    assert store.lowest() == lowest
    assert new_runner(folder, store, IdleTrainer()).run() == "finished", "nothing more to ask"


@pytest.mark.parametrize(
    ("how", "end"), [("confirm", Ending(SweepState.FINISHED)), ("run", SweepState.FINISHED)]
)
def test_a_confirmation_that_dies_and_goes_on_ends_alike(tmp_path, keras, how, end):
    """By the same command, or by resuming the sweep."""
    found = []
    for name, dies in (("whole", False), ("broken", True)):
        folder, store = new_store(tmp_path, name)
        new_runner(folder, store, IdleTrainer()).run()
        confirm_in(store, {4: {"width": 3}, 0: {"width": 8}})
        if dies:
            with pytest.raises(KeyboardInterrupt):
                new_runner(folder, store, IdleTrainer(die_after=2)).confirm()
            assert store.sweep().state == "finished" and store.progress().confirmations_done == 2
        assert getattr(new_runner(folder, store, IdleTrainer()), how)() == end
        found.append(contents(store))
    assert found[0] == found[1]


def test_a_search_that_is_extended_after_a_confirmation_draws_what_it_would_have(tmp_path, keras):
    from sweep.settings import Stage

    found = []
    for name, confirms in (("plain", False), ("confirmed", True)):
        folder, store = new_store(tmp_path, name)
        new_runner(folder, store, IdleTrainer(), search=search()).run()
        if confirms:
            confirm_in(store, {4: {"width": 3}})
            new_runner(folder, store, IdleTrainer()).confirm()
        again = new_runner(folder, store, IdleTrainer(), search=search(stages=(Stage(9, 6),)))
        assert again.run() == "finished"
        names = store.table("trial")[0]
        columns = [names.index(name) for name in ("seed", "hyperparameters", "bracket", "confirms")]
        rows = [[row[i] for i in columns] for row in contents(store)["trial"]]
        found.append([row[:3] for row in rows if row[3] is None])
    assert found[0] == found[1]


@pytest.fixture(scope="module")
def place(fused_place, tmp_path_factory):
    return shutil.copytree(fused_place, tmp_path_factory.mktemp("copy") / "place")


def report(place: Any) -> Any:
    return json.loads(warm.run(place, "report", "s", "-o", "json", "--no-charts").stdout)


def test_the_command_stopped_and_resumed_then_asked_for_more(place):
    before = report(place)
    assert before["confirmed"] == [] and before["bias"] is None
    stopped = warm.run(
        place, "confirm", "s", "--top", "2", "--seeds", "2", "--max-time", "0", code=8
    )
    assert "runs are left, continue with: sweep resume s" in stopped.stderr
    between = report(place)
    assert between["sweep"]["state"] == "finished" and between["trials"] == before["trials"]
    warm.run(place, "resume", "s")
    after = report(place)
    for row in (*before["trials"], *after["trials"]):
        del row["behind_se"]  # the spread from seed to seed is measured now
    assert after["trials"] == before["trials"] and after["sweep"]["plan"] == before["sweep"]["plan"]
    rows = {row["trial"]: row for row in after["confirmed"]}
    wanted = {
        t["trial"] for t in before["trials"] if t["rank"] <= 2 or t["simplest"] or t["baseline"]
    }
    assert set(rows) == wanted and {row["seeds"] for row in rows.values()} == {2}
    assert all(
        row["val_score_low"] < row["val_score"] < row["val_score_high"] for row in rows.values()
    )
    with Store(place / "results" / "s" / "sweep.db", read_only=True) as store:
        frames = load(store)
    for trial, group in frames.confirmations.groupby("confirms"):
        own = [t["val_score"] for t in before["trials"] if t["trial"] == trial and t["baseline"]]
        assert rows[trial]["val_score"] == pytest.approx(np.mean([*group["val_score"], *own]))
    assert "nothing to do" in warm.run(place, "confirm", "s", "--top", "2", "--seeds", "2").stderr

    warm.run(place, "confirm", "s", "--top", "3", "--seeds", "3")
    more = {row["trial"]: row for row in report(place)["confirmed"]}
    assert set(more) == wanted | {t["trial"] for t in before["trials"] if t["rank"] == 3}
    assert {row["seeds"] for row in more.values()} == {3}
    shown = warm.run(place, "report", "s", "--no-charts").stdout
    assert "Repeats under other seeds" in shown and "own − mean" in shown
    assert "with other seeds" in warm.run(place, "status", "s").stdout
    tiny.assert_sound(place, "s")
    best = min(more.values(), key=lambda row: row["val_score"])["trial"]
    said = warm.run(place, "test", "s", "-o", "json").stdout
    assert json.loads(said)["test"][0]["trial"] == best


def test_a_search_that_is_not_over_is_not_confirmed(place):
    warm.run(place, *tiny.start("u", "fused", "--max-time", "0"), code=8)
    assert "no trial with a score" in warm.run(place, "confirm", "u", code=3).stderr
