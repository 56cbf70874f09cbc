import math

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.analysis.frames.load import load
from sweep.analysis.frames.ranking import frontier, order
from sweep.records import OutcomeStatus
from tests.support.sweeps import store_sweep, trained

scores = st.floats(0.3, 1.0) | st.just(math.nan)
ranked = st.lists(st.tuples(scores, st.booleans()), max_size=40)


@settings(deadline=None)
@given(ranked)
def test_the_order_is_a_permutation_sorted_by_score_with_failures_last(trials):
    val_score = np.array([score for score, _ in trials], dtype=float)
    failed = np.array([failed for _, failed in trials], dtype=bool)
    found = order(val_score, failed, np.arange(len(trials)))
    assert sorted(found) == list(range(len(trials)))
    assert list(failed[found]) == sorted(failed)
    good = val_score[found][~failed[found]]
    known = good[~np.isnan(good)]
    assert list(known) == sorted(known)
    assert np.isnan(good[len(known) :]).all()


def test_equal_scores_keep_the_order_of_their_numbers():
    found = order(np.array([0.6, 0.5, 0.6, 0.5]), np.zeros(4, bool), np.array([3, 2, 1, 0]))
    assert list(found) == [3, 1, 2, 0]


def test_a_failed_trial_is_last_whatever_it_scored(tmp_path):
    trials = [
        trained(0.5, ended=OutcomeStatus.FAILED, error="boom"),
        trained(ended=None),
        trained(0.7),
        trained(0.6, 0.65),
    ]
    with store_sweep(tmp_path / "sweep.db", trials, state="running") as store:
        frames = load(store)
    assert frames.trials["trial"].tolist() == [3, 2, 1, 0]
    assert frames.trials["rank"].tolist() == [1, 2, 3, 4]
    assert frames.trials["status"].tolist() == ["waiting", "waiting", "pending", "failed"]


def table(points):
    """Trials with (params, val_score, failed)."""
    return pd.DataFrame(
        {
            "trial": range(len(points)),
            "params": pd.array([p for p, _, _ in points], dtype="Int64"),
            "val_score": np.array([v for _, v, _ in points], dtype=float),
            "train_score": 0.5,
            "status": ["failed" if failed else "cut" for _, _, failed in points],
        }
    )


points = st.lists(st.tuples(st.none() | st.integers(1, 50), scores, st.booleans()), max_size=40)


@settings(deadline=None)
@given(points)
def test_the_frontier_falls_and_no_trial_lies_below_it(trials):
    steps = frontier(table(trials))
    assert steps["params"].is_monotonic_increasing and steps["params"].is_unique
    assert (np.diff(steps["val_score"]) < 0).all()
    good = [(p, v) for p, v, failed in trials if p is not None and v == v and not failed]
    assert set(zip(steps["params"], steps["val_score"], strict=True)) <= set(good)
    for params, value in good:
        reached = steps.loc[steps["params"] <= params, "val_score"].min()
        assert reached <= value


def test_the_frontier_worked_by_hand():
    trials = [
        (100, 0.65, False),
        (100, 0.66, False),
        (200, 0.65, False),  # more parameters for the same
        (300, 0.60, False),
        (400, 0.50, True),  # failed
        (None, 0.40, False),  # size unknown
        (500, math.nan, False),  # not evaluated
        (900, 0.59, False),
    ]
    steps = frontier(table(trials))
    assert steps["trial"].tolist() == [0, 3, 7]
    assert steps["val_score"].tolist() == [0.65, 0.60, 0.59]
