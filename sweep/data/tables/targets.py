"""From the columns to predict to a task and its targets: which classes, in which order, and why."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sweep.data.tables import spellings
from sweep.data.tables.columns import find_columns, listed
from sweep.errors import DataError
from sweep.tasks.task import Task, TaskKind
from sweep.words import counted

if TYPE_CHECKING:
    import polars as pl

DEFAULT_LABELS = ("label", "target", "y", "class")
INPUTS = "inputs"
"""The label of an autoencoder: its inputs."""
FEW = 20
"""Different whole numbers up to which they are classes rather than amounts."""
_COARSE = 100 * 2.0**-24
"""Spread of numbers, in parts of the largest, below which rounding to float32 is felt."""
_MOST_CLASSES = 1_000
_NO = ("no", "n", "false", "f", "negative", "neg", "absent", "bad", "off", "background", "0")
_YES = ("yes", "y", "true", "t", "positive", "pos", "present", "good", "on", "signal", "1")

Target = tuple[Task, NDArray[np.float32]]


def label_columns(given: Sequence[str], names: Sequence[str], source: str) -> list[str]:
    """Return the columns to predict: those given, else the one that is called like a label.

    [INPUTS] means the inputs. Raises DataError, which lists the columns, if it cannot be told.
    """
    if list(given) == [INPUTS] and INPUTS not in names:
        return [INPUTS]
    if given:
        return find_columns(given, names, "--label", source)
    found = [name for name in names if name.strip().lower() in DEFAULT_LABELS]
    if len(found) == 1:
        return found
    if found:
        raise DataError(
            f"{source} has several columns that may be the label: {listed(found)}; say which with "
            "--label, and leave out the others with --drop"
        )
    raise DataError(
        f"{source} has no column called {', '.join(DEFAULT_LABELS[:-1])} or {DEFAULT_LABELS[-1]}; "
        f"say with --label NAME or POSITION what to predict; its columns: {listed(names)}"
    )


def targets_of(frame: "pl.DataFrame", wanted: str, source: str) -> Target:
    """Return the task and the targets, (rows,) or (rows, targets), of the columns to predict.

    `frame` holds Float64 or String columns. `wanted` is a task, or "" to tell it from them.
    Raises DataError if a value is missing, or if they do not fit `wanted`.
    """
    for series in frame.iter_columns():
        if series.null_count():
            row = int(series.is_null().arg_max() or 0) + 1
            raise DataError(
                f"{source}: label {series.name!r} is missing in "
                f"{counted(series.null_count(), 'row')}, the first is row {row:,}; remove them"
            )
    if frame.width > 1:
        return _several(frame, wanted, source)
    return _one(frame.to_series(0), wanted, source)


def targets_of_array(y: NDArray[Any], name: str, wanted: str, source: str) -> Target:
    """Return the task and the targets of an array (rows, …): one-hot rows are classes."""
    import polars as pl

    if y.ndim > 2:
        if wanted not in ("", TaskKind.AMOUNT) or y.dtype.kind not in "buif":
            raise DataError(f"{source}: targets {name!r} of {y.ndim} axes can be amounts only")
        return Task(TaskKind.AMOUNT, (name,), why=f"targets of shape {y.shape[1:]}"), _float32(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2 and wanted in ("", TaskKind.CLASSES, TaskKind.BINARY) and _is_one_hot(y):
        classes = tuple(str(i) for i in range(y.shape[1]))
        kind = TaskKind.CLASSES if len(classes) > 2 else TaskKind.BINARY
        numbers = _float32(y.argmax(axis=1))
        return _checked(Task(kind, (name,), classes, "one-hot rows"), wanted, name, source), numbers
    if y.dtype.kind == "u" and y.dtype.itemsize == 8:
        y = y.astype(np.float64)
    plain = y if y.dtype.kind == "U" else y.astype(np.float64)
    if y.ndim == 2:
        columns = {f"{name}_{i + 1}": plain[:, i] for i in range(y.shape[1])}
        return targets_of(_no_nan(pl.DataFrame(columns)), wanted, source)
    frame = _no_nan(pl.DataFrame({name: plain}))
    if wanted or y.dtype.kind not in "iu" or not _is_class_number(plain):
        return targets_of(frame, wanted, source)
    task, numbers = targets_of(frame, _by_number(plain), source)
    return replace(task, why=f"whole numbers from 0 to {task.n_classes - 1}"), numbers


def inputs_as_targets(x: NDArray[np.float32], names: Sequence[str]) -> Target:
    """Return the task and targets of an autoencoder: an amount for each input."""
    columns = tuple(names) if x.ndim == 2 and len(names) == x.shape[1] else (INPUTS,)
    return Task(TaskKind.AMOUNT, columns, why="the inputs are to be given back"), x


def _no_nan(frame: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))


def _is_class_number(values: NDArray[Any]) -> bool:
    """Whether integers are 0, 1, …, k − 1, each there often: numbers of classes, as arrays have."""
    levels, counts = np.unique(values, return_counts=True)
    return (
        2 <= len(levels) <= _MOST_CLASSES
        and bool((levels == np.arange(len(levels))).all())
        and len(values) >= 5 * len(counts)
    )


def _by_number(values: NDArray[Any]) -> str:
    return TaskKind.BINARY if len(np.unique(values)) == 2 else TaskKind.CLASSES


def _is_one_hot(y: NDArray[Any]) -> bool:
    if y.dtype.kind not in "buif" or y.shape[1] < 2:
        return False
    return bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())


def _one(series: "pl.Series", wanted: str, source: str) -> Target:
    import polars as pl

    name, is_words = series.name, series.dtype == pl.String
    levels = series.unique().sort()
    if len(levels) < 2:
        raise DataError(
            f"{source}: label {name!r} has the one value {_shown(levels[0])}: nothing to predict"
        )
    if wanted == TaskKind.LABELS:
        raise DataError(f"--task labels needs several label columns, {name!r} is one")
    if is_words:
        task = Task(*_classes_of_words(name, levels.to_list(), len(series), source))
        if not wanted:
            _refuse_spellings(series, source)
    else:
        task = _of_numbers(name, levels.to_numpy(), len(series), wanted)
    task = _checked(task, wanted, name, source)
    if task.kind is TaskKind.AMOUNT:
        _refuse_coarse(series, source)
        return task, _float32(series.to_numpy())
    order = list(task.classes) if is_words else [float(c) for c in task.classes]
    numbers = series.replace_strict(order, range(len(order)), return_dtype=pl.Float32)
    return task, numbers.to_numpy().astype(np.float32)


def _refuse_spellings(series: "pl.Series", source: str) -> None:
    """Raise DataError if classes seem to be one, as YES and yes do, though no task was given."""
    found = spellings.of(series)
    if found:
        task = TaskKind.BINARY if series.n_unique() == 2 else TaskKind.CLASSES
        raise DataError(
            f"{source}: label {series.name!r} has classes that seem to be one: "
            f"{spellings.said(found)}; write them in one way in the file, or say with "
            f"--task {task} that each is a class of its own"
        )


def _classes_of_words(
    name: str, words: list[str], n_rows: int, source: str
) -> tuple[TaskKind, tuple[str], tuple[str, ...], str]:
    if len(words) > _MOST_CLASSES or len(words) > max(n_rows / 2, 2):
        raise DataError(
            f"{source}: label {name!r} has {len(words):,} different words in {n_rows:,} rows; "
            "choose another column with --label"
        )
    if len(words) == 2:
        no = [word for word in words if word.lower() in _NO]
        yes = [word for word in words if word.lower() in _YES]
        if len(no) == len(yes) == 1:
            words = [*no, *yes]
        return TaskKind.BINARY, (name,), tuple(words), "2 different words"
    return TaskKind.CLASSES, (name,), tuple(words), f"{len(words)} different words"


def _of_numbers(name: str, levels: NDArray[np.float64], n_rows: int, wanted: str) -> Task:
    whole = bool((levels == np.floor(levels)).all())
    n = len(levels)
    as_classes = TaskKind.BINARY if n == 2 else TaskKind.CLASSES
    classes = tuple(_shown(level) for level in levels)
    if wanted in (TaskKind.CLASSES, TaskKind.BINARY):
        if n > _MOST_CLASSES or not (whole or n <= FEW):
            raise DataError(
                f"--task is {wanted}, but label {name!r} has {n:,} different values; they look "
                "like an amount"
            )
        return Task(as_classes, (name,), classes, f"{n} different values")
    if wanted == TaskKind.AMOUNT:
        return Task(TaskKind.AMOUNT, (name,))
    if n == 2:
        return Task(TaskKind.BINARY, (name,), classes, "2 different values")
    if whole and n <= FEW and n_rows >= 5 * n:
        return Task(TaskKind.CLASSES, (name,), classes, f"only {n} different whole numbers")
    what = "whole numbers" if whole else "numbers"
    return Task(TaskKind.AMOUNT, (name,), why=f"{n:,} different {what}")


def _checked(task: Task, wanted: str, name: str, source: str) -> Task:
    """The task with why it was taken. Raises DataError if it is another one than wanted."""
    if not wanted:
        return task
    n = len(task.classes)
    if wanted == TaskKind.BINARY and n != 2:
        raise DataError(f"--task is binary, but label {name!r} of {source} has {n:,} values")
    if wanted == TaskKind.AMOUNT and task.kind is not TaskKind.AMOUNT:
        raise DataError(f"--task is amount, but label {name!r} of {source} holds words")
    kind = TaskKind(wanted)
    if kind is TaskKind.CLASSES and task.kind is TaskKind.BINARY:
        return Task(TaskKind.CLASSES, task.targets, task.classes, "chosen by --task")
    return Task(kind, task.targets, task.classes, "chosen by --task")


def _several(frame: "pl.DataFrame", wanted: str, source: str) -> Target:
    """Several columns: answers of yes or no if each holds 0 and 1 only, else amounts."""
    import polars as pl

    words = [s.name for s in frame.iter_columns() if s.dtype == pl.String]
    if words:
        raise DataError(
            f"{source}: label {words[0]!r} holds words; several labels must be numbers, or choose "
            "one with --label"
        )
    if wanted in (TaskKind.BINARY, TaskKind.CLASSES):
        raise DataError(f"--task {wanted} takes one label, {frame.width} are given")
    y = _float32(frame.to_numpy())
    names = tuple(frame.columns)
    if wanted != TaskKind.AMOUNT and ((y == 0) | (y == 1)).all():
        why = "chosen by --task" if wanted else f"{len(names)} columns of 0 and 1"
        return Task(TaskKind.LABELS, names, ("0", "1"), why), y
    if wanted == TaskKind.LABELS:
        raise DataError(f"--task is labels, but those of {source} are not all 0 or 1")
    for series in frame.iter_columns():
        _refuse_coarse(series, source)
    why = "chosen by --task" if wanted else f"{len(names)} columns of numbers"
    return Task(TaskKind.AMOUNT, names, why=why), y


def is_coarse(values: NDArray[Any]) -> bool:
    """Return whether numbers, at least one, differ by little more than float32 resolves."""
    return 0 < float(values.std()) < _COARSE * float(np.abs(values).max())


def _refuse_coarse(series: "pl.Series", source: str) -> None:
    """Raise DataError if amounts differ by little more than float32 resolves."""
    if is_coarse(series.to_numpy()):
        raise DataError(
            f"{source}: the differences of label {series.name!r} are lost when float32 rounds its "
            "values; subtract a constant from it in the file"
        )


def _shown(level: object) -> str:
    """1 instead of 1.0."""
    if isinstance(level, float | np.floating):
        return str(int(level)) if level == int(level) else repr(float(level))
    return str(level)


def _float32(values: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        found: NDArray[np.float32] = np.ascontiguousarray(values, dtype=np.float32)
    if not np.isfinite(found).all():
        raise DataError("a target is too large for float32, or not finite; change its unit")
    return found
