"""What a space and the data say of each other: class weights by label, no skill, targets."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from sweep.data.rows import Rows, Split
from sweep.data.split_record import SplitRecord
from sweep.errors import DataError, InvalidSpaceError
from sweep.references.models import row_scores
from sweep.runner.fit_of_data import (
    check_split,
    n_outputs_of,
    said_of,
    with_class_weight,
    with_no_skill,
)
from sweep.tasks.losses import Loss, LossName
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.scoring import BINARY_CROSSENTROPY, Scoring
from sweep.tasks.task import Task, TaskKind
from sweep.training.batches import training_weights

CLASSES = Task(TaskKind.CLASSES, ("kind",), ("a", "b", "c"))
AMOUNT = Task(TaskKind.AMOUNT, ("price",))


@dataclass(frozen=True)
class Space:
    """As much of a search space as is asked for."""

    class_weight: dict[Any, float] | None = None
    path: str = "mine.py"


def split_of(task: Task, y: list[float]) -> Split:
    rows = Rows(np.zeros((len(y), 2), np.float32), np.array(y, np.float32))
    return Split(rows, rows, "made", SplitRecord(), task)


@pytest.mark.parametrize(
    ("task", "given"),
    [
        (CLASSES, {"a": 1.0, "b": 2.0, "c": 3.0}),
        (CLASSES, {"c": 3.0, "a": 1.0, "b": 2.0}),
        (CLASSES, {0: 1.0, 1: 2.0, 2: 3.0}),
        (Task(TaskKind.CLASSES, ("n",), ("5", "6", "7")), {5.0: 1.0, np.int64(6): 2.0, 7: 3.0}),
    ],
)
def test_class_weights_are_by_label_or_number(task, given):
    found = with_class_weight(split_of(task, [0, 1, 2, 1]), Space(given))
    assert found.class_weights == (1.0, 2.0, 3.0)
    np.testing.assert_array_equal(training_weights(found), [1, 2, 3, 2])
    few, said = said_of(split_of(task, [0, 1, 2, 1]), Space(given))
    assert "1 training row of a class is too few for the others" in few
    assert "2, " in said and said.endswith("3 times; the score is unweighted")


def test_class_weights_that_do_not_fit_are_refused_and_given_ones_win():
    split = split_of(CLASSES, [0, 1, 2])
    with pytest.raises(InvalidSpaceError, match="labels a, d; expected: a, b, c"):
        with_class_weight(split, Space({"a": 1.0, "d": 2.0}))
    with pytest.raises(InvalidSpaceError, match="the target is no class; delete CLASS_WEIGHT"):
        with_class_weight(split_of(AMOUNT, [1, 2]), Space({0: 1.0}))
    balanced = replace(split, class_weights=(1.0, 1.0, 2.0))
    assert with_class_weight(balanced, Space({"a": 1.0})) is balanced
    few = said_of(split, Space())
    assert said_of(balanced, Space({"a": 1.0})) == [
        *few,
        "--class-weight is used in place of the file's CLASS_WEIGHT",
    ]
    assert with_class_weight(split, Space()) is split and len(few) == 1


def test_the_number_of_outputs_follows_from_the_targets():
    assert n_outputs_of(split_of(CLASSES, [0, 1])) == 3
    assert n_outputs_of(split_of(Task(), [0, 1])) == 2
    assert n_outputs_of(split_of(AMOUNT, [0, 1])) == 1


def test_no_skill_is_kept_where_the_shares_of_two_classes_do_not_tell_it():
    split, squared = split_of(AMOUNT, [1, 2, 6]), Scoring(Loss(LossName.SQUARED_ERROR))
    kept = with_no_skill(split, squared, row_scores(AMOUNT, squared)).no_skill
    assert kept is not None and kept.train == pytest.approx(np.var([1, 2, 6]))
    metric = replace(squared, objective=ObjectiveName.METRIC, metric="own")
    assert with_no_skill(split, metric, row_scores(AMOUNT, squared)).no_skill is None
    plain = split_of(Task(), [0, 1])
    kept = with_no_skill(plain, BINARY_CROSSENTROPY, row_scores(Task(), Scoring())).no_skill
    assert kept is not None and kept.validation == pytest.approx(np.log(2))


def test_targets_outside_a_losss_range_are_refused_naming_the_file():
    with pytest.raises(InvalidSpaceError, match=r"mine.py does not fit the data: .*negative"):
        check_split(Space(), Scoring(Loss(LossName.POISSON)), split_of(AMOUNT, [-1, 2]))


def test_targets_whose_squares_are_too_large_to_count_with_are_refused():
    with pytest.raises(DataError, match=r"'price' goes up to 2e\+16 in size, .*change its unit"):
        check_split(Space(), Scoring(Loss(LossName.SQUARED_ERROR)), split_of(AMOUNT, [1, -2e16]))
