"""Overfitting is seen in curves that rise, and not in the jitter of level ones."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.curves import expected, jitter, most_found, share_found
from sweep.statistics.onset import TOLERANCE, least_rises, onset, too_jittery

SURELY = 1e-3


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
@pytest.mark.parametrize(("epochs", "runs"), [(12, 400), (27, 400), (81, 400), (243, 300)])
@pytest.mark.parametrize("spread", [0.004, 0.016])
def test_at_most_5_percent_of_level_curves_are_said_to_overfit(epochs, runs, spread, correlation):
    wrong = share_found(runs, epochs, 0.0, spread, correlation)
    assert wrong * runs <= stats.binom.isf(SURELY, runs, 0.05)


@pytest.mark.parametrize(
    ("epochs", "spread", "correlation"),
    [(27, 0.0018, 0), (41, 0.0035, 0), (81, 0.0075, 0), (81, 0.003, 0.5), (243, 0.017, 0),
     (600, 0.026, 0)],
)  # fmt: skip
def test_90_percent_of_rises_of_0_02_are_found_where_the_jitter_permits(
    epochs, spread, correlation
):
    found = share_found(300, epochs, 0.02, spread, correlation)
    assert found * 300 >= stats.binom.ppf(SURELY, 300, 0.9)


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_no_more_rises_are_found_than_a_test_finds_that_knows_the_curve(correlation):
    for epochs, spread in ((27, 0.008), (81, 0.016)):
        found = share_found(400, epochs, 0.02, spread, correlation)
        most = most_found(epochs, 0.02, spread, correlation)
        assert found * 400 <= stats.binom.isf(SURELY, 400, most)


def test_the_curves_that_may_not_show_a_rise_are_those_in_which_it_is_often_not_found():
    """Most rises as large as the least that shows are found, and few of half that size."""
    for epochs, spread in ((27, 0.004), (81, 0.012)):
        curves = jitter(300, epochs, spread, 0.0, np.random.default_rng(4)) + expected(epochs, 0.0)
        least = float(np.median(least_rises(curves)))
        assert share_found(300, epochs, least, spread, 0.0) > 0.5
        assert share_found(300, epochs, least / 2, spread, 0.0) < 0.5
        numbers = np.repeat(np.arange(300), epochs)
        assert too_jittery(numbers, curves.ravel(), 300, least / 2).mean() > 0.9
        assert too_jittery(numbers, curves.ravel(), 300, least * 2).mean() < 0.1
    assert too_jittery(np.zeros(4, int), np.ones(4), 1).all()


def test_a_late_jump_and_a_sharp_bend_are_rises_not_jitter():
    """Both are no straight line in the second half, from which the jitter is estimated."""
    random = np.random.default_rng(1)
    late = np.where(np.arange(81) < 74, 0.6, 0.7)
    bend = 0.6 + 0.004 * np.clip(np.arange(81) - 62, 0, None)
    for curve in (late, bend):
        found = [onset(curve + one) for one in jitter(40, 81, 0.002, 0.5, random)]
        assert None not in found


def test_the_unit_of_the_score_does_not_matter():
    """Amounts in cents instead of thousands: the jitter is the curve's own."""
    random = np.random.default_rng(3)
    curves = jitter(60, 81, 0.012, 0.0, random) + expected(81, 0.02)
    found = [onset(curve) for curve in curves]
    assert [onset(1e5 * curve, 1e5 * TOLERANCE) for curve in curves] == found
    assert None in found and any(found)
