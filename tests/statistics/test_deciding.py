"""Seeds go where they decide most, and what they tell apart is hardly ever equal."""

import numpy as np
from scipy import stats

from benchmarks.luck import decided
from sweep.statistics.deciding import MOST_SEEDS, decide

SURELY = 1e-3


def tables(behind_by, seeds, rows=1000, shared=0.05):
    random = np.random.default_rng(0)
    of_rows = random.exponential(0.5, rows)
    found = []
    for by, n in zip(behind_by, seeds, strict=True):
        one = of_rows + shared * random.normal(size=(n, rows))
        found.append(one - one.mean(axis=1, keepdims=True) + 0.6 + by)
    return found


def test_equal_leaders_are_told_apart_at_most_5_percent_of_the_time():
    for leaders in (2, 8):
        found = decided(200, np.zeros(leaders), 1000, 0.004)
        assert found.wrong <= stats.binom.isf(SURELY, 200, 0.05)


def test_those_behind_are_told_apart_with_few_runs():
    found = decided(60, np.array([0.0, 0.02, 0.02, 0.03, 0.04]), 10_000, 0.004)
    assert found.right >= 54 and found.runs < 5 * 5
    assert found.wrong <= stats.binom.isf(SURELY, 60, 0.05)


def test_seeds_go_to_those_that_seeds_decide_and_to_their_leader():
    """One is far behind, one is level, one is behind by what more seeds would tell."""
    found = decide(tables((0, 0.2, 0.0002, 0.02), (2, 2, 2, 2)), np.zeros(4), np.full(4, 0.008))
    assert found.leader == 0
    assert found.told_apart.tolist() == [False, True, False, False]
    assert found.beyond_seeds.tolist() == [False, False, True, False]
    assert found.open.tolist() == [False, False, False, True]
    assert found.next_seeds.tolist() == [1, 0, 0, 1]
    assert 2 < found.needed[3] < MOST_SEEDS


def test_what_takes_too_many_seeds_is_left_open():
    found = decide(tables((0, 0.012), (2, 2), shared=0.01), np.zeros(2), np.full(2, 0.03))
    assert not found.told_apart.any() and not found.beyond_seeds.any()
    assert found.needed[1] > MOST_SEEDS and not found.next_seeds.any()


def test_the_choice_of_the_epoch_widens_the_error():
    adds = np.array([0.0, 0.1])
    found = decide(tables((0, 0.02), (5, 5)), adds, np.full(2, 0.001))
    assert found.beyond_seeds.tolist() == [False, True]
