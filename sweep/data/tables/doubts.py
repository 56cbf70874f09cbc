"""What is wrong with a table or its split: refused where nothing could be measured, else said.

All that is said of test rows is how many of them repeat training rows.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sweep.data.labels import RARE, differ, percent
from sweep.data.rows import Rows
from sweep.data.split_record import ClassCounts, ClassRows
from sweep.data.tables import spellings
from sweep.data.tables.columns import counts_up, listed
from sweep.data.tables.preparation import Preparation
from sweep.data.tables.targets import is_coarse
from sweep.errors import DataError
from sweep.tasks.task import Task, TaskKind
from sweep.words import counted

if TYPE_CHECKING:
    import polars as pl

FEW_VALIDATION_ROWS = 200
FEW_OF_A_CLASS = 5
_SURE_ROWS = 20
"""Training rows from which on two columns do not go together by chance."""
_FIRST_ROWS = 1_000
_HASHED_ROWS = 1 << 16
_WHOLE_IN_FLOAT32 = 2**24
"""Up to which float32 holds every whole number."""
_ONE = 1 - 1e-10
"""Of a correlation: float32 rounds the label."""


def class_rows(task: Task, train: Rows, validation: Rows) -> ClassRows | None:
    """Return the rows of each class in both parts; None unless each row is of one class."""
    if task.kind not in (TaskKind.BINARY, TaskKind.CLASSES):
        return None
    n = task.n_classes
    counts = [np.bincount(part.y.astype(np.int64), minlength=n) for part in (train, validation)]
    return ClassRows(*(tuple(int(count) for count in part) for part in counts))


def refuse_one_class(task: Task, rows: ClassRows | None, source: str) -> None:
    """Raise DataError if the training or the validation rows are all of one class."""
    if rows is None:
        return
    for part, counts, what in (
        ("training", rows.train, "nothing can be learned from them"),
        ("validation", rows.validation, "nothing can be measured on them"),
    ):
        n_there = sum(1 for count in counts if count)
        if n_there == 1 and sum(counts) > (part == "validation"):
            name = task.classes[int(np.argmax(counts))]
            raise DataError(
                f"all {sum(counts):,} {part} rows are of class {name!r} in {source}, {what}: take "
                "more rows, or another --split"
            )


def refuse_label_copies(
    raw: "pl.DataFrame", y: NDArray[np.float32], task: Task, source: str
) -> None:
    """Raise DataError naming a column of the training rows that gives the label away.

    A column does if each of its values goes with one class and each class with one value, or if
    an amount is a multiple of it, a constant added.
    """
    if y.ndim > 1 or len(y) < _SURE_ROWS or task.kind is TaskKind.LABELS:
        return
    for series in raw.iter_columns():
        if task.kind is TaskKind.AMOUNT:
            is_copy = _is_multiple(series, y)
        else:
            n = min(_FIRST_ROWS, len(y))
            is_copy = _go_together(series[:n], y[:n]) and _go_together(series, y)
        if is_copy:
            raise DataError(
                f"{source}: column {series.name!r} equals the label {task.targets[0]!r}, value "
                f"for value: leave it out with --drop {series.name!r}"
            )


def of_columns(raw: "pl.DataFrame") -> Iterator[str]:
    """Yield what is doubtful in the training rows' raw columns, a sentence each."""
    constant = [s.name for s in raw.iter_columns() if _is_constant(s)]
    if constant:
        verb = "has one value" if len(constant) == 1 else "have one value each"
        yield f"{_columns(constant)} {verb} in all training rows, nothing can be learned from it"


def of_spellings(raw: "pl.DataFrame") -> Iterator[str]:
    """Yield which columns have words that seem to be one, as YES and yes do."""
    import polars as pl

    for series in raw.select(pl.col(pl.String)).iter_columns():
        found = spellings.of(series)
        if found:
            yield (
                f"column {series.name!r} has words that seem to be one: {spellings.said(found)}; "
                "each is a column of its own, unless they are written in one way in the file"
            )


def refuse_merged(raw: "pl.DataFrame", plain: "pl.DataFrame", source: str) -> None:
    """Raise DataError if different whole numbers to predict become one: doubles hold 53 bits."""
    for series in plain.iter_columns():
        there = raw[series.name]
        is_number = series.dtype.is_float() and there.dtype.is_integer()
        if is_number and series.drop_nulls().n_unique() < there.drop_nulls().n_unique():
            raise DataError(
                f"{source}: label {series.name!r} has whole numbers so large that different ones "
                "become one; subtract a constant from it in the file, or write classes as words"
            )


def of_label(raw: "pl.DataFrame", plain: "pl.DataFrame", task: Task) -> Iterator[str]:
    """Yield what is doubtful in the columns to predict: see `of_digits` and `spellings`."""
    if task.kind is TaskKind.AMOUNT:
        yield from of_digits(raw, plain, "label")
        return
    for series in plain.iter_columns():
        found = [] if series.dtype.is_float() else spellings.of(series)
        if found:
            yield (
                f"label {series.name!r} has classes that seem to be one: {spellings.said(found)}; "
                "each is a class of its own, as --task says"
            )


def of_digits(raw: "pl.DataFrame", plain: "pl.DataFrame", what: str = "column") -> Iterator[str]:
    """Yield which columns hold whole numbers that float32 rounds, as numbers of accounts and times.

    `raw` is what stands in the file, `plain` the same as Float64 or String columns.
    """
    import polars as pl

    for series in plain.iter_columns():
        if not _beyond_float32(series):
            continue
        there, rounded = raw[series.name], series.cast(pl.Float32)
        if there.dtype.is_integer():
            exact = rounded.cast(pl.Float64).cast(pl.Int128, strict=False) == there.cast(pl.Int128)
        else:
            exact = rounded.cast(pl.Float64) == series
        n, n_rounded = series.drop_nulls().len(), int((~exact).sum())
        before, after = there.drop_nulls().n_unique(), rounded.drop_nulls().n_unique()
        if not n_rounded and after >= before:
            continue
        merged = f": {before:,} different values become {after:,}" if after < before else ""
        mend = "subtract a constant from it, or cut it into columns"
        if what == "column":
            mend += f", or leave it out with --drop {series.name!r}"
        yield (
            f"{what} {series.name!r} holds whole numbers beyond 16,777,216, and float32 rounds "
            f"{n_rounded:,} of its {n:,}{merged}; {mend}"
        )


def _beyond_float32(series: "pl.Series") -> bool:
    """Whether a column holds whole numbers only, and one of them may not be one in float32."""
    import polars as pl

    if series.dtype != pl.Float64 or series.null_count() == len(series):
        return False
    low, high = np.asarray([series.min(), series.max()], np.float64)
    if max(-low, high) <= _WHOLE_IN_FLOAT32:
        return False
    return bool((series.floor() == series).all())


def of_precision(raw: "pl.DataFrame", preparation: Preparation) -> Iterator[str]:
    """Yield which columns of the training rows differ by little more than float32 resolves."""
    for column in preparation.columns:
        if column.levels is None and len(raw) and not _beyond_float32(raw[column.name]):
            values = raw[column.name].drop_nulls().to_numpy()
            if len(values) and is_coarse(values):
                yield (
                    f"column {column.name!r}: its differences are lost when float32 rounds its "
                    "values; subtract a constant from it, or leave it out with "
                    f"--drop {column.name!r}"
                )


def of_numbering(frame: "pl.DataFrame") -> Iterator[str]:
    """Yield which columns of a whole file number its rows."""
    import polars as pl

    found = [s.name for s in frame.iter_columns() if s.dtype == pl.Float64 and counts_up(s)]
    if found:
        yield (
            f"{_columns(found)} only {'numbers' if len(found) == 1 else 'number'} the rows: "
            f"consider --drop {found[0]!r}"
        )


def of_rows(task: Task, rows: ClassRows | None, n_validation: int) -> Iterator[str]:
    """Yield what is doubtful in the number of rows, and of rows of each class."""
    if n_validation == 1:
        yield "too few validation rows for an error: 1"
    elif n_validation < FEW_VALIDATION_ROWS:
        yield _few(task, n_validation)
    if rows is None:
        return
    n_train, n_val = sum(rows.train), sum(rows.validation)
    for name, train, validation in zip(task.classes, rows.train, rows.validation, strict=True):
        shares = ClassCounts(train, n_train - train), ClassCounts(validation, n_val - validation)
        if train + validation < FEW_OF_A_CLASS:
            yield (
                f"class {name!r} has {counted(train, 'training row')} and "
                f"{counted(validation, 'validation row')}: too few to learn it or to measure that"
            )
        elif task.kind is TaskKind.BINARY and train / n_train < RARE:
            yield (
                f"class {name!r} is only {percent(train / n_train)} of the training rows "
                f"({train:,} of {n_train:,}): look at the AUC, as the accuracy of always saying "
                "the other class is high"
            )
        elif differ(*shares):
            yield (
                f"class {name!r} is {percent(train / n_train)} of the training rows, but "
                f"{percent(validation / n_val)} of the validation rows, more than chance allows"
            )


def of_repeats(train: Rows, validation: Rows, test: Rows) -> Iterator[str]:
    """Yield how many rows of the other parts stand among the training rows, inputs and targets."""
    known = _hashes(train)
    for part, rows in (("validation", validation), ("test", test)):
        n = _n_known(_hashes(rows), known)
        if n:
            yield (
                f"{n:,} of {counted(len(rows), f'{part} row')} also "
                f"{'stands' if n == 1 else 'stand'} among the training rows, value for value: "
                "scores on them flatter; remove repeated rows, or keep them together with "
                "--split group:COLUMN"
            )


def _n_known(few: NDArray[np.uint64], many: NDArray[np.uint64]) -> int:
    """How many of the first stand among the second, which are not sorted: they may be millions."""
    if not len(few):
        return 0
    levels, counts = np.unique(few, return_counts=True)
    place = np.minimum(np.searchsorted(levels, many), len(levels) - 1)
    is_there = np.zeros(len(levels), dtype=bool)
    is_there[place[levels[place] == many]] = True
    return int(counts[is_there].sum())


def _few(task: Task, n: int) -> str:
    if task.kind is TaskKind.AMOUNT:
        what = f"the error of a score is about {percent(np.sqrt(2 / n))} of it"
    else:
        what = f"the error of an accuracy is up to {100 * 0.5 / np.sqrt(n):.0f} points"
    return f"only {n} validation rows: {what}, and small differences cannot be told from chance"


def _is_constant(series: "pl.Series") -> bool:
    return series.null_count() in (0, len(series)) and series.min() == series.max()


def _columns(names: list[str]) -> str:
    return f"column {names[0]!r}" if len(names) == 1 else f"columns {listed(names)}"


def _go_together(series: "pl.Series", y: NDArray[np.float32]) -> bool:
    """Whether values and classes are one to one."""
    import polars as pl

    n_pairs = pl.DataFrame({"x": series, "y": y}).n_unique()
    return bool(n_pairs == series.n_unique() == len(np.unique(y)))


def _is_multiple(series: "pl.Series", y: NDArray[np.float32]) -> bool:
    import polars as pl

    if series.dtype == pl.String or series.null_count():
        return False
    x, z = series.to_numpy(), y.astype(np.float64)
    x, z = x - x.mean(), z - z.mean()
    size = np.sqrt((x @ x) * (z @ z))
    return bool(size > 0 and abs(x @ z) > _ONE * size)


def _hashes(rows: Rows) -> NDArray[np.uint64]:
    """A 64-bit number for each row: equal for equal rows, and hardly ever for others."""
    found = np.zeros(len(rows), dtype=np.uint64)
    arrays = [*rows.inputs.values()]
    if not any(array is rows.y for array in arrays):
        arrays.append(rows.y)
    random = np.random.default_rng(0)
    for array in arrays:
        flat = np.ascontiguousarray(array).reshape(len(array), math.prod(array.shape[1:]))
        words = flat.astype(np.float32, copy=False).view(np.uint32)
        factors = random.integers(1, 2**63, words.shape[1], dtype=np.uint64) | np.uint64(1)
        for start in range(0, len(found), _HASHED_ROWS):
            part = words[start : start + _HASHED_ROWS].astype(np.uint64)
            part = (part + np.uint64(0x9E3779B9)) * factors
            found[start : start + _HASHED_ROWS] += (part ^ (part >> np.uint64(29))).sum(axis=1)
    return found


def of_answers(
    task: Task, train: NDArray[np.floating], validation: NDArray[np.floating]
) -> Iterator[str]:
    """Yield which of several labels few rows answer with yes, or few with no.

    `train` and `validation` are (rows, labels) of 0 and 1, a column for each of the task's targets.
    """
    if task.kind is not TaskKind.LABELS:
        return
    for i, name in enumerate(task.targets):
        for answer, said in ((1, "yes"), (0, "no")):
            n_train, n_val = (int((part[:, i] == answer).sum()) for part in (train, validation))
            if n_train + n_val < FEW_OF_A_CLASS or not (n_train and n_val):
                yield (
                    f"label {name!r} is {said} in {counted(n_train, 'training row')} and "
                    f"{counted(n_val, 'validation row')}: too few to learn it or to measure that"
                )
