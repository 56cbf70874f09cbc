"""Which checkpoints are kept: a law, the policy by hand, and a sweep that makes room."""

import os
import subprocess
import sys
import tempfile
import time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.disk import of_this_process, remove_abandoned_spaces, whole
from sweep.runner.retention import kept_trials, removable, remove
from sweep.store import Standing
from sweep.testing import IdleTrainer
from tests.support.runs import new_runner, new_store


def standing(trial: int, score: float | None, rung: int = 0, **changes: Any) -> Standing:
    values = {"iteration": 0, "bracket": 1, "params": 100, "is_searched": True}
    values |= {"is_pending": False, "is_failed": False, "file": f"{trial}"}
    return Standing(**{**values, "trial": trial, "score": score, "rung": rung, **changes})


def test_kept_are_the_best_the_frontier_the_baselines_and_all_that_may_go_on():
    standings = [
        standing(0, 0.9, iteration=None, bracket=None, is_searched=False),
        standing(1, 0.50, rung=1),  # on the bracket's last rung
        standing(2, 0.51, params=200),  # cut, second best
        standing(3, 0.60, params=50),  # cut, but nothing as small is as good
        standing(4, 0.61, params=50),  # cut
        standing(5, 0.40, rung=1, is_failed=True),
        standing(6, 0.99, bracket=0),  # its bracket waits
        standing(7, None, is_pending=True),
        standing(8, 0.9, is_searched=False, is_confirmation=True),  # may be tested and exported
        standing(9, 0.9, is_searched=False, is_confirmation=True, is_failed=True),
    ]
    assert kept_trials(standings, keep=2) == {0, 1, 2, 3, 6, 7, 8}
    assert kept_trials(standings, keep=0) == {0, 1, 3, 6, 7, 8}


one_trial = st.tuples(st.integers(0, 3), st.integers(1, 5), st.integers(0, 2), st.booleans())


@given(st.lists(one_trial, max_size=12), st.integers(0, 4), st.data())
@settings(max_examples=100, deadline=None)
def test_what_is_removed_would_not_be_kept_later_either(drawn, keep, data):
    """Scores only fall and trials are only added: nobody is missed who was given up."""
    standings = [
        standing(i, 0.5 + score / 10, rung, params=params, is_failed=failed)
        for i, (score, params, rung, failed) in enumerate(drawn)
    ]
    gone = {s.trial for s in standings} - kept_trials(standings, keep)
    top = max((s.rung for s in standings), default=0)
    later = [
        standing(
            s.trial,
            s.score if s.trial in gone else data.draw(st.floats(0.1, s.score)),
            s.rung if s.trial in gone or s.rung < top else top + data.draw(st.integers(0, 1)),
            params=s.params,
            is_failed=s.is_failed,
        )
        for s in standings
    ]
    assert not gone & kept_trials(later, keep)


def test_a_sweep_removes_checkpoints_of_cut_trials_and_those_of_a_kill(tmp_path, keras):
    folder, store = new_store(tmp_path)
    (folder.checkpoints / "trial-00000-epoch-000001.npz").write_bytes(b"half")
    (folder.path / "sweep.db.new").write_bytes(b"half")
    runner = new_runner(folder, store, IdleTrainer(), keep=2)
    assert runner.run() == "finished"
    names = {path.name for path in folder.checkpoints.iterdir()}
    assert names == store.checkpoint_files()
    assert not (folder.path / "sweep.db.new").exists()
    survivors = {a.trial for a in store.ended() if a.last_epoch == 9}
    best = {s.trial for s in sorted(store.standings(), key=lambda s: s.score)[:2]}
    assert {int(name[6:11]) for name in names} == survivors | best
    assert removable(folder, store, 2).bytes == 0


def test_links_among_the_checkpoints_are_left_alone(tmp_path):
    folder, store = new_store(tmp_path)
    precious = tmp_path / "precious"
    precious.write_text("here")
    (folder.checkpoints / "trial-x").symlink_to(precious)
    what = removable(folder, store, 0)
    remove(store, what)
    assert precious.read_text() == "here"


def killed(code: str, *arguments: object) -> None:
    """Run code that kills its own process."""
    ending = "; import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    command = [sys.executable, "-c", code.strip() + ending, *map(str, arguments)]
    assert subprocess.run(command).returncode == -9


def test_what_a_killed_report_left_is_removed_and_what_is_being_written_is_not(tmp_path):
    folder, store = new_store(tmp_path)
    folder.charts.mkdir()
    killed(
        "import sys; from pathlib import Path; from sweep.disk import whole; "
        "held = whole(Path(sys.argv[1]) / 'a chart.png'); held.__enter__().write_bytes(b'half')",
        folder.charts,
    )
    (left,) = folder.charts.iterdir()
    old, young = folder.charts / ".a-01234567.svg", folder.charts / ".b-01234567.svg"
    for path in (old, young, folder.charts / ".mine", folder.charts / "a-01234567.svg"):
        path.write_bytes(b"x")
    os.utime(old, (time.time() - 90_000,) * 2)
    with whole(folder.charts / "c.png") as new:
        new.write_bytes(b"writing")
        what = removable(folder, store, 0)
        remove(store, what)
    assert set(what.orphans) == {left, old}
    names = {path.name for path in folder.charts.iterdir()}
    assert names == {young.name, ".mine", "a-01234567.svg", "c.png"}


def test_folders_of_spaces_are_removed_once_their_processes_are_gone(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    killed(
        "import sys, tempfile; from pathlib import Path; from sweep.disk import of_this_process; "
        "made = tempfile.mkdtemp(prefix=of_this_process('sweep-space-'), dir=sys.argv[1]); "
        "(Path(made) / 'space.py').write_bytes(b'code')",
        tmp_path,
    )
    own = tempfile.mkdtemp(prefix=of_this_process("sweep-space-"))
    unknown = tempfile.mkdtemp(prefix="sweep-space-")
    (tmp_path / "sweep-space-link").symlink_to(tmp_path)
    assert remove_abandoned_spaces(dry_run=True) == 4
    assert remove_abandoned_spaces() == 4
    left = {str(path) for path in tmp_path.iterdir()}
    assert left == {own, unknown, str(tmp_path / "sweep-space-link")}
    os.utime(unknown, (time.time() - 90_000,) * 2)
    remove_abandoned_spaces()
    assert {path.name for path in tmp_path.iterdir()} == {own.split("/")[-1], "sweep-space-link"}


def test_runs_of_one_search_trial_are_kept_together_if_their_mean_is_among_the_best():
    def runs(trial: int, own: float, repeat: float | None) -> list[Standing]:
        values = {"is_searched": False, "is_confirmation": True, "confirms": trial}
        again = standing(trial + 1, repeat, is_failed=repeat is None, seed_number=2, **values)
        return [standing(trial, own), again]

    standings = [
        standing(0, 0.9, is_searched=False),
        standing(1, 0.9, is_searched=False, is_confirmation=True, confirms=0, seed_number=2),
        *runs(2, 0.40, 0.70),
        *runs(4, 0.50, 0.50),
        *runs(6, 0.30, None),
        standing(8, 0.8, is_searched=False, is_confirmation=True, confirms=2, seed_number=3),
    ]
    assert kept_trials(standings, 1, executions=2, has_rungs=False) == {0, 1, 4, 5, 8}
    assert kept_trials(standings, 2, executions=2, has_rungs=False) == {0, 1, 2, 3, 4, 5, 8}
