"""What Tab offers, asked as the shells ask: of a process with words in its environment."""

import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pytest

from sweep.settings import TRAINERS
from sweep.sweep_folder import SweepFolder
from tests.support import light
from tests.support.sweeps import store_sweep, trained


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
    done = light.run(place, tells_heavy=True, **{**asked, **more})
    assert done.stderr == ""
    *lines, heavy = done.stdout.splitlines()
    assert heavy == "", "what takes long to import is not waited for"
    return [line for line in lines if line]


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


def test_trials_of_an_option_are_those_of_the_sweep_before_the_option(place, tmp_path):
    copytree(place / "results", tmp_path / "results")
    one = SweepFolder(tmp_path / "results", "one")
    one.create()
    store_sweep(one.database, [trained(0.6)], name="one", created_at=0.5).close()
    assert offered(tmp_path, "test", "one", "--trial", "") == ["0"]
    assert offered(tmp_path, "test", "--trial", "") == ["0", "1", "2"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_a_shell_would_not_take_for_one_word_is_offered_to_none(tmp_path, shell):
    names = ("$(touch owned)", "`x`", "a b", "a'b", 'a"b', "a;b", "a\nb", "-rf", "~", "*", "{a,b}")
    folder = SweepFolder(tmp_path / "results", "s")
    folder.create()
    store_sweep(folder.database, [trained(0.6, baseline=name) for name in names]).close()
    for name in names:
        (tmp_path / f"{name}.py").touch()
    (tmp_path / "good.py").touch()
    words = {"_SWEEP_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    spaces = offered(tmp_path, "start", "", **words, _TYPER_COMPLETE_ARGS="sweep start ")
    assert len(spaces) == 5 and "good.py" in str(spaces)
    trials = offered(tmp_path, "show", "s", "", **words, _TYPER_COMPLETE_ARGS="sweep show s ")
    assert len(trials) == len(names) and "owned" not in str(trials)


def test_the_script_is_for_the_command_however_it_was_started(place):
    done = subprocess.run(
        [sys.executable, "-m", "sweep"],
        env={**os.environ, "_SWEEP_COMPLETE": "source_bash"},
        capture_output=True,
        text=True,
    )
    assert "complete -o default -F _sweep_completion sweep" in done.stdout


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
    assert offered(tmp_path, "show", "") == ["broken"]
    assert offered(tmp_path, "show", "broken", "") == []


def test_the_results_folder_of_the_environment_is_looked_into(place, tmp_path):
    assert offered(tmp_path, "status", "o", SWEEP_RESULTS=str(place / "results")) == ["older"]
