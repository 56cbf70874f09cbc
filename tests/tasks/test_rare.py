"""A class that few rows are of: when it is one, and what is measured of it."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from sweep.analysis.frames.load import load
from sweep.analysis.report.rare_class import notes
from sweep.statistics.intervals import auc_error
from sweep.tasks.losses import log_softmax
from sweep.tasks.rare import measures_of_a_rare_class, rare_class
from sweep.tasks.task import Task, TaskKind
from sweep.words import decimals_of, with_error
from tests.support.any_task import KINDS, play
from tests.support.sweeps import DATA

THREE = Task(TaskKind.CLASSES, classes=("a", "b", "c"))


@pytest.mark.parametrize(
    ("counts", "rare"),
    [
        ((81, 19), 1),
        ((80, 20), None),
        ((19, 81), None),  # class 1 is what average precision is measured for
        ((100, 0), None),
        ((50, 12, 38), 1),
        ((40, 30, 30), None),
        ((7,), None),
    ],
)
def test_a_class_is_rare_by_its_share(counts, rare):
    assert rare_class(counts) == rare


def test_the_measures_are_those_of_scikit_learn():
    rng = np.random.default_rng(1)
    y = (rng.random(400) < 0.1).astype(np.float32)
    z = rng.normal(size=400) + y
    found = measures_of_a_rare_class(z, y, Task())
    assert found == {"average_precision": pytest.approx(average_precision_score(y, z))}
    y = np.where(y == 1, 2, rng.integers(0, 2, 400)).astype(np.float32)
    z = log_softmax(rng.normal(size=(400, 3)))
    assert measures_of_a_rare_class(z, y, THREE) == {
        "average_precision": pytest.approx(average_precision_score(y == 2, z[:, 2])),
        "auc": pytest.approx(roc_auc_score(y == 2, z[:, 2])),
    }
    assert measures_of_a_rare_class(z[:, 0], y, Task(TaskKind.AMOUNT)) == {}


@pytest.mark.parametrize("objective", ["loss", "auc"])
def test_what_trials_are_ranked_by_has_one_error_in_table_and_note(tmp_path, objective):
    balance = {"train": {"signal": 20, "background": 980}}
    balance["validation"] = balance["train"]
    kind = KINDS["auc"] if objective == "auc" else KINDS["binary"]
    store = play(tmp_path / "s.db", kind, 2, data={**DATA, "class_balance": balance})
    frames = load(store)
    (said,) = notes(frames)
    best = frames.trials.iloc[0]
    area = float(best["val_auc"])
    error = best["val_score_se"] if objective == "auc" else auc_error(area, 20, 980)
    assert said.startswith("A class is rare: 2 % of the validation rows; AUC of trial ")
    assert said.endswith(f"{with_error(area, error, decimals_of(error))}.")
