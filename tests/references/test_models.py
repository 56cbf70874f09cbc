"""Reference models: what the rows give without a network."""

import signal

import numpy as np
import pytest

from sweep.analysis.frames.load import load
from sweep.analysis.report.text_files import to_markdown
from sweep.analysis.report.trials_json import to_json
from sweep.data.split import Rows, Split
from sweep.metrics import NO_SKILL_NAME
from sweep.references.beside import ReferencesBeside
from sweep.references.models import LOGISTIC, TREES, reference_models
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
    killed.process.kill()
    for found in (kept.models(), killed.models()):
        for one, other in zip(expected, found, strict=True):
            assert one.name == other.name
            np.testing.assert_array_equal(one.losses, other.losses)
    assert (kept.process.returncode, killed.process.returncode) == (0, -signal.SIGKILL)


def test_rows_of_one_class_have_no_skill_only():
    rows = Rows(np.zeros((50, 28), np.float32), np.ones(50, np.float32))
    (found,) = reference_models(Split(rows, rows, "", {}), 0)
    assert 0 < found.val_score < 0.02


def test_the_report_shows_what_is_stored_and_trains_nothing(tmp_path):
    with store_sweep(tmp_path / "sweep.db", [trained(0.6, 0.5)]) as store:
        assert "without a network" not in to_markdown(load(store))
        models = reference_models(split_of(600, "linear"), 0)
        store.set_references(models)
        frames = load(store)
    assert [r.val_score for r in frames.references] == [m.val_score for m in models]
    assert "without a network: no skill 0.6" in to_markdown(frames)
    assert '"references": [{"name": "no skill"' in to_json(frames)
