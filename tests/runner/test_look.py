"""What a sweep is doing at the moment of a look, and how long it still takes."""

import pytest

from sweep.records import SweepState
from sweep.runner.look import TimeLeft, look, time_left
from sweep.store import Store
from sweep.sweep_folder import SweepFolder
from tests.support.sweeps import sweep_row


@pytest.fixture
def folder(tmp_path):
    """A sweep that is stored as running."""
    found = SweepFolder(tmp_path, "s").created()
    Store.create(found.database, sweep_row(name="s", state="running")).close()
    return found


@pytest.mark.parametrize(
    ("holders", "state"),
    [
        ([None, None], SweepState.INTERRUPTED),
        (["process 1", "process 1"], SweepState.RUNNING),
        ([None, "process 1", "process 1"], SweepState.RUNNING),
        (["process 1", None, None], SweepState.INTERRUPTED),
        (["process 1", "process 2", "process 2"], SweepState.RUNNING),
    ],
)
def test_running_without_a_holder_has_died_and_who_comes_meanwhile_is_looked_at_again(
    folder, monkeypatch, holders, state
):
    answers = iter(holders)
    monkeypatch.setattr(SweepFolder, "holder", lambda _: next(answers))
    found = look(folder)
    assert (found.state, found.holder) == (state, holders[-1])
    assert list(answers) == []


def test_the_time_left_is_at_the_rate_so_far():
    assert time_left(10.0, 5, 3) == TimeLeft(6.0, 3)
    assert time_left(10.0, 5, -3) == TimeLeft(0.0, 0)
