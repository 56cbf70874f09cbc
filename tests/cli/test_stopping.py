"""A request to stop is heard at once, wherever the process is, and costs an epoch at most."""

import subprocess
import sys

import pytest

from sweep.sweep_folder import SweepFolder
from tests.support import tiny, warm
from tests.support.slow import slow_programs, wait_for

SLOW_SPACE = (
    tiny.SPACE.replace(
        "    model.run_eagerly = True\n",
        "    model.run_eagerly = True\n    model.add(Slow())\n",
    )
    + '''

import time
from pathlib import Path

import keras


class Slow(keras.layers.Layer):
    """Takes for ever while there is a file called slow."""

    def call(self, x):
        while Path("slow").exists():
            Path("held").touch()
            time.sleep(0.01)
        return x
'''
)


def impatient(trainer: str) -> None:
    """The epoch under way is waited for a second, not five."""
    from sweep.cli import stopping
    from sweep.training import grace

    stopping._EPOCH_SECONDS = 1.0
    grace.GRACE_SECONDS = 0.3
    if trainer == "fused":
        slow_programs()


STUCK = "discarded, what was saved before it counts; continue with: sweep resume broken-keras"
ENDINGS = {"keras": (143, STUCK), "fused": (143, "stopped, state saved; continue with: sweep"),
           "budget": (8, "--max-time of 1 s ended the search")}  # fmt: skip


@pytest.fixture(scope="module")
def of_fused(tmp_path_factory):
    """A place with a sweep `whole` of the fused trainer that nobody stopped."""
    place = tiny.make_place(tmp_path_factory.mktemp("fused"))
    warm.run(place, *tiny.start("whole", "fused"))
    return place


@pytest.mark.parametrize("how", list(ENDINGS))
def test_an_epoch_that_takes_too_long_is_left_out_and_trained_again(tmp_path, of_fused, how):
    trainer, place, name = "fused", of_fused, f"broken-{how}"
    start = tiny.start(name, trainer)
    if how == "keras":
        trainer, place, start = "keras", tmp_path, tiny.start_random(name, 1)
        warm.run(tiny.make_place(place, SLOW_SPACE), *tiny.start_random("whole", 1))
    if how == "budget":
        start += ["--max-time", "1"]
        (place / "slow").touch()
    broken = warm.begin(place, *start, before=impatient, given=(trainer,))
    database = place / "results" / name / "sweep.db"
    checkpoints = database.parent / "checkpoints"
    if how != "budget":
        wait_for(lambda: database.exists() and any(checkpoints.glob("*.npz")), broken)
        (place / "slow").touch()
    wait_for((place / "held").exists, broken)
    if how != "budget":
        warm.run(place, "stop", name)
    code, words = ENDINGS[how]
    assert broken.wait() == code
    assert words in broken.stderr
    assert not (database.parent / "stop").exists()
    (place / "slow").unlink()
    (place / "held").unlink()
    warm.run(place, "resume", name)
    differing = tiny.differences(tiny.contents(place, "whole"), tiny.contents(place, name))
    assert differing == []


def test_stop_says_when_nothing_runs_or_nobody_answers_and_resume_forgets_the_request(tmp_path):
    place = tiny.make_place(tmp_path)
    warm.run(place, *tiny.start("s", "fused", "--max-trials", "1"), code=8)
    assert "s is not running" in warm.run(place, "stop", "s").stderr
    with SweepFolder(place / "results", "s").locked():
        done = warm.run(place, "stop", "s", code=9, before=without_patience)
    (line,) = done.stderr.splitlines()
    assert "has not stopped within 0 s" in line and "kill it where it runs" in line
    assert (place / "results/s/stop").exists()
    warm.run(place, "resume", "s")


def without_patience() -> None:
    from sweep.runner import stop

    stop.PATIENCE_SECONDS = 0


@pytest.mark.parametrize("moment", ["typer", "tensorflow"])
def test_the_first_process_of_a_container_heeds_sigterm_from_its_first_imports_on(tmp_path, moment):
    """Process 1 ignores a signal that it has no handler for. Sent as an import begins."""
    if subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True).returncode:
        pytest.skip("no process namespace may be made here")
    place = tiny.make_place(tmp_path)
    code = (
        "import os, signal, sys\n"
        "class Sender:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {moment!r}:\n"
        "            os.kill(1, signal.SIGTERM)\n"
        "sys.meta_path.insert(0, Sender())\n"
        "assert os.getpid() == 1\n"
        "import sweep.cli; sweep.cli.main(); sys.exit('not heard')"
    )
    command = ["unshare", "--pid", "--fork", sys.executable, "-c", code, *tiny.start("s", "keras")]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=60)
    assert done.returncode == 143, done.stderr
    assert not (place / "results").exists()
