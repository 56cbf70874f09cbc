"""A plan with any number of workers: worked by hand."""

from sweep.records import Proposal
from sweep.runner.simulate import simulated


def proposed(bracket: int, rung: int, n: int) -> list[Proposal]:
    names = [f"{bracket}-{rung}-{k}" for k in range(n)]
    return [Proposal(name, name, 0, bracket, rung, rung, rung + 1, {}) for name in names]


TWO = [*proposed(1, 0, 4), *proposed(1, 1, 1), *proposed(0, 0, 2)]
"""A bracket of four trials and then one, and one of two."""


def seconds(workers: int, *beside: float) -> float:
    return simulated(TWO, lambda one: 10.0 if one.rung else 1.0, beside, workers).seconds


def test_one_worker_takes_the_sum_of_all():
    assert seconds(1) == 6 + 10
    assert seconds(1, 2.0, 3.0) == 6 + 10 + 5


def test_a_rung_waits_for_all_of_the_one_below_and_for_no_other_bracket():
    assert seconds(6) == 1 + 10
    assert seconds(1000) == 11, "one chain that no number of workers shortens"


def test_workers_are_busy_for_a_share_of_the_time():
    assert simulated(TWO, lambda one: 1.0, [], 1).busy == 1.0
    assert simulated(TWO, lambda one: 1.0, [], 7).busy == 7 / (7 * 2)
    assert simulated([], lambda one: 1.0, [], 7).seconds == 0.0
