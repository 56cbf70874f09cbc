"""Names, the newest sweep, and a lock that ends with its process."""

import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from sweep.errors import InvalidSpaceError, LockedError, NotFoundError, PlatformError
from sweep.store import Store
from sweep.sweep_folder import SweepFolder, find_sweep, free_name, new_folder, sweep_folders
from tests.support.sweeps import sweep_row


def add(root, name, created_at=1.0):
    folder = SweepFolder(root, name)
    folder.create()
    row = sweep_row(name=name, identity=name, created_at=created_at)
    Store.create(folder.database, row).close()
    return folder


@pytest.mark.parametrize("name", ["", "../x", "/x", "a/b", "-x", ".x", "x" * 81, "é", "a\n", "a\0"])
def test_names_that_could_leave_the_folder_are_refused(tmp_path, name):
    with pytest.raises(InvalidSpaceError, match="cannot name a sweep"):
        SweepFolder(tmp_path, name)


def test_the_newest_sweep_is_the_default(tmp_path):
    add(tmp_path, "b", 2.0)
    add(tmp_path, "a", 3.0)
    assert find_sweep(tmp_path, None).name == "a"
    assert find_sweep(tmp_path, "b").name == "b"
    with pytest.raises(NotFoundError, match=r"no sweep named 'c'.*there are: b, a"):
        find_sweep(tmp_path, "c")
    with pytest.raises(NotFoundError, match="start one with"):
        find_sweep(tmp_path / "none", None)


def test_a_sweep_dated_in_the_future_is_not_the_newest(tmp_path):
    add(tmp_path, "now", time.time())
    add(tmp_path, "before", 1.0)
    add(tmp_path, "later", 4e9)
    add(tmp_path, "never", 2e11)
    assert [folder.name for folder in sweep_folders(tmp_path)] == [
        "later",
        "never",
        "before",
        "now",
    ]
    add(tmp_path, "clocks-differ", time.time() + 60)
    assert find_sweep(tmp_path, None).name == "clocks-differ"


def test_processes_that_want_one_name_at_one_instant_get_one_each(tmp_path):
    code = (
        "import sys; from pathlib import Path; from sweep.sweep_folder import new_folder\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "for _ in range(50): print(new_folder(Path(sys.argv[1]) / 'r', 's').name)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, **pipes) for _ in range(2)]
    for one in both:
        one.stdout.readline()
    for one in both:
        one.stdin.write("go\n")
        one.stdin.flush()
    names = [line for one in both for line in one.communicate()[0].split()]
    assert sorted(names) == sorted(f"s-{number}" for number in range(1, 101))
    assert all((tmp_path / "r" / name / "checkpoints").is_dir() for name in names)


def test_a_folder_that_cannot_be_made_is_said_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    for root in (tmp_path / "file", tmp_path / "file/in"):
        with pytest.raises(PlatformError, match="with --results"):
            new_folder(root, "s")


def test_free_names_count_up(tmp_path):
    assert free_name(tmp_path, "capacity") == "capacity-1"
    add(tmp_path, "capacity-1")
    assert free_name(tmp_path, "capacity") == "capacity-2"
    assert free_name(tmp_path, "../é x") == "x-1"


def test_a_lock_is_held_by_one_process_and_ends_when_it_is_killed(tmp_path):
    folder = add(tmp_path, "s")
    code = (
        "import sys, time; from pathlib import Path; from sweep.sweep_folder import SweepFolder\n"
        "with SweepFolder(Path(sys.argv[1]), 's').locked():\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert folder.holder() == f"process {other.pid}"
        with pytest.raises(LockedError, match=f"by process {other.pid}"), folder.locked():
            pass
        os.kill(other.pid, signal.SIGKILL)
    assert folder.holder() is None
    with folder.locked():
        assert folder.holder() == f"process {os.getpid()}"
    assert folder.holder() is None


def test_a_lock_that_was_let_go_does_not_look_like_a_folder_taken_away(tmp_path):
    """The thread that watches the lock may look once more while the command ends."""
    folder = SweepFolder(tmp_path, "s")
    folder.create()
    with folder.locked() as lock:
        assert lock.stands()
    assert lock.stands()
    folder.lock.unlink()
    assert not lock.stands()


def test_of_many_sweeps_the_like_named_and_the_newest_are_named(tmp_path):
    for number in range(20):
        add(tmp_path, f"run-{number:02}", float(number))
    with pytest.raises(NotFoundError, match=r"there are: (run-\d\d, ){7}run-19 …; see them all"):
        find_sweep(tmp_path, "run_07")


def test_a_folder_whose_name_no_sweep_can_have_is_to_be_renamed(tmp_path):
    add(tmp_path, "run")
    (tmp_path / "run").rename(tmp_path / "run (copy)")
    with pytest.raises(NotFoundError, match=r"the folder 'run \(copy\)' in .*; rename it"):
        find_sweep(tmp_path, "run (copy)")


def test_a_sweep_that_can_only_be_read_says_so_when_it_is_to_be_worked_on(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("sweep.sweep_folder.os.open", refused)
    with (
        pytest.raises(PlatformError, match="can only be read"),
        SweepFolder(tmp_path, "a").locked(),
    ):
        pass
