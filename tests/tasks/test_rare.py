"""A class that few rows are of: when it is one, and what is measured of it."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from sweep.tasks.losses import log_softmax
from sweep.tasks.rare import measures_of_a_rare_class, rare_class
from sweep.tasks.task import Task, TaskKind

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
