"""What choosing the epoch adds to a score is found, and intervals with it hold what they say."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.curves import expected
from benchmarks.luck import WILD, held_by_confirmed, held_by_intervals, regret, trials_with_luck
from sweep.statistics.choice_of_epoch import FOLDS, fold_means, too_good

SURELY = 1e-3


@pytest.mark.parametrize(("rows", "held", "luck"), [(200, 0.003, 0.01), (1000, *WILD)])
def test_it_is_what_the_chosen_epochs_lose_on_new_rows(rows, held, luck):
    random = np.random.default_rng(5)
    level = np.tile(expected(81, 0.02), (600, 1))
    trials = trials_with_luck(level, rows, held, luck, random)
    truly = float((trials.true_scores - trials.scores).mean())
    assert truly > 0.01, "the simulation chooses lucky epochs"
    found = too_good(trials.folds, rows)
    assert 0.85 * truly < found.mean() < 1.3 * truly
    assert found.std() < 1.1 * found.mean(), "its error is no larger than itself"


@pytest.mark.parametrize("rows", [200, 1000])
def test_intervals_with_it_hold_and_those_without_it_do_not(rows):
    found, before = held_by_intervals(800, 81, rows, *WILD)
    assert found >= stats.binom.ppf(SURELY, 800, 0.94)
    assert before < stats.binom.ppf(SURELY, 800, 0.94)


def test_so_does_the_interval_of_a_confirmed_mean():
    found, before = held_by_confirmed(100, 5, 200, *WILD)
    assert found >= stats.binom.ppf(SURELY, 100, 0.94)
    assert before < found


def test_the_simplest_loses_no_more_than_it_gives_up():
    found = regret(80, 10, 200)
    assert found.simplest - found.lowest <= found.given_up + 3 * found.error
    assert found.best < found.lowest + 0.001


def test_nothing_is_added_where_there_is_no_choice_or_no_luck():
    random = np.random.default_rng(2)
    folds = random.normal(size=(4, 1, FOLDS))
    assert (too_good(folds, 1003) == 0).all(), "one epoch"
    alike = np.tile(np.linspace(0.7, 0.6, 9)[None, :, None], (1, 1, FOLDS))
    assert too_good(alike, 1003)[0] == pytest.approx(0, abs=1e-12), "every fold says the same"


def test_folds_are_means_of_every_tenth_row():
    losses = np.arange(103, dtype=float)
    assert fold_means(losses)[3] == losses[3::10].mean() and len(fold_means(losses)) == FOLDS
    assert fold_means(None) == () and fold_means(losses[:40]) == ()
