"""sweep compare and sweep show, over a stored sweep, as a user types them."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sweep.analysis.answers.one_trial import details, reason, sparkline
from sweep.analysis.answers.two_trials import compare
from sweep.analysis.frames.load import load
from sweep.cli.app import app
from sweep.errors import NotFoundError, SweepError
from sweep.records import Outcome, OutcomeStatus
from sweep.store import Store
from sweep.sweep_folder import SweepFolder
from tests.support.sweeps import rows_of_losses, store_sweep, trained

LOSSES = rows_of_losses(0.6, 0.6005, 0.64)
RISING = [0.7, 0.65, 0.6, 0.62, 0.65, 0.68, 0.71, 0.74]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A sweep of a baseline, its rival, a worse trial, a failed one and one without losses."""
    folder = SweepFolder(tmp_path / "results", "mine")
    folder.create()
    settings = {"width": 512, "depth": 4, "l2": 0.0, "dropout": 0.1, "decay_steps": 500}
    trials = [
        trained(*RISING, train_score=0.5, losses=LOSSES[0], baseline="Large", params=803_329),
        trained(0.6005, losses=LOSSES[1], hyperparameters=settings, params=900),
        trained(0.64, losses=LOSSES[2], params=800),
        trained(ended=None, last_epoch=3),
        trained(0.62),
    ]
    with store_sweep(folder.database, trials, name="mine") as store:
        (pending,) = store.pending()
        trace = "Traceback:\n  in build\nValueError: no"
        failed = Outcome(OutcomeStatus.FAILED, 0, None, 0.5, "ValueError: no", trace)
        store.finish(pending, failed, [], "keras")
    return folder.root


def ask(results: Path, *arguments: str) -> str:
    done = CliRunner().invoke(app, [*arguments, "--results", str(results)])
    if isinstance(done.exception, SweepError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def lines(output: str) -> dict[str, str]:
    return {line[:16].strip(): line[16:].strip() for line in output.splitlines()}


def test_a_comparison_says_what_the_paired_difference_means(results):
    output = ask(results, "compare", "mine", "0", "2")
    assert "trial 0 Large is better by 0.0400 ± 0.0059 (rows 0.0009, seeds 0.0058, taken" in output
    assert "trial 0 Large is tied with the best and trial 2 is not." in output
    interval = "95 % interval over the rows -0.04178 to -0.03822."
    assert f"A − B in val BCE: -0.04000 ± 0.00091, {interval}" in output
    turned = ask(results, "compare", "mine", "2", "0")
    assert "trial 0 Large is better by" in turned and "0.03822 to 0.04178" in turned
    tied = ask(results, "compare", "mine", "0", "1")
    assert ": not told apart (95 %); the difference is too small for any number of rows" in tied
    assert "both are tied with the best." in tied


def test_settings_stand_side_by_side_and_those_that_differ_are_marked(results):
    output = ask(results, "compare", "mine", "0", "1")
    marked = [line.split()[0] for line in output.splitlines() if line.endswith("≠")]
    assert marked == ["width", "depth", "dropout", "decay_steps"]
    assert "l2" in output
    assert not [line for line in output.splitlines() if line != line.rstrip()]


def test_a_comparison_for_programs_carries_full_precision(results):
    found = json.loads(ask(results, "compare", "mine", "0", "2", "-o", "json"))
    assert found["schema"] == "sweep.compare/1"
    apart = LOSSES[0].astype(float) - LOSSES[2]
    assert found["difference"]["value"] == pytest.approx(apart.mean(), rel=1e-12)
    assert found["difference"]["se"] == pytest.approx(apart.std(ddof=1) / math.sqrt(1000))
    assert (found["a"]["trial"], found["b"]["trial"]) == (0, 2)


def test_a_trial_without_losses_is_compared_without_an_error(results):
    assert "the difference is unknown" in ask(results, "compare", "mine", "0", "4")
    found = json.loads(ask(results, "compare", "mine", "0", "4", "-o", "json"))
    assert found["difference"] is None


def test_everything_about_a_trial_is_shown(results):
    shown = lines(ask(results, "show", "mine", "0"))
    assert shown["trial"] == "trial 0 Large of sweep mine, rank 1 of 5"
    assert shown["settings"].startswith("width=16, depth=1, l2=0")
    assert shown["val BCE"].startswith("0.600 ± 0.01")
    assert shown["gap"].startswith("0.100 ± 0.01")
    assert "val BCE rose for good after epoch 4" in shown["class"]
    assert re.fullmatch("▆[▃▄]▁▂[▃▄]▅[▆▇]█", shown["val BCE by epoch"])


def test_the_errors_of_a_failed_trial_are_shown_with_their_traceback(results):
    output = ask(results, "show", "mine", "3")
    assert "error in rung 0: ValueError: no\n  Traceback:\n    in build\n" in output


def test_a_trial_for_programs_carries_its_rungs_and_epochs(results):
    found = json.loads(ask(results, "show", "mine", "0", "-o", "json"))
    assert found["schema"] == "sweep.trial/1"
    assert [epoch["val_score"] for epoch in found["epochs"]] == RISING
    assert found["best"]["epoch"] == 3 and found["best"]["val_score"] == 0.6
    assert [(rung["rung"], rung["status"]) for rung in found["rungs"]] == [(0, "completed")]
    assert found["trial"]["class"] == "overfit"


@pytest.mark.parametrize("command", [["show", "mine", "9"], ["compare", "mine", "0", "9"]])
def test_a_trial_that_does_not_exist_is_refused_with_those_there_are(results, command):
    with pytest.raises(NotFoundError, match="no trial 9; its trials are 0 to 4"):
        ask(results, *command)


@pytest.mark.parametrize(
    "command",
    [
        ["compare", "1"],
        ["compare", "a", "b"],
        ["show", "x"],
        ["show", "mine", "1", "2"],
        ["show", "1", "-o", "csv"],
    ],
)
def test_other_arguments_are_refused_in_one_line(results, command):
    with pytest.raises(SweepError) as caught:
        ask(results, *command)
    assert caught.value.exit_code == 2 and "\n" not in str(caught.value)


def test_the_newest_sweep_is_meant_when_none_is_named(results):
    assert "of sweep mine" in ask(results, "show", "1")
    assert "better by" in ask(results, "compare", "0", "1")


def test_every_class_has_its_reason(results):
    with Store(results / "mine" / "sweep.db", read_only=True) as store:
        frames = load(store)
        reasons = [reason(details(store, frames, trial)) for trial in range(5)]
        assert compare(frames, store.losses(), 0, 0).difference.value == 0
    assert reasons[1] == "tied with the best, and val BCE did not rise for good"
    assert reasons[2].startswith("0.0400 worse than the best, and most of that is its gap")
    assert reasons[3] is None and reasons[4] is None


def test_a_sparkline_is_as_wide_as_asked_and_blank_where_nothing_was_measured():
    assert sparkline(np.array([]), 10) == ""
    assert sparkline(np.array([0.0, np.nan, 7.0]), 10) == "▁ █"
    assert sparkline(np.array([1.0, 1.0]), 10) == "▁▁"
    assert len(sparkline(np.arange(1000.0), 60)) == 60
