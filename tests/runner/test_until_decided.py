"""`sweep confirm --until decided`: seeds by rounds, within a budget, gone on with when killed."""

import shutil

import pytest

import sweep
from sweep.errors import BudgetEndedError, UsageError
from tests.support import faults, tiny, warm


@pytest.fixture(scope="module")
def decided(fused_place, tmp_path_factory):
    """Where nobody disturbed it, and the command's own words."""
    place = shutil.copytree(fused_place, tmp_path_factory.mktemp("decided") / "place")
    return place, warm.run(place, "confirm", "s", "--until", "decided").stderr


def test_the_leaders_get_seeds_and_what_is_left_open_is_said(decided):
    place, said = decided
    found = sweep.open(place / "results" / "s").frames
    tied = found.trials.loc[found.trials["tied"].eq(True), "trial"]
    assert len(tied) > 2 and set(found.confirmed["trial"]) == set(tied)
    assert (found.confirmed["seeds"] >= 2).all()
    assert f"undecided: {len(tied)} of {len(tied)} leaders with fewer than 2 seeds" in said
    end = said.splitlines()[-2]
    best = found.confirmed["trial"].iloc[0]
    assert end.startswith(f"undecided: trial {best} leads; ") and said.count("leads") == 1
    named = {int(word.strip(",;")) for word in end.split() if word.strip(",;").isdigit()}
    assert set(tied) <= named, "each of them is told apart, or left open"
    assert "not told apart, which takes more rows, not seeds: " in end, "60 rows"


def test_killed_within_a_budget_and_gone_on_with_it_ends_alike(
    decided, fused_place, tmp_path, monkeypatch, capsys
):
    """Killed while it keeps its second run; then by the Python face, out of runs, out of time."""
    place = shutil.copytree(fused_place, tmp_path / "place")
    asked = ("confirm", "s", "--until", "decided", "--max-runs", "3")
    killed = warm.begin(place, *asked, before=faults.arm, given=("uncounted checkpoint", 2))
    assert killed.wait() == -9
    found = sweep.open(place / "results" / "s")
    assert 0 < len(found.frames.confirmations) <= 3
    monkeypatch.chdir(place)
    found.confirm(until="decided", max_runs=3)
    assert "undecided: " in (said := capsys.readouterr().err) and "; --max-runs is spent" in said
    before = len(found.frames.confirmations)
    assert 3 <= before < len(sweep.open(decided[0] / "results" / "s").frames.confirmations)
    with pytest.raises(BudgetEndedError, match=r'go on with confirm\(until="decided"\)'):
        found.confirm(until="decided", max_seconds=0)
    stopped = warm.run(place, "confirm", "s", "--until", "decided", "--max-time", "0", code=8)
    assert "runs are left, continue with: sweep confirm s --until decided" in stopped.stderr
    assert (
        warm.run(place, "confirm", "s", "--until", "decided").stderr.splitlines()[-2:]
        == (decided[1].splitlines()[-2:])
    )
    whole, gone_on = tiny.contents(decided[0], "s"), tiny.contents(place, "s")
    assert tiny.differences(whole, gone_on) == []


def test_the_python_face_refuses_what_does_not_belong_together(decided, monkeypatch):
    monkeypatch.chdir(decided[0])
    found = sweep.open("s")
    with pytest.raises(UsageError, match="until is 'soon', expected \"decided\" or None"):
        found.confirm(until="soon")
    with pytest.raises(UsageError, match="max_runs is of until"):
        found.confirm(max_runs=3)
    with pytest.raises(UsageError, match="seeds are found with until"):
        found.confirm(seeds=3, until="decided")
