"""The model confidence set: how often it errs and what it finds, by simulation, and its laws.

`benchmarks/ties.py` prints the same rates with more repetitions.
"""

import functools
import warnings

import numpy as np
import pytest
from scipy import stats

from benchmarks.ties import losses, paired_error, rates
from sweep.statistics import confidence_set as implementation
from sweep.statistics.confidence_set import confidence_set

SURELY = 1e-3
"""Chance by which a test below would fail for a method that is exactly as good as it claims."""


@pytest.fixture(autouse=True)
def _drawn_once(monkeypatch):
    """The rows are drawn by a fixed seed, so each set's draws are those of the set before.

    They are most of its time. A generator in another state draws anew.
    """
    draw, known = implementation._weights, functools.cache(draw_afresh)

    def weights(random, n_rows, draws):
        state = random.bit_generator.state["state"]
        if state != np.random.default_rng(0).bit_generator.state["state"]:
            return draw(random, n_rows, draws)
        return known(draw, n_rows, draws)

    monkeypatch.setattr(implementation, "_weights", weights)


def draw_afresh(draw, n_rows, draws):
    return draw(np.random.default_rng(0), n_rows, draws)


@pytest.mark.parametrize(("n_trials", "runs"), [(2, 500), (10, 300), (100, 30)])
def test_equal_trials_are_told_apart_at_most_5_percent_of_the_time(n_trials, runs):
    """Any of them: some truly best trial is left out."""
    wrong, _ = rates(n_trials, 1000, 0, 0.0, runs)
    assert wrong * runs <= stats.binom.isf(SURELY, runs, 0.05)


@pytest.mark.parametrize(
    ("n_trials", "n_worse", "runs"), [(2, 1, 300), (10, 1, 150), (10, 5, 150), (100, 1, 50)]
)
def test_a_trial_worse_by_three_paired_errors_is_found_at_least_80_percent_of_the_time(
    n_trials, n_worse, runs
):
    wrong, found = rates(n_trials, 1000, n_worse, 3.0, runs)
    assert found * runs >= stats.binom.ppf(SURELY, runs, 0.8)
    assert wrong * runs <= stats.binom.isf(SURELY, runs, 0.05)


def test_so_is_each_of_fifty_among_a_hundred():
    runs = 10
    _, found = rates(100, 1000, 50, 3.0, runs)
    assert found >= 0.8  # of 500


def test_clearly_worse_trials_do_not_hide_a_difference_of_three_errors():
    """A sweep of 100 of which ten are good: they leave first, and the bar falls to that of ten."""
    random, runs, found = np.random.default_rng(5), 100, 0
    shift = np.r_[np.zeros(9), 3.0, np.full(90, 15.0)][:, None] * paired_error(1000)
    for _ in range(runs):
        found += not confidence_set(losses(100, 1000, random) + shift)[9]
    assert found >= stats.binom.ppf(SURELY, runs, 0.8)


def test_a_small_but_sure_difference_is_found_among_unlike_trials():
    """A trial like the best, hardly and always worse: only the two of them show it."""
    random = np.random.default_rng(7)
    many = losses(30, 1000, random)
    best = many.mean(axis=1).argmin()
    many[best] -= 0.02
    slightly_worse = many[best] + random.normal(0.002, 0.01, 1000)
    members = confidence_set(np.vstack([many, slightly_worse]))
    assert not members[30] and members[best]
    assert members[:30].sum() > 5, "unlike trials that are farther from the best stay"


def test_the_order_of_the_trials_does_not_matter():
    random = np.random.default_rng(8)
    found = losses(40, 300, random) + random.exponential(0.05, 40)[:, None]
    order = random.permutation(40)
    assert confidence_set(found[order]).tolist() == confidence_set(found)[order].tolist()
    assert 1 < confidence_set(found).sum() < 40


def test_few_rows_equal_rows_and_trials_that_differ_by_a_constant():
    random = np.random.default_rng(9)
    for n_rows in (2, 3, 5):
        assert confidence_set(losses(8, n_rows, random)).any()
    assert confidence_set(np.ones((5, 20))).all()
    rows = random.exponential(size=50)
    shifted = confidence_set(np.array([rows + 0.1, rows, rows + 0.2, rows]))
    assert shifted.tolist() == [False, True, False, True]


@pytest.mark.parametrize("n_rows", [30, 1000])
def test_for_two_trials_it_is_the_paired_t_test(n_rows):
    random = np.random.default_rng(2)
    worse, told_apart = 2 * paired_error(n_rows), 0
    for _ in range(200):
        pair = losses(2, n_rows, random)
        pair[1] += worse
        test = stats.ttest_rel(*pair)
        assert confidence_set(pair).all() == (test.pvalue > 0.05)
        told_apart += test.pvalue < 0.05
    assert 50 < told_apart < 150


def test_the_best_and_its_duplicates_are_members_and_the_same_losses_give_the_same_set():
    random = np.random.default_rng(3)
    for _ in range(20):
        found = losses(12, 200, random) + random.exponential(0.05, 12)[:, None]
        found[7] = found[found.mean(axis=1).argmin()]
        first, second = confidence_set(found), confidence_set(found)
        assert first[found.mean(axis=1).argmin()] and first[7]
        assert first.tolist() == second.tolist()


def test_a_common_difficulty_of_the_rows_changes_nothing():
    random = np.random.default_rng(4)
    found = losses(10, 500, random) + random.exponential(0.02, 10)[:, None]
    harder = found + 20 * random.exponential(size=500)
    one, other = confidence_set(found), confidence_set(harder)
    assert one.tolist() == other.tolist()
    assert 1 < one.sum() < 10


def test_of_thousands_the_clearly_worse_leave_without_a_simulation_and_equals_stay():
    random = np.random.default_rng(6)
    many = losses(2000, 300, random)
    assert confidence_set(many).mean() > 0.99, "Bonferroni's bound keeps equal trials"
    many[5:] += 2.0
    assert confidence_set(many).tolist() == [*confidence_set(many[:5]), *[False] * 1995]


def test_one_trial_is_its_own_set_and_one_row_is_refused():
    assert confidence_set(np.ones((1, 10))).tolist() == [True]
    with pytest.raises(ValueError, match="two at least"):
        confidence_set(np.ones((3, 1)))


@pytest.mark.parametrize("n_trials", [2, 3])
def test_for_few_trials_it_is_the_set_that_arch_finds(n_trials):
    """Not quite always: the draws, which differ, decide of a trial at the border."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what arch warns of when it is imported
        from arch.bootstrap import MCS
    random, runs, alike, whole = np.random.default_rng(10), 30, 0, 0
    for _ in range(runs):
        found = losses(n_trials, 400, random)
        found[1:] += random.uniform(0, 4, n_trials - 1)[:, None] * paired_error(400)
        theirs = MCS(found.T, size=0.05, reps=300, block_size=1, method="R", seed=1)
        theirs.compute()
        ours = confidence_set(found)
        alike += np.flatnonzero(ours).tolist() == sorted(theirs.included)
        whole += ours.all()
    assert alike >= 0.85 * runs
    assert 0 < whole < runs, "some pairs are told apart and some are not"
