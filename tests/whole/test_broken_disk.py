"""Whatever happens to its disk, a sweep ends in one clear line, and goes on or is refused."""

import ctypes
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sweep.store import Store
from tests.support import faults, tiny, warm
from tests.support.slow import slow_programs, wait_for

MOUNT = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0"'
READ_ONLY = ["unshare", "--mount", "sh", "-c", MOUNT]
CLONE_NEWNS = 0x00020000


def read_only(folder: Path) -> None:
    """Mount a folder read-only, for this process alone."""
    assert ctypes.CDLL(None).unshare(CLONE_NEWNS) == 0
    for command in (["mount", "--make-rprivate", "/"], ["sh", "-c", MOUNT, folder]):
        subprocess.run(command, check=True)


@pytest.fixture(scope="module")
def begun(tiny_place: Path) -> Path:
    """The folder of a sweep under way: killed, its log not merged."""
    fault = ("committed", 5)
    killed = warm.begin(tiny_place, *tiny.start("begun", "keras"), before=faults.arm, given=fault)
    assert killed.wait() == -signal.SIGKILL, killed.stderr
    return tiny_place / "results/begun"


@pytest.fixture
def place(begun: Path, tmp_path: Path) -> Path:
    """A place with a copy of it, `s`, to break."""
    shutil.copytree(begun, tmp_path / "results/s")
    return tmp_path


def refused(place: Path, *arguments: str, code: int) -> str:
    """The one error line of a command that must fail."""
    done = warm.run(place, *arguments, code=code)
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    return line


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a file system may only be mounted by root")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_ends_the_sweep_and_room_lets_it_go_on(begun, tiny_place, small_disk):
    shutil.copytree(begun, small_disk / "results/s")
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(4096))
    line = refused(tiny_place, "resume", "s", "--results", str(small_disk / "results"), code=6)
    assert str(small_disk) in line and "room" in line
    ballast.unlink()
    warm.run(tiny_place, "resume", "s", "--results", str(small_disk / "results"))
    shutil.move(small_disk / "results/s", tiny_place / "results/moved")
    whole, moved = (tiny.contents(tiny_place, name) for name in ("whole", "moved"))
    assert tiny.differences(whole, moved) == []


def test_a_folder_that_cannot_be_written_is_read_whole_and_not_resumed(place):
    """By root too: the folder is mounted read-only."""
    results = place / "results"
    with Store(results / "s/sweep.db", read_only=True) as store:
        expected = store.progress()
    assert expected.assignments_done > 0
    shutil.copytree(results / "s", results / "log", ignore=shutil.ignore_patterns("*-shm"))
    assert (results / "log/sweep.db-wal").stat().st_size > 0, "the truth is in the log"
    if subprocess.run([*READ_ONLY, results], capture_output=True).returncode:
        pytest.skip("a folder may only be mounted read-only by root")

    def sweep(*arguments: str, code: int = 0) -> warm.Command:
        return warm.run(place, *arguments, code=code, before=read_only, given=(results,))

    for name in ("s", "log"):
        assert f" {expected.assignments_done} of " in sweep("status", name).stdout
        sweep("report", name, "--no-charts")
    for command in ("resume", "report"):
        line = sweep(command, "s", code=6).stderr.splitlines()[-1]
        assert "Read-only file system" in line
    sweep("stop", "s")
    sweep("ls")


def test_a_folder_deleted_under_a_running_sweep_ends_it(tmp_path):
    place = tiny.make_place(tmp_path)
    (place / "slow").touch()
    running = warm.begin(place, *tiny.start("s", "fused"), before=slow_programs)
    wait_for((place / "held").exists, running)
    shutil.rmtree(place / "results/s")
    assert running.wait() == 6
    (line,) = [line for line in running.stderr.splitlines() if line.startswith("error: ")]
    assert "results/s was removed or replaced" in line


def test_a_corrupted_page_is_refused_by_every_command(place):
    database = place / "results/s/sweep.db"
    with closing(sqlite3.connect(database)) as db:  # merges the log
        query = "SELECT rootpage FROM sqlite_master WHERE name IN ('assignment', 'epoch')"
        roots = [root for (root,) in db.execute(query)]
        (size,) = db.execute("PRAGMA page_size").fetchone()
    with database.open("r+b") as file:
        for root in roots:
            file.seek((root - 1) * size)
            file.write(b"\xff" * size)
    for command in ("resume", "report", "status"):
        line = refused(place, command, "s", code=5)
        assert "sweep.db" in line and "damaged" in line
    assert "damaged" in warm.run(place, "ls").stdout, "one sweep does not hide the others"


def test_a_truncated_checkpoint_is_refused(place):
    path = counted_checkpoints(place)[0]
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    line = refused(place, "export", "s", "0", "x.keras", code=5)
    assert f"{path.name} is missing or damaged" in line


def test_checkpoints_in_each_others_place_are_refused(place):
    with closing(sqlite3.connect(place / "results/s/sweep.db")) as db, db:
        (one, first), (other, second) = db.execute("SELECT trial, file FROM checkpoint LIMIT 2")
        db.execute("UPDATE checkpoint SET file = ? WHERE trial = ?", (second, one))
        db.execute("UPDATE checkpoint SET file = ? WHERE trial = ?", (first, other))
    line = refused(place, "export", "s", str(one), "x.keras", code=5)
    assert "belongs to" in line and "put the right file back" in line


def test_a_checkpoint_of_another_epoch_is_refused(place):
    """The trial's own, from a copy made earlier: going on from it would leave out epochs."""
    with closing(sqlite3.connect(place / "results/s/sweep.db")) as db, db:
        db.execute("UPDATE checkpoint SET epoch = epoch + 1")
        db.execute("UPDATE assignment SET status = 'pending', last_epoch = last_epoch + 2")
    line = refused(place, "resume", "s", code=5)
    assert "is of epoch" in line and "put the right file back" in line


def test_a_clock_that_goes_backwards_changes_no_number(tiny_place):
    warm.run(tiny_place, *tiny.start("backwards", "keras"), before=turn_the_clock_back)
    whole, backwards = (tiny.contents(tiny_place, name) for name in ("whole", "backwards"))
    assert tiny.differences(whole, backwards) == []
    assert warm.run(tiny_place, "report", "backwards", "--no-charts").stdout
    assert "worked     -" not in warm.run(tiny_place, "status", "backwards").stdout


def turn_the_clock_back() -> None:
    """Every look at the wall clock is an hour before the one before."""
    looks = iter(range(10**9))
    now = time.time()
    time.time = lambda: now - 3600 * next(looks)


def counted_checkpoints(place: Path) -> list[Path]:
    with Store(place / "results/s/sweep.db", read_only=True) as store:
        names = store.checkpoint_files()
    return [place / "results/s/checkpoints" / name for name in sorted(names)]
