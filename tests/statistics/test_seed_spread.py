"""Trials that differ in nothing but the seed are configurations that nothing tells apart."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.ties import losses
from sweep.statistics.confidence_set import confidence_set
from sweep.statistics.seed_spread import PRIOR, prior, seed_spread

SURELY = 1e-3
SPREAD = 0.01


def told_apart(n_trials: int, runs: int, known: float) -> int:
    random, wrong = np.random.default_rng(n_trials), 0
    for _ in range(runs):
        luck = SPREAD * random.normal(size=(n_trials, 1))
        found = losses(n_trials, 200, random) + luck
        wrong += not confidence_set(found, np.full(n_trials, known)).all()
    return wrong


@pytest.mark.parametrize(("n_trials", "runs"), [(2, 300), (5, 60)])
def test_seeds_are_not_read_as_configurations(n_trials, runs):
    assert told_apart(n_trials, runs, SPREAD) <= stats.binom.isf(SURELY, runs, 0.05)


def test_over_the_rows_alone_they_are():
    assert told_apart(2, 300, 0.0) > stats.binom.isf(SURELY, 300, 0.05) / 2
    exact = np.random.default_rng(0).normal(size=500)
    pair = np.array([exact, exact + 0.004])  # the rows are sure of it; another seed would not be
    assert confidence_set(pair).tolist() == [True, False]
    assert confidence_set(pair, np.full(2, 0.003)).all()


def test_no_spread_changes_nothing_and_the_order_never_matters():
    random = np.random.default_rng(2)
    found = losses(12, 200, random) + random.exponential(0.03, 12)[:, None]
    assert confidence_set(found, np.zeros(12)).tolist() == confidence_set(found).tolist()
    order, seeds = random.permutation(12), random.uniform(0, 0.01, 12)
    one, other = confidence_set(found, seeds), confidence_set(found[order], seeds[order])
    assert one[order].tolist() == other.tolist()


def test_the_prior_stands_until_the_sweep_has_measured_and_then_gives_way():
    sizes = np.array([500.0, 10_000.0, np.nan])
    assert seed_spread(sizes, []).values.tolist() == prior(sizes, 1.0).tolist()
    assert prior(sizes, 100.0).tolist() == [100 * PRIOR[0][1], 100 * PRIOR[1][1], 100 * PRIOR[1][1]]
    random = np.random.default_rng(4)
    tables = [
        (9_000.0, random.normal(0.6, 0.05, (5, 300)) + 0.02 * random.normal(size=(5, 1)))
        for _ in range(20)
    ]
    found = seed_spread(sizes, tables)
    assert found.freedom == 80
    assert found.values[1] == pytest.approx(0.02, rel=0.25) and found.values[0] == PRIOR[0][1]
