"""Sweeps of every task: texts, charts, page and files speak of the score that was measured."""

import io
import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from sweep.analysis.answers.verdict import verdict
from sweep.analysis.charts import style
from sweep.analysis.charts.curves import draw_curves
from sweep.analysis.charts.frontier import frontier_data
from sweep.analysis.charts.frontier_drawing import draw_frontier
from sweep.analysis.exchange.tensorboard import tags
from sweep.analysis.frames.load import load
from sweep.analysis.page.plots import curves, frontier_plot
from sweep.analysis.report.terminal import report
from sweep.analysis.report.text_files import to_csv
from sweep.analysis.report.trials_json import to_json
from sweep.analysis.report.verdict_words import lines
from tests.support.any_task import KINDS, play
from tests.support.sweeps import Trained, record, rows_of_losses, store_sweep, trained

OTHERS = [name for name in KINDS if name != "binary"]
NAMES = {
    "classes": "val cross-entropy",
    "tiny amount": "val MSE",
    "large amount": "val MSE",
    "rmse": "val RMSE",
    "accuracy": "val accuracy",
    "auc": "val AUC",
    "metric": "val f1",
}


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tasks")
    found = {}
    for name, kind in KINDS.items():
        with play(folder / f"{name}.db", kind) as store:
            found[name] = load(store)
    return found


def text(frames) -> str:
    file = io.StringIO()
    Console(file=file, width=250).print(report(frames))
    return file.getvalue()


@pytest.mark.parametrize("name", OTHERS)
def test_no_word_of_another_task_is_said(played, name):
    shown = text(played[name])
    assert NAMES[name] in shown
    assert not re.search(r"BCE|ln 2|signal|background\b", shown)
    assert "nats" not in shown or name == "classes"


@pytest.mark.parametrize("name", OTHERS)
def test_the_same_curves_give_the_same_answer_whatever_is_measured(played, name):
    """Scores are the binary ones, scaled: ranks, ties, classes, onsets and verdict are the same."""
    one, other = played["binary"].trials, played[name].trials
    for column in ("trial", "tied", "simplest", "class", "best_epoch"):
        assert other[column].tolist() == one[column].tolist(), column
    assert other["onset_epoch"].astype(float).equals(one["onset_epoch"].astype(float))
    found, expected = verdict(played[name]), verdict(played["binary"])
    assert (found.reasons, found.capacity) == (expected.reasons, expected.capacity)
    assert found.worth == (expected.worth if KINDS[name].has_references else None)


@pytest.mark.parametrize("name", OTHERS)
def test_charts_have_the_same_shape_whatever_is_measured(played, name):
    kind, data = KINDS[name], frontier_data(played[name])
    low, high = data.y
    values = data.points["val_score"].to_numpy()
    assert low < values.min() and values.max() < high, "all trials are on the chart"
    assert (high - low) < abs(kind.level), "and fill it"
    with style.styled():
        for draw in (draw_frontier, draw_curves):
            axes = draw(played[name]).axes[0]
            assert played[name].score_words.name in axes.get_ylabel()
            assert axes.yaxis_inverted() == played[name].score_words.is_turned
            labels = axes.yaxis.get_major_formatter().format_ticks(axes.get_yticks())
            assert len(set(labels)) == len(labels), "ticks can be told apart"


@pytest.mark.parametrize("name", ["tiny amount", "large amount", "accuracy"])
def test_the_page_has_the_numbers_that_people_know(played, name):
    frames = played[name]
    plot = json.dumps(frontier_plot(frames))
    assert NAMES[name] in plot and "BCE" not in plot
    (first, *_) = curves(frames)["trials"].values()
    drawn, known = np.array(first["val"]), frames.trials["val_score"].iloc[0]
    assert drawn.min() == pytest.approx(known, rel=1e-4)
    assert first["score"] == frames.score_words.score(known)


def test_an_accuracy_is_shown_as_one_and_ranked_by_its_errors(played):
    frames = played["accuracy"]
    first = frames.trials["val_score"].iloc[0]
    assert f"val accuracy {1 - first:.3f} ± 0.011" in dict(lines(verdict(frames)))["verdict"]
    assert json.loads(to_json(frames))["trials"][0]["val_score"] == pytest.approx(first)
    assert tags(frames).scalars["val_score"] == "accuracy/validation"
    assert "val_accuracy" not in tags(frames).scalars, "one tag for one thing"


def test_an_amount_has_its_unit_and_its_root(played):
    found = dict(lines(verdict(played["large amount"])))
    assert re.search(r"val MSE 4,950 ± 140 \(root 70.4\)", found["verdict"])
    assert "progression²" in found["reliability"]


def test_older_names_stand_beside_a_bce_only(played):
    for name, frames in played.items():
        found = json.loads(to_json(frames))
        assert ("val_bce" in found["trials"][0]) == (name == "binary")
        assert found["sweep"]["scoring"]["short"] == frames.sweep.scoring.measure.short
        level = found["no_skill"]["validation"]
        assert (level is None) == (name == "metric")


def test_a_metric_of_ones_own_is_worse_than_guessing_for_nobody(played):
    frames = played["metric"]
    assert math.isnan(frames.no_skill.floor) and frames.beats_guessing is None
    assert "diverged" not in frames.trials["class"].tolist()


def test_a_best_trial_that_only_guesses_is_no_evidence(tmp_path):
    losses = rows_of_losses(*[0.692 + 0.01 * i for i in range(6)])
    flat = [trained(*[float(one.mean())] * 6, losses=one, train_score=0.69) for one in losses]
    found = verdict(load(store_sweep(tmp_path / "flat.db", flat)))
    assert found.reasons[0] == "the best trial is no better than guessing"
    better = [one - np.float32(0.15) for one in losses]
    good = [trained(*[float(one.mean())] * 6, losses=one, train_score=0.5) for one in better]
    found = verdict(load(store_sweep(tmp_path / "good.db", good)))
    assert "guessing" not in " ".join(found.reasons)


def test_own_metrics_stand_with_each_trial(tmp_path):
    records = [record(1, 0.62), record(2, 0.6), record(3, 0.61)]
    own = [replace(one, metrics={"f1": 0.1 * one.epoch}) for one in records]
    store = store_sweep(tmp_path / "s.db", [Trained(own, last_epoch=3), trained(0.7)])
    frames = load(store)
    assert frames.trials["metrics"].tolist() == [{"f1": pytest.approx(0.2)}, {}]
    header, first, second = to_csv(frames).splitlines()
    assert header.endswith(",metric.f1") and first.endswith(",0.2") and second.endswith(",")
    assert json.loads(to_json(frames))["trials"][0]["metrics"] == {"f1": pytest.approx(0.2)}
