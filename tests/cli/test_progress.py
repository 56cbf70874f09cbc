"""What the progress lines of a running sweep say."""

import pytest

from sweep.cli import progress
from sweep.cli.progress import Tally
from sweep.records import PlanRecord
from sweep.store import Progress

NOTHING_YET = Progress(0, 0, 0, 0, 0, 0, None, None, 0, 0, 0, 0)
PLAN = PlanRecord(assignments=50, epochs=140)


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1_000.0

    monkeypatch.setattr(progress.time, "monotonic", lambda: Clock.now)
    return Clock


def after(clock, tally, epochs, seconds):
    for _ in range(epochs):
        clock.now += seconds
        tally.epoch()
    return tally.eta()


def test_the_time_left_is_not_guessed_from_the_first_epochs(clock):
    """They wait for TensorFlow and for compilers: minutes would be shown as hours."""
    tally = Tally(PLAN, NOTHING_YET, 81)
    assert after(clock, tally, 0, 0) == "…"
    assert after(clock, tally, 1, 30.0) == "…"
    assert after(clock, tally, 18, 1.0) == "…"
    assert after(clock, tally, 21, 1.0) == "1 min 40 s"


def test_the_time_left_follows_the_rate_of_late(clock):
    tally = Tally(PLAN, NOTHING_YET, 81)
    after(clock, tally, 30, 10.0)
    assert after(clock, tally, 70, 1.0) == "40 s"


def test_slow_epochs_have_a_time_left_after_a_minute(clock):
    tally = Tally(PLAN, NOTHING_YET, 81)
    after(clock, tally, 1, 5.0)
    assert after(clock, tally, 3, 40.0) == "1 h 30 min"
