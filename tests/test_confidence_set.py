"""The model confidence set: how often it errs and what it finds, by simulation, and its laws.

`benchmarks/ties.py` prints the same rates with more repetitions.
"""

import numpy as np
import pytest
from scipy import stats

from benchmarks.ties import losses, paired_error, rates
from sweep.analysis.confidence_set import confidence_set

SURELY = 1e-3
"""Chance by which a test below would fail for a method that is exactly as good as it claims."""


@pytest.mark.parametrize(("n_trials", "runs"), [(2, 500), (10, 500), (100, 40)])
def test_equal_trials_are_told_apart_at_most_5_percent_of_the_time(n_trials, runs):
    """Any of them: some truly best trial is left out."""
    wrong, _ = rates(n_trials, 1000, 0, 0.0, runs)
    assert wrong * runs <= stats.binom.isf(SURELY, runs, 0.05)


@pytest.mark.parametrize(("n_trials", "n_worse"), [(2, 1), (10, 1), (10, 5)])
def test_a_trial_worse_by_three_paired_errors_is_found_at_least_80_percent_of_the_time(
    n_trials, n_worse
):
    """Among up to ten that could be the best; more of them cost power (see the next two)."""
    runs = 300
    wrong, found = rates(n_trials, 1000, n_worse, 3.0, runs)
    assert found * runs >= stats.binom.ppf(SURELY, runs, 0.8)
    assert wrong * runs <= stats.binom.isf(SURELY, runs, 0.05)


def test_clearly_worse_trials_do_not_hide_a_difference_of_three_errors():
    """A sweep of 100 of which ten are good: they leave first, and the bar falls to that of ten."""
    random, runs, found = np.random.default_rng(5), 200, 0
    shift = np.r_[np.zeros(9), 3.0, np.full(90, 15.0)][:, None] * paired_error(1000)
    for _ in range(runs):
        found += not confidence_set(losses(100, 1000, random) + shift)[9]
    assert found >= stats.binom.ppf(SURELY, runs, 0.8)


def test_among_a_hundred_equal_trials_a_difference_of_three_and_a_half_errors_is_found():
    """As often as 80 percent; one of 3.0 some 74 percent, the price of comparing a hundred."""
    runs = 30
    _, found = rates(100, 1000, 1, 3.5, runs)
    assert found * runs >= stats.binom.ppf(SURELY, runs, 0.8)


@pytest.mark.parametrize("n_rows", [30, 1000])
def test_for_two_trials_it_is_the_paired_t_test(n_rows):
    """But where the test is on the verge: the quantile is simulated."""
    random = np.random.default_rng(2)
    worse, told_apart = 2 * paired_error(n_rows), 0
    for _ in range(200):
        pair = losses(2, n_rows, random)
        pair[1] += worse
        test = stats.ttest_rel(*pair)
        if abs(test.pvalue - 0.05) > 0.01:
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
