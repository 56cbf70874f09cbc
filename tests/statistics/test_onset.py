"""Overfitting is seen in curves that rise, and not in the jitter of level ones."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.curves import expected, jitter, share_found
from sweep.statistics.onset import TOLERANCE, onset

SURELY = 1e-3


@pytest.mark.parametrize("correlation", [0.0, 0.5])
@pytest.mark.parametrize(("epochs", "runs"), [(9, 400), (27, 400), (81, 400), (243, 300)])
@pytest.mark.parametrize("spread", [0.004, 0.016])
def test_at_most_5_percent_of_level_curves_are_said_to_overfit(epochs, runs, spread, correlation):
    wrong = share_found(runs, epochs, 0.0, spread, correlation)
    assert wrong * runs <= stats.binom.isf(SURELY, runs, 0.05)


@pytest.mark.parametrize(
    ("epochs", "spread"), [(27, 0.001), (41, 0.002), (81, 0.006), (243, 0.014), (600, 0.016)]
)
def test_90_percent_of_rises_of_0_02_are_found_where_the_jitter_permits(epochs, spread):
    assert share_found(200, epochs, 0.02, spread, 0.0) >= 0.88


def test_the_unit_of_the_score_does_not_matter():
    """Amounts in cents instead of thousands: the jitter is the curve's own."""
    random = np.random.default_rng(3)
    curves = jitter(60, 81, 0.012, 0.0, random) + expected(81, 0.02)
    found = [onset(curve) for curve in curves]
    assert [onset(1e5 * curve, 1e5 * TOLERANCE) for curve in curves] == found
    assert None in found and any(found)
