"""Random, Bayesian and grid search as a user types them: start, kill, extend, report."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from sweep.analysis.frames.load import load
from sweep.analysis.report.commands import commands
from sweep.store import Store
from tests.support import tiny, warm
from tests.support.hasty import hasty_plan

RANDOM = ["--search", "random", "--trials", "5", "--executions", "2"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny space, twelve configurations, and its data."""
    return tiny.make_place(tmp_path_factory.mktemp("searches"))


def start(name: str, *more: str) -> list[str]:
    arguments = tiny.ARGUMENTS.copy()
    at = arguments.index("--factor")
    return ["start", "tiny.py", "--name", name, *arguments[:at], *arguments[at + 2 :], *more]


def report(place: Path, name: str) -> Any:
    return json.loads(warm.run(place, "report", name, "--no-charts", "-o", "json").stdout)


def test_a_random_search_with_repeats_from_plan_to_report(place):
    arguments = ["plan", "tiny.py", *start("x")[4:-2], *RANDOM]
    shown = warm.run(place, *arguments, before=hasty_plan).stdout
    assert "5 trials, 15 epochs; 1 baseline beside, 3 epochs" in shown
    assert "5 more runs with other seeds, 15 epochs" in shown
    assert "rung" not in shown and "bracket" not in shown
    warm.run(place, *start("random", *RANDOM))
    tiny.assert_sound(place, "random")
    said = warm.run(place, "report", "random", "--no-charts", "--width", "1000").stdout
    assert "search      random, 5 configurations, 2 runs of each" in said
    assert "rung" not in said and "Hyperband" not in said
    assert "The search had 2 runs of each trial and chose by their mean" in said
    found = report(place, "random")
    searched = [one for one in found["trials"] if one["baseline"] is None]
    assert [one["bracket"] for one in searched] == [None] * 5
    assert [one["seeds"] for one in found["confirmed"]] == [2] * 5
    assert found["sweep"]["settings"]["search"] == "random"


def test_a_bayesian_search_that_was_stopped_and_resumed_is_the_same(place):
    bayesian = ["--search", "bayesian", "--trials", "6", "--initial-points", "3"]
    warm.run(place, *start("whole", *bayesian))
    command = warm.run(place, *start("cut", *bayesian, "--max-trials", "2"), code=8)
    assert "--max-trials 2 ended the search" in command.stderr
    warm.run(place, "resume", "cut")
    tiny.assert_sound(place, "cut")
    assert tiny.differences(tiny.contents(place, "cut"), tiny.contents(place, "whole")) == []


def test_a_grid_is_extended_to_its_end_and_no_further(place):
    warm.run(place, *start("grid", "--search", "grid", "--trials", "10"))
    done = warm.run(place, "extend", "grid", "--trials", "50")
    assert "2 new trials, 6 epochs at most" in done.stdout
    assert "the grid has 12 configurations, fewer than the 50" in done.stderr
    assert "no more than 12" in warm.run(place, "extend", "grid", "--trials", "60", code=2).stderr
    said = warm.run(place, "extend", "grid", "--add-brackets", "1", code=2).stderr
    assert "a grid search has no rungs and brackets: give --trials" in said
    tiny.assert_sound(place, "grid")
    assert "grid, all 12 configurations" in warm.run(place, "status", "grid").stdout


def test_the_commands_of_the_report_make_the_sweep_again(place):
    with Store(place / "results" / "random" / "sweep.db", read_only=True) as store:
        (line,) = commands(load(store))
    words = shlex.split(line)
    assert words[:3] == ["sweep", "start", str(place / "tiny.py")]
    assert [words[words.index(one) + 1] for one in RANDOM[::2]] == RANDOM[1::2]
    assert not {"--factor", "--alpha", "--beta"} & set(words)


def test_options_that_do_not_go_together_are_refused_before_anything_is_trained(place):
    refused = warm.run(place, *start("no", "--trials", "5"), code=4).stderr
    assert "--trials is a setting of --search random or bayesian or grid" in refused
    refused = warm.run(place, *start("no", "--search", "random", "--factor", "4"), code=4).stderr
    assert "would be ignored with --search random; leave it out" in refused
    assert not (place / "results" / "no").exists()
