"""Reference models: what the rows give without a network."""

import signal
import subprocess
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from sweep.analysis.frames.load import load
from sweep.analysis.report.text_files import to_markdown
from sweep.analysis.report.trials_json import to_json
from sweep.data.split import Rows, Split
from sweep.data.split_record import SplitRecord
from sweep.metrics import NO_SKILL_NAME
from sweep.references import models
from sweep.references.beside import ReferencesBeside
from sweep.references.models import (
    LOGISTIC,
    TREES,
    fitted_models,
    reference_models,
    row_scores,
    why_only_no_skill,
)
from sweep.references.no_skill import constant, for_rows, no_skill_scores
from sweep.tasks.losses import Loss, LossName
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.scoring import Scoring
from sweep.tasks.task import Task, TaskKind
from tests.support.sweeps import store_sweep, trained


def split_of(n: int, rule: str) -> Split:
    random = np.random.default_rng(0)
    x = random.normal(size=(n, 28)).astype(np.float32)
    z = 2 * x[:, 0] - x[:, 1] if rule == "linear" else 2 * np.sign(x[:, 0] * x[:, 1])
    y = (random.random(n) < 1 / (1 + np.exp(-z))).astype(np.float32)
    half = n // 2
    return Split(Rows(x[:half], y[:half]), Rows(x[half:], y[half:]), "test rows", {})


def test_no_skill_is_the_entropy_of_the_training_rows_balance():
    y = np.array([1, 1, 1, 0] * 25, np.float32)
    rows = Rows(np.zeros((100, 28), np.float32), y)
    found = reference_models(Split(rows, rows, "", {}), seed=0)[0]
    assert found.name == NO_SKILL_NAME
    assert found.val_score == pytest.approx(-0.75 * np.log(0.75) - 0.25 * np.log(0.25), abs=1e-4)


def test_each_model_finds_what_it_can():
    found = {r.name: r.val_score for r in reference_models(split_of(3000, "linear"), 0)}
    assert found[LOGISTIC] < found[TREES] < found[NO_SKILL_NAME]
    found = {r.name: r.val_score for r in reference_models(split_of(3000, "product"), 0)}
    assert found[TREES] < found[NO_SKILL_NAME] - 0.03 < found[LOGISTIC]


@pytest.mark.parametrize("kind", [TaskKind.BINARY, TaskKind.AMOUNT])
def test_of_too_many_rows_trees_take_a_part_and_say_so(kind, monkeypatch):
    split = replace(split_of(6000, "product"), task=Task(kind))
    scoring = (
        Scoring()
        if kind is TaskKind.BINARY
        else Scoring(Loss(LossName.SQUARED_ERROR), ObjectiveName.LOSS)
    )
    whole = {one.name: one for one in fitted_models(split, 0, scoring)}
    monkeypatch.setattr(models, "_MOST_FOR_TREES", 28 * 1999)
    part = {one.name: one for one in fitted_models(split, 0, scoring)}
    (regression,) = whole.keys() & part.keys()
    np.testing.assert_array_equal(part[regression].validation, whole[regression].validation)
    (name,) = part.keys() - whole.keys()
    assert name == f"{TREES} on 1,000 rows"
    thirds = split.train.take(np.arange(0, 3000, 3))
    alone = {one.name: one for one in fitted_models(replace(split, train=thirds), 0, scoring)}
    np.testing.assert_array_equal(part[name].validation, alone[TREES].validation)


def test_all_rows_are_taken_where_a_part_has_too_few_of_a_class(monkeypatch):
    split = split_of(6000, "product")
    y = np.zeros(3000, np.float32)
    y[1:36:3] = 1  # between the rows of the part
    split = replace(split, train=Rows(split.train.x, y))
    whole = fitted_models(split, 0)
    monkeypatch.setattr(models, "_MOST_FOR_TREES", 28 * 1000)
    for one, other in zip(whole, fitted_models(split, 0), strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(one.validation, other.validation)


def test_the_same_split_and_seed_give_the_same_numbers_whatever_the_validation_rows():
    split = split_of(600, "linear")
    one, other = reference_models(split, 3), reference_models(split, 3)
    assert [r.val_score for r in one] == [r.val_score for r in other]
    half = Rows(split.validation.x[:100], split.validation.y[:100])
    part = reference_models(Split(split.train, half, "", {}), 3)
    for whole, less in zip(one, part, strict=True):
        np.testing.assert_array_equal(whole.losses[:100], less.losses)
        assert whole.val_score == pytest.approx(float(whole.losses.mean()), rel=1e-6)


def test_beside_they_are_the_same_also_when_their_process_is_killed():
    split = split_of(600, "linear")
    expected = reference_models(split, 3)
    kept, killed = ReferencesBeside(split, 3), ReferencesBeside(split, 3)
    assert kept.process is not None and killed.process is not None
    killed.process.kill()
    for fitted in (kept.fitted(), killed.fitted()):
        found = reference_models(split, 3, fitted=fitted)
        for one, other in zip(expected, found, strict=True):
            assert one.name == other.name
            np.testing.assert_array_equal(one.losses, other.losses)
    left = ReferencesBeside(split, 3)
    assert left.fitted(lambda: True) is None
    assert left.process is not None and left.process.returncode == -signal.SIGKILL
    assert (kept.process.returncode, killed.process.returncode) == (0, -signal.SIGKILL)


def test_where_no_process_can_be_had_they_are_trained_here(monkeypatch):
    def refuse(*_: Any, **__: Any) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    split = split_of(600, "linear")
    monkeypatch.setattr(subprocess, "Popen", refuse)
    found = reference_models(split, 3, fitted=ReferencesBeside(split, 3).fitted())
    assert [r.val_score for r in found] == [r.val_score for r in reference_models(split, 3)]


TASKS = {
    "three classes": (
        Task(TaskKind.CLASSES, ("kind",), ("a", "b", "c")),
        Scoring(Loss(LossName.CROSSENTROPY)),
        lambda y: np.digitize(y[:, 0], [-0.5, 0.5]),
    ),
    "their accuracy": (
        Task(TaskKind.CLASSES, ("kind",), ("a", "b", "c")),
        Scoring(Loss(LossName.CROSSENTROPY), ObjectiveName.ACCURACY),
        lambda y: np.digitize(y[:, 0], [-0.5, 0.5]),
    ),
    "two labels": (Task(TaskKind.LABELS, ("a", "b")), Scoring(), lambda y: y > 0),
    **{
        str(name): (Task(TaskKind.AMOUNT, ("price",)), Scoring(Loss(name)), shape)
        for name, shape in (
            (LossName.SQUARED_ERROR, lambda y: 1000 * y[:, 0]),
            (LossName.ABSOLUTE_ERROR, lambda y: y[:, 0]),
            (LossName.HUBER, lambda y: y[:, 0]),
            (LossName.POISSON, lambda y: np.exp(y[:, 0])),
            (LossName.SQUARED_LOG_ERROR, lambda y: np.exp(y[:, 0])),
            (LossName.PERCENTAGE_ERROR, lambda y: np.exp(y[:, 0]) + 1),
            (LossName.BINARY_CROSSENTROPY, lambda y: expit(2 * y[:, 0])),
        )
    },
    "two amounts": (
        Task(TaskKind.AMOUNT, ("a", "b")),
        Scoring(Loss(LossName.ABSOLUTE_ERROR), ObjectiveName.RMSE),
        lambda y: y,
    ),
}


def task_split(name: str, **options: Any) -> tuple[Split, Scoring]:
    task, scoring, shape = TASKS[name]
    random = np.random.default_rng(4)
    x = random.normal(size=(400, 5)).astype(np.float32)
    y = np.stack([x[:, 0] + x[:, 1] * 0.4, x[:, 2]], axis=1) + random.normal(size=(400, 2)) * 0.2
    y = np.asarray(shape(y), np.float32)
    parts = [Rows(x[part], y[part]) for part in (slice(0, 300), slice(300, 400))]
    return Split(*parts, "made", SplitRecord(), task, **options), scoring


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_references_that_beat_no_skill(name):
    split, scoring = task_split(name)
    found = reference_models(split, 3, scoring)
    assert len(found) == 3 and found[0].name == NO_SKILL_NAME
    assert all(one.losses.shape == (100,) for one in found)
    assert all(one.val_score < 0.95 * found[0].val_score for one in found[1:])


@pytest.mark.parametrize("name", [name for name in TASKS if "accuracy" not in name])
def test_no_constant_near_it_is_better_than_no_skill_on_the_training_rows(name):
    split, scoring = task_split(name)
    scores = row_scores(split.task, scoring)
    best, n = constant(split, scoring, scores), len(split.train)
    lowest = scores(for_rows(best, n), split.train.y).mean()
    train, _ = no_skill_scores(split, scoring, scores)
    assert train == lowest
    for other in (best * 1.05, best * 0.95, best + 0.05, best - 0.05):
        if split.task.kind is TaskKind.CLASSES:
            other = other - np.log(np.exp(other).sum())
        assert scores(for_rows(other, n), split.train.y).mean() > lowest - 1e-4


def test_images_have_references_if_they_are_small_and_so_have_several_inputs():
    split, scoring = task_split("three classes")
    # fmt: off
    small = {part: {"a": rows.x[:, :2], "b": rows.x[:, 2:].reshape(-1, 3, 1)}
             for part, rows in {"train": split.train, "validation": split.validation}.items()}
    # fmt: on
    parts = {part: replace(getattr(split, part), x=x) for part, x in small.items()}
    found = reference_models(replace(split, **parts), 3, scoring)
    plain = reference_models(split, 3, scoring)
    assert [one.val_score for one in found] == [one.val_score for one in plain]
    large = {part: replace(getattr(split, part), x=np.zeros((len(x["a"]), 40, 40), np.float32))
             for part, x in small.items()}  # fmt: skip
    split = replace(split, **large)
    assert [one.name for one in reference_models(split, 3, scoring)] == [NO_SKILL_NAME]
    assert "1,600 numbers a row" in (why_only_no_skill(split) or "")


def test_a_metric_has_no_rows_and_so_no_references():
    split, _ = task_split("three classes")
    assert reference_models(split, 3, Scoring(objective=ObjectiveName.METRIC, metric="own")) == []


def test_rows_of_one_class_have_no_skill_only():
    rows = Rows(np.zeros((50, 28), np.float32), np.ones(50, np.float32))
    split = Split(rows, rows, "", {})
    (found,) = reference_models(split, 0)
    assert 0 < found.val_score < 0.02
    assert "0 training rows of a class are too few" in (why_only_no_skill(split) or "")


def test_the_report_shows_what_is_stored_and_trains_nothing(tmp_path):
    with store_sweep(tmp_path / "sweep.db", [trained(0.6, 0.5)]) as store:
        assert "without a network" not in to_markdown(load(store))
        models = reference_models(split_of(600, "linear"), 0)
        store.set_references(models)
        frames = load(store)
    assert [r.val_score for r in frames.references] == [m.val_score for m in models]
    assert "without a network: no skill 0.6" in to_markdown(frames)
    assert '"references": [{"name": "no skill"' in to_json(frames)
