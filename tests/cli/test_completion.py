"""What Tab offers, asked as the shells ask: by a process with words in its environment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sweep.settings import TRAINERS
from sweep.sweep_folder import SweepFolder
from tests.support.sweeps import store_sweep, trained

PROGRAM = (
    "import sys, sweep.cli\n"
    "sys.argv = ['sweep']\n"
    "try: sweep.cli.main()\n"
    "finally:\n"
    "    heavy = {'tensorflow', 'keras', 'pandas'} & set(sys.modules)\n"
    "    if heavy: print('HEAVY', heavy)"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with two sweeps, a space and a data file."""
    root = tmp_path_factory.mktemp("completion")
    for number, name in enumerate(("older", "newer")):
        folder = SweepFolder(root / "results", name)
        folder.create()
        trials = [
            trained(0.6, baseline="Large" if name == "newer" else "Small"),
            trained(0.5, baseline="$(touch owned)"),
            trained(0.7),
        ]
        store_sweep(folder.database, trials, name=name, created_at=float(number)).close()
    (root / "mine.py").touch()
    (root / "rows.csv").touch()
    return root


def offered(place: Path, *words: str, **more: str) -> list[str]:
    """What is offered in place of the last of `words`."""
    asked = {
        "_SWEEP_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(["sweep", *words]),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=place,
        env={**os.environ, **asked, **more},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


def test_commands_and_options_are_offered(place):
    assert offered(place, "sta") == ["start", "status"]
    assert "--max-epochs" in offered(place, "start", "mine.py", "--max")


@pytest.mark.parametrize("command", ["status", "report", "resume", "rm", "gc", "doctor"])
def test_names_of_sweeps_are_offered(place, command):
    assert offered(place, command, "") == ["older", "newer"]
    assert offered(place, command, "n") == ["newer"]


def test_trials_are_those_of_the_sweep_that_is_named_or_else_of_the_newest(place):
    assert offered(place, "show", "") == ["older", "newer", "Large", "0", "1", "2"]
    assert offered(place, "show", "older", "") == ["Small", "0", "1", "2"]
    assert offered(place, "compare", "older", "1", "S") == ["Small"]
    assert offered(place, "compare", "1", "") == ["Large", "0", "1", "2"]
    assert offered(place, "export", "older", "2") == ["2"]
    assert offered(place, "test", "older", "--trial", "") == ["0", "1", "2"]


def test_spaces_data_and_values_are_offered(place):
    assert offered(place, "start", "") == [
        *("capacity", "regularization", "tutorial", "mine.py", "results/"),
    ]
    assert offered(place, "start", "x", "--data", "") == [
        *("auto", "builtin", "higgs", "rows.csv", "results/"),
    ]
    assert offered(place, "plan", "x", "--trainer", "") == list(TRAINERS)
    assert offered(place, "report", "-o", "p") == ["parquet"]


def test_a_damaged_sweep_or_none_offers_nothing_and_says_nothing(place, tmp_path):
    assert offered(tmp_path, "show", "") == []
    folder = SweepFolder(tmp_path / "results", "broken")
    folder.create()
    folder.database.write_bytes(b"no database")
    assert offered(tmp_path, "status", "") == ["broken"]
    assert offered(tmp_path, "show", "broken", "") == []


def test_the_results_folder_of_the_environment_is_looked_into(place, tmp_path):
    assert offered(tmp_path, "status", "o", SWEEP_RESULTS=str(place / "results")) == ["older"]
