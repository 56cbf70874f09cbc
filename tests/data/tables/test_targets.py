"""Which task a label asks for, and in which order its classes stand."""

import numpy as np
import polars as pl
import pytest

from sweep.data.tables.columns import find_columns, plain_columns
from sweep.data.tables.targets import label_columns, targets_of, targets_of_array
from sweep.errors import DataError
from sweep.tasks.task import TaskKind

BINARY, CLASSES, AMOUNT, LABELS = TaskKind


def of(values, wanted=""):
    frame = plain_columns(pl.DataFrame({"y": values}), "t", truth=True).frame
    return targets_of(frame, wanted, "t")


@pytest.mark.parametrize(
    ("values", "kind", "classes"),
    [
        ([0, 1] * 9, BINARY, ("0", "1")),
        ([1, -1] * 9, BINARY, ("-1", "1")),
        ([2.0, 1.0] * 9, BINARY, ("1", "2")),
        (["yes", "no"] * 9, BINARY, ("no", "yes")),
        (["Yes", "No "] * 9, BINARY, ("No", "Yes")),
        (["True", "False"] * 9, BINARY, ("False", "True")),
        ([True, False] * 9, BINARY, ("False", "True")),
        (["positive", "negative"] * 9, BINARY, ("negative", "positive")),
        (["M", "B"] * 9, BINARY, ("B", "M")),
        (["b", "c", "a"] * 9, CLASSES, ("a", "b", "c")),
        ([3, 5, 4] * 9, CLASSES, ("3", "4", "5")),
        ([3.0, 5.0, 4.0] * 9, CLASSES, ("3", "4", "5")),
        ([0.5, 0.25, 1.5] * 9, AMOUNT, ()),
        (list(range(40)), AMOUNT, ()),
        ([1, 2, 3, 4], AMOUNT, ()),  # too few rows of each for classes
    ],
)
def test_values_say_the_task_and_its_classes(values, kind, classes):
    task, y = of(values)
    assert (task.kind, task.classes, task.targets) == (kind, classes, ("y",))
    assert task.why
    assert y.dtype == np.float32 and y.shape == (len(values),)
    if classes:
        shown = [str(v).strip() if isinstance(v, str | bool) else f"{v:g}" for v in values]
        assert [classes[int(number)] for number in y] == shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["YES", "yes", "no"], r"seem to be one: 'YES' \(9 rows\) and 'yes' \(9 rows\); .*--task"),
        (["Y", "yes", "no"], "'Y' .* and 'yes'"),
        (["yes", "YES"], "--task binary"),
        (["1", "1.0", "x"], "'1' .* and '1.0'"),
        (["New York", "new  york", "Rome"], "'New York' .* and 'new  york'"),
        (["caf\u00e9", "cafe\u0301", "bar"], r"'cafe\\u0301' .* and 'caf\u00e9'"),
        (["1", "2", "2,0"], None),
        (["good", "bad", "off"], None),
        (["1e99999999", "x", "y"], None),
        (["yes", "no", "maybe", "y"], None),
    ],
)
def test_classes_that_seem_to_be_one_are_refused_unless_a_task_is_given(words, message):
    if message is None:
        assert len(of(words * 9)[0].classes) == len(words)
        return
    with pytest.raises(DataError, match=message) as caught:
        of(words * 9)
    advised = str(caught.value).partition("--task ")[2].split()[0]
    assert len(of(words * 9, advised)[0].classes) == len(words)


@pytest.mark.parametrize(
    ("values", "wanted", "kind"),
    [
        ([0, 1] * 9, "classes", CLASSES),
        ([0, 1] * 9, "amount", AMOUNT),
        ([1, 2, 3] * 9, "amount", AMOUNT),
        (list(range(40)), "classes", CLASSES),
    ],
)
def test_a_task_that_is_asked_for_is_taken(values, wanted, kind):
    task, _ = of(values, wanted)
    assert task.kind is kind and task.why == "chosen by --task"


@pytest.mark.parametrize(
    ("values", "wanted", "message"),
    [
        ([1, 1, 1], "", "has the one value 1: nothing to predict"),
        ([1, 2, None], "", "is missing in 1 row, the first is row 3"),
        (["a", "?", "b", "a"], "", "is missing in 1 row, the first is row 2"),
        ([1, 2, 3] * 9, "binary", "has 3 values"),
        (["a", "b"] * 9, "amount", "holds words"),
        ([0.1 * i for i in range(40)], "classes", "look like an amount"),
        ([f"w{i}" for i in range(40)], "", "has 40 different words in 40 rows"),
        ([0, 1] * 9, "labels", "needs several label columns"),
        ([2**30 + i for i in range(40)], "", "differences of label 'y' are lost"),
    ],
)
def test_what_cannot_be_predicted_is_refused(values, wanted, message):
    with pytest.raises(DataError, match=message) as caught:
        of(values, wanted)
    assert "\n" not in str(caught.value)


def test_several_labels_are_answers_or_amounts():
    answers = pl.DataFrame({"a": [0.0, 1, 1], "b": [1.0, 0, 1]})
    task, y = targets_of(answers, "", "t")
    assert task.kind is LABELS and task.targets == ("a", "b") and y.shape == (3, 2)
    task, y = targets_of(answers * 2.5, "", "t")
    assert task.kind is AMOUNT and y.shape == (3, 2)
    assert targets_of(answers, "amount", "t")[0].kind is AMOUNT
    with pytest.raises(DataError, match="takes one label, 2 are given"):
        targets_of(answers, "classes", "t")


@pytest.mark.parametrize(
    ("y", "kind", "n_classes", "shape"),
    [
        (np.arange(100) % 10, CLASSES, 10, (100,)),
        (np.arange(100)[:, None] % 2, BINARY, 2, (100,)),
        (np.eye(4, dtype=int)[np.arange(100) % 4], CLASSES, 4, (100,)),
        (np.eye(2)[np.arange(100) % 2], BINARY, 2, (100,)),
        (np.linspace(0, 1, 100), AMOUNT, 0, (100,)),
        (np.ones((100, 3)) * np.arange(100)[:, None], AMOUNT, 0, (100, 3)),
        ((np.arange(300).reshape(100, 3) % 5 > 1) * 1, LABELS, 2, (100, 3)),
        (np.array(["cat", "dog"])[np.arange(100) % 2], BINARY, 2, (100,)),
        (np.zeros((100, 8, 8)), AMOUNT, 0, (100, 8, 8)),
        (np.arange(3000) % 100, CLASSES, 100, (3000,)),
    ],
)
def test_arrays_of_targets(y, kind, n_classes, shape):
    task, found = targets_of_array(y, "y", "", "t")
    assert (task.kind, task.n_classes, found.shape) == (kind, n_classes, shape)


def test_the_label_is_found_by_its_name_or_position():
    assert label_columns((), ["a", "Target"], "t") == ["Target"]
    assert label_columns(("b",), ["a", "b"], "t") == ["b"]
    assert label_columns(("1", "-1"), ["a", "b", "c"], "t") == ["a", "c"]
    assert label_columns(("a,c",), ["a", "b", "c"], "t") == ["a", "c"]
    assert find_columns(("a,c",), ["a,c", "c"], "--drop", "t") == ["a,c"]
    with pytest.raises(DataError, match=r"no column called label, target, y or class.*: a, b"):
        label_columns((), ["a", "b"], "t")
    with pytest.raises(DataError, match="several columns that may be the label: label, y"):
        label_columns((), ["label", "y"], "t")
    with pytest.raises(DataError, match=r"did you mean 'species'.*its columns: size, species"):
        label_columns(("spezies",), ["size", "species"], "t")
