"""The tutorial's models over seeds: conclusions from numbers, and the command that trains them."""

import json
from typing import Any

import numpy as np
import pytest

from sweep.analysis.answers.tutorial import conclusions, holm, permutation_p
from tests.support import tiny, warm
from tests.support.hasty import hasty_plan

SPACE = """
from search_spaces.capacity import mlp

SEARCH = False
BASELINES = {"Tiny": {"width": 4}, "Large": {"width": 32}}


def build(hp):
    model = mlp(hp.Choice("width", [4, 32]), 1, 0.0, 0.0, 500)
    model.run_eagerly = True
    return model
"""


class Frames:
    """Runs of the tutorial's models as `SweepFrames` holds them."""

    def __init__(self, shift: dict[str, float], onsets: dict[str, list[float]]) -> None:
        import pandas as pd

        random = np.random.default_rng(0)
        rows = random.normal(0.5, 0.3, 400)
        names = list(shift)
        n_seeds = {name: len(onsets[name]) for name in names}
        self.trials = pd.DataFrame(
            {
                "trial": range(len(names)),
                "baseline": names,
                "onset_epoch": [onsets[name][0] for name in names],
            }
        )
        others = [
            {"confirms": i, "status": "stopped", "onset_epoch": onset}
            for i, name in enumerate(names)
            for onset in onsets[name][1:]
        ]
        self.confirmations = pd.DataFrame(others)
        self.confirmed = pd.DataFrame(
            {"trial": range(len(names)), "baseline": names, "seeds": list(n_seeds.values())}
        )
        self.seed_losses = {
            i: rows + shift[name] + random.normal(0, 0.003, (n_seeds[name], 1))
            + random.normal(0, 0.02, (n_seeds[name], 400))
            for i, name in enumerate(names)
        }  # fmt: skip


def answers(frames: Any) -> dict[str, bool | None]:
    return {one.claim: one.holds for one in conclusions(frames)}


def test_the_conclusions_are_those_of_the_numbers():
    none = float("nan")
    found = answers(
        Frames(
            {"Tiny": 0, "Small": 0.0, "Medium": 0.02, "Large": 0.05, "L2": 0.001, "Dropout": -0.02},
            {
                "Tiny": [none] * 4,
                "Small": [90, none, 80, none],
                "Medium": [30, 28, 33, 31],
                "Large": [9, 8, 9, 7],
                "L2": [none] * 4,
                "Dropout": [none] * 4,
            },
        )
    )
    assert found["Tiny does not overfit in these epochs"] is True
    assert found["Small overfits sooner than Tiny"] is None, "two of four runs only"
    assert found["Medium overfits sooner than Small"] is True
    assert found["Large overfits sooner than Medium"] is True
    assert found["L2 helps Large"] is True and found["Dropout helps Large"] is True
    assert found["Dropout beats Tiny"] is True
    assert found["Large beats Tiny"] is False and found["L2 beats Tiny"] is None
    assert not any("Combined" in claim for claim in found), "it was not trained"


def test_a_single_seed_concludes_nothing():
    frames = Frames({"Tiny": 0, "Large": 0.3}, {"Tiny": [9.0], "Large": [2.0]})
    assert conclusions(frames) == []


def test_permutations_by_hand():
    three, later = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, np.inf])
    assert permutation_p(three, later) == pytest.approx(1 / 20)
    assert permutation_p(later, three) == 1
    assert permutation_p(three, three) > 0.5
    many = np.arange(30.0)
    assert permutation_p(many, many + 100) < 1e-6


def test_holms_adjustment_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([float("nan"), 0.02])[1] == 0.02


def test_the_command_trains_each_baseline_under_each_seed_and_searches_nothing(tmp_path):
    place = tiny.make_place(tmp_path, SPACE)
    arguments = tiny.start("t", "fused", "--seeds", "3")
    asked = ["plan", "tiny.py", "--seeds", "3", *tiny.ARGUMENTS[:-2]]
    planned = warm.run(place, *asked, before=hasty_plan).stdout
    assert "4 more baseline runs with other seeds, 12 epochs" in planned
    warm.run(place, *arguments)
    report = json.loads(warm.run(place, "report", "t", "-o", "json").stdout)
    assert [trial["baseline"] for trial in sorted(report["trials"], key=lambda t: t["trial"])] == [
        "Tiny",
        "Large",
    ]
    assert [row["seeds"] for row in report["confirmed"]] == [3, 3]
    assert {one["claim"] for one in report["tutorial"]} == {
        "Tiny does not overfit in these epochs",
        "Large overfits sooner than Tiny",
        "Large beats Tiny",
    }
    assert report["references"][0]["name"] == "no skill"
    shown = warm.run(place, "report", "t", "--no-charts").stdout
    assert "Large beats Tiny: " in shown and "without a network" in shown
    tiny.assert_sound(place, "t")
    refused = warm.run(place, *tiny.start("n", "fused", "--no-baselines"), code=4).stderr
    assert "nothing to train" in refused
