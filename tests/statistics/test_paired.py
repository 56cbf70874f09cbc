"""Standard errors and paired differences against SciPy's paired t test."""

import math

import numpy as np
import pytest
from scipy import stats

from sweep.statistics.paired import difference, differences, standard_errors

RANDOM = np.random.default_rng(1)
LOSSES = RANDOM.exponential(size=(4, 200)).astype(np.float32)


def test_the_error_of_a_mean_is_the_rows_spread_over_the_root_of_their_number():
    assert standard_errors(np.array([[1.0, 2.0, 3.0, 6.0]]))[0] == pytest.approx(
        math.sqrt((4 + 1 + 0 + 9) / 3) / 2
    )


def test_a_difference_is_that_of_scipys_paired_t_test():
    found = difference(LOSSES[0], LOSSES[1])
    test = stats.ttest_rel(LOSSES[0].astype(float), LOSSES[1].astype(float))
    interval = test.confidence_interval(0.95)
    assert found.value / found.se == pytest.approx(test.statistic)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_differences_of_many_are_those_of_each():
    values, errors = differences(LOSSES, LOSSES[2])
    for one, value, error in zip(LOSSES, values, errors, strict=True):
        found = difference(one, LOSSES[2])
        assert (value, error) == (found.value, found.se)
    assert (values[2], errors[2]) == (0, 0)


def test_what_the_rows_share_cancels():
    one, other = LOSSES[:2].astype(np.float64)
    hard = 5 * RANDOM.exponential(size=200)
    assert difference(one + hard, other + hard).se == pytest.approx(difference(one, other).se)


def test_a_single_row_has_no_error():
    assert math.isnan(standard_errors(np.ones((3, 1)))[0])
    found = difference(np.array([1.0]), np.array([0.5]))
    assert found.value == 0.5 and math.isnan(found.se) and math.isnan(found.low)
