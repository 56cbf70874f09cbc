"""Budgets by the command line: exit code 8, a valid report that says what is missing, and on."""

import json
import re
import shutil

import pytest

from tests.support import tiny, warm


@pytest.fixture(scope="module")
def place(fused_place, tmp_path_factory):
    return shutil.copytree(fused_place, tmp_path_factory.mktemp("copy") / "place")


def left_out(place, name):
    shown = warm.run(place, "report", name, "-o", "json", "--no-charts").stdout
    return json.loads(shown)["sweep"]["progress"]["left_out"]


def test_budgets_end_a_sweep_and_a_larger_one_ends_it_like_no_budget(place):
    said = warm.run(place, *tiny.start("b", "fused", "--max-trials", "2"), code=8).stderr
    assert "--max-trials 2 ended the search; " in said
    assert "assignments are left, the results so far are valid" in said
    tiny.assert_sound(place, "b")
    header = warm.run(place, "report", "b", "--no-charts").stdout
    left = left_out(place, "b")
    assert left["trials"] > 0 and left["epochs"] > 0
    line = rf"left out\s+{left['trials']} trials, {left['epochs']} epochs\n"
    assert re.search(line, header)
    said = warm.run(place, "resume", "b", "--target", "9", code=8).stderr
    assert "--target 9.0 was reached: 0." in said, "it had been reached before"
    assert left_out(place, "b") == left
    said = warm.run(place, "resume", "b", "--max-time", "0.0s", code=8).stderr
    assert "--max-time of 0 s ended" in said
    warm.run(place, "resume", "b")
    assert left_out(place, "b") is None
    one, other = tiny.contents(place, "b"), tiny.contents(place, "s")
    differing = tiny.differences(one, other)
    assert not [name for name in differing if name.startswith(("trial.", "epoch."))]


@pytest.mark.parametrize("options", [("--target", "-1"), ("--target", "nan"), ("--keep", "-1")])
def test_budgets_that_cannot_be_are_refused_before_anything_starts(place, options):
    said = warm.run(place, *tiny.start("no", "fused", *options), code=4).stderr
    assert options[0] in said
    assert not (place / "results" / "no").exists()
