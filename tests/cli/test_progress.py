"""What the progress lines of a running sweep say."""

import io

import pytest
from rich.console import Console

from sweep.cli import progress
from sweep.cli.progress import PREPARING, LiveProgress, PlainProgress, Tally
from sweep.records import Assignment, EpochRecord, PlanRecord
from sweep.store import SweepProgress

NOTHING_YET = SweepProgress(0, 0, 0, 0, 0, 0, None, None, 0, 0, 0, 0)
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
    assert after(clock, tally, 0, 0) == PREPARING
    assert after(clock, tally, 1, 30.0) == "ETA not known yet"
    assert after(clock, tally, 18, 1.0) == "ETA not known yet"
    assert after(clock, tally, 21, 1.0) == "ETA 1 min 40 s"


def test_the_time_left_follows_the_rate_of_late(clock):
    tally = Tally(PLAN, NOTHING_YET, 81)
    after(clock, tally, 30, 10.0)
    assert after(clock, tally, 70, 1.0) == "ETA 40 s"


def test_slow_epochs_have_a_time_left_after_a_minute(clock):
    tally = Tally(PLAN, NOTHING_YET, 81)
    after(clock, tally, 1, 5.0)
    assert after(clock, tally, 3, 40.0) == "ETA 1 h 30 min"


def test_what_a_sweep_is_at_before_its_first_epoch_is_said(clock):
    waiting = Assignment(0, 0, 0, 0, 3, {}, 1)
    record = EpochRecord(1, *[0.5] * 9)
    for kind in (PlainProgress, lambda *given: LiveProgress(*given, PLAN)):
        console = Console(width=120, record=True, quiet=False, file=io.StringIO())
        shown = kind(console, Tally(PLAN, NOTHING_YET, 81))
        shown.wave([waiting])
        if isinstance(shown, LiveProgress):
            console.print(shown._render())
        assert "compiling programs" in console.export_text() and "…" not in console.export_text()
        shown.epoch(waiting, record)
        shown.wave([waiting])
        if isinstance(shown, LiveProgress):
            console.print(shown._render())
        assert "ETA" in shown.tally.eta()
