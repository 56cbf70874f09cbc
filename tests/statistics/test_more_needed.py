"""What would tell two apart does, and a little less of it does not."""

import math

import pytest

from sweep.statistics.confidence import Z
from sweep.statistics.more_needed import SEEDS_WITH_ROWS, more_needed


def is_told(value, rows_error, seeds_error, rows=1.0, seeds=1):
    """`rows` in multiples of those that there are."""
    return value > Z * math.sqrt(rows_error**2 / rows + seeds_error**2 / seeds)


@pytest.mark.parametrize(("rows_error", "seeds_error"), [(0.006, 0.001), (0.002, 0.007)])
def test_so_many_are_enough_and_less_are_not(rows_error, seeds_error):
    found = more_needed(0.01, rows_error, 1000, seeds_error)
    if found.rows is not None:
        assert is_told(0.01, rows_error, seeds_error, rows=1.001 * found.rows / 1000)
        assert not is_told(0.01, rows_error, seeds_error, rows=0.99 * found.rows / 1000)
    if found.seeds is not None:
        assert is_told(0.01, rows_error, seeds_error, seeds=found.seeds + 1e-6)
        assert not is_told(0.01, rows_error, seeds_error, seeds=found.seeds - 1.01)
    assert (found.rows is None) is (seeds_error > 0.01 / Z)
    assert (found.seeds is None) is (rows_error > 0.01 / Z)


def test_where_neither_alone_is_enough_both_are():
    found = more_needed(0.01, 0.006, 1000, 0.006)
    assert found.rows is None and found.seeds is None and found.rows_with_seeds is not None
    times = 1.001 * found.rows_with_seeds / 1000
    assert is_told(0.01, 0.006, 0.006, rows=times, seeds=SEEDS_WITH_ROWS)


def test_nothing_tells_what_does_not_differ():
    found = more_needed(0.0, 0.006, 1000, 0.003)
    assert (found.rows, found.seeds, found.rows_with_seeds) == (None, None, None)
