"""A command ends well whatever its words lead to: a pipe that ends, a full disk, nothing, ASCII."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sweep.sweep_folder import SweepFolder
from tests.support import light, tiny, warm
from tests.support.sweeps import store_sweep, trained

REPORT, LONGEST = "report s --no-charts", "report many --no-charts"
LOOKS = ["ls", "status s", REPORT, "report s --no-charts -o json", "--help"]
NOTHING_SAID = {"<&-": 0, ">&-": 0, "2>&-": 0, ">&- 2>&-": 0, "2>/dev/full": 0, "| head -1": 0}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a sweep and one of many trials, whose report is longer than a pipe's buffer."""
    root = tmp_path_factory.mktemp("streams")
    for name, n_trials in (("s", 20), ("many", 400)):
        folder = SweepFolder(root / "results", name)
        folder.create()
        trials = [trained(0.7, 0.6 + i / 1000, params=10 + i) for i in range(n_trials)]
        store_sweep(folder.database, trials, name=name).close()
    return root


def shell(place: Path, command: str, redirected: str, **more: str) -> subprocess.CompletedProcess:
    """Carry out `sweep command`; the exit code is that of sweep, not of what follows.

    In bash the longest before a pipe that ends, and where the environment is of use to Python's
    start alone.
    """
    if not more and (command != LONGEST or "|" not in redirected):
        imported = "sweep.analysis.report.terminal" if "report" in command else "sweep.cli.app"
        return light.run(place, *command.split(), redirected=redirected, imported=imported)
    line = f"{sys.executable} -m sweep {command} {redirected}; exit ${{PIPESTATUS[0]}}"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SWEEP_")}
    return subprocess.run(
        ["bash", "-c", line], cwd=place, env={**environment, **more}, capture_output=True, text=True
    )


@pytest.mark.parametrize("redirected", NOTHING_SAID)
@pytest.mark.parametrize("command", LOOKS)
def test_words_that_nobody_reads_fail_no_command(place, command, redirected):
    is_cut_off = command == REPORT and "|" in redirected
    done = shell(place, LONGEST if is_cut_off else command, redirected)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and "error" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("command", LOOKS)
def test_a_full_disk_behind_stdout_is_told_in_one_line(place, command):
    done = shell(place, command, ">/dev/full")
    assert done.returncode == 6, done.stderr
    errors = [line for line in done.stderr.splitlines() if not line.startswith("sweep s")]
    assert len(errors) == 1 and "cannot write the output (No space left" in errors[0]


@pytest.mark.parametrize("command", LOOKS[:3])
@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["ascii", "C"],
)
def test_a_terminal_without_the_characters_shows_what_is_nearest(place, command, environment):
    done = shell(place, command, "", **environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii() and done.stderr.isascii()
    assert not re.search(r"\?\?", done.stdout)


def closed() -> None:
    """As Python starts in a process without stdout and stderr."""
    for descriptor in (1, 2):
        os.close(descriptor)
    sys.stdout = sys.stderr = None


def full() -> None:
    lead_to(os.open("/dev/full", os.O_WRONLY))


def unread() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    lead_to(writer)


def ascii_only() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="ascii", errors="strict")


def lead_to(descriptor: int) -> None:
    for number in (1, 2):
        os.dup2(descriptor, number)


@pytest.mark.parametrize("before", [closed, full, unread, ascii_only])
def test_a_search_goes_to_its_end_whoever_listens(tmp_path, before):
    place = tiny.make_place(tmp_path)
    done = warm.begin(place, *tiny.start("s", "fused", "--verbose"), before=before)
    assert done.wait() == 0, done.stderr
    assert "finished" in warm.run(place, "status", "s").stdout
    tiny.assert_sound(place, "s")
    if before is ascii_only:
        assert "finished; see: sweep report s" in done.stderr
        assert done.stderr.isascii()
