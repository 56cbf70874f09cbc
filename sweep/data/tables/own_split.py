"""From what stands in a file, and what was asked of it, to a prepared split."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sweep.data.cache.array_file import sha256_of
from sweep.data.own_data import OwnData, Sizes
from sweep.data.ranges import RowRanges
from sweep.data.rows import Inputs, Rows, Split
from sweep.data.split_record import (
    ClassBalance,
    ClassCounts,
    ClassRows,
    PartHashes,
    SplitHashes,
    SplitRecord,
)
from sweep.data.tables import arrays as array_files
from sweep.data.tables import doubts, splitting
from sweep.data.tables.columns import find_columns, listed, plain_columns, without_index
from sweep.data.tables.preparation import Preparation, fit, n_unknown, prepare
from sweep.data.tables.reading import Read
from sweep.data.tables.splitting import Counts, Indices, SplitParts
from sweep.data.tables.targets import INPUTS, inputs_as_targets, label_columns, targets_of
from sweep.errors import DataError
from sweep.tasks.task import Task, TaskKind
from sweep.words import counted

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Chosen:
    """What is taken of a file: features, targets, and what puts its rows into parts."""

    source: str
    features: "pl.DataFrame | Inputs"
    """Float64 or String columns, or arrays."""
    task: Task | None
    """None where the inputs are the targets."""
    y: NDArray[np.float32] | None
    groups: NDArray[Any] | None = None
    parts: Indices | None = None
    """0, 1 or 2 for each row where the file says which trains, validates and tests."""
    parts_from: str = ""
    """What says so: "column:fold", or "given"."""
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        if isinstance(self.features, dict):
            return len(next(iter(self.features.values())))
        return len(self.features)

    @property
    def classes(self) -> NDArray[np.float32] | None:
        """The class of each row; None of amounts and of several labels."""
        if self.task is None or self.task.kind not in (TaskKind.BINARY, TaskKind.CLASSES):
            return None
        return self.y


@dataclass(frozen=True)
class WholeSplit:
    """A split with its test rows, which only `load_test_rows` may take out."""

    split: Split
    test: Rows


def own_split(read: Read, own: OwnData) -> Split:
    """Return the split of a file's rows, prepared by what its training rows say.

    Raises DataError in one line for whatever does not fit.
    """
    return whole_split(read, own).split


def whole_split(read: Read, own: OwnData, stored: Preparation | None = None) -> WholeSplit:
    """Return the split with its test rows. `stored` is used in place of fitting a preparation."""
    chosen = choose(read, own)
    counts, parts = parts_of(chosen, own)
    prepared = _prepared(chosen, own, parts, stored)
    task, rows = prepared.task, prepared.rows
    classes = doubts.class_rows(task, rows[0], rows[1])
    doubts.refuse_one_class(task, classes, chosen.source)
    warnings = [
        *chosen.warnings,
        *prepared.warnings,
        *doubts.of_rows(task, classes, len(rows[1])),
        *doubts.of_answers(task, rows[0].y, rows[1].y),
        *doubts.of_repeats(*rows),
    ]
    n_train, n_validation, n_test = map(len, rows)
    manifest = SplitRecord(
        kind=read.kind,
        source=chosen.source,
        rows=chosen.rows,
        row_ranges=RowRanges(
            train=(0, n_train),
            validation=(n_train, n_train + n_validation),
            test=(n_train + n_validation, n_train + n_validation + n_test),
        ),
        sha256=SplitHashes(_hashes(rows[0]), _hashes(rows[1])),
        class_balance=_balance(task, classes),
        cache_key=read.key,
        task=task,
        columns=prepared.columns,
        rule=parts.rule,
        preparation=prepared.preparation,
        class_rows=classes,
        own=own.with_sizes(_sizes(own.sizes, counts)),
        notes=(*read.notes, *chosen.notes, *prepared.notes),
        warnings=tuple(warnings),
    )
    split = Split(
        train=rows[0],
        validation=rows[1],
        source=chosen.source,
        manifest=manifest,
        task=task,
        columns=prepared.columns,
        preparation=prepared.preparation,
        class_weights=_class_weights(own, task, classes),
    )
    return WholeSplit(split, rows[2])


def choose(read: Read, own: OwnData) -> Chosen:
    """Return features, targets and parts of what was read."""
    if read.frame is not None:
        return _of_table(read.frame, own, read.source)
    found = array_files.choose(read.arrays or {}, own, read.source)
    if found.table is not None:
        chosen = _of_table(found.table, replace(own, label=(INPUTS,), drop=()), read.source)
        return replace(chosen, task=found.task, y=found.y, parts=found.parts, parts_from="given")
    return Chosen(
        read.source, found.inputs, found.task, found.y, None, found.parts, "given",
        list(found.notes),
    )  # fmt: skip


def _of_table(frame: "pl.DataFrame", own: OwnData, source: str) -> Chosen:
    indexed = without_index(frame)
    frame, names = indexed.frame, indexed.frame.columns
    dropped = find_columns(own.drop, names, "--drop", source)
    kept = [name for name in names if name not in dropped]
    aside = []  # columns that say in which part a row is
    for option, name in (("--split group:", own.group), ("--split-column", own.split_column)):
        aside += find_columns([name] if name else [], names, option, source)
    labels = label_columns(own.label, names if own.label else kept, source)
    if set(labels) & {*dropped, *aside}:
        raise DataError(f"{source}: label {labels[0]!r} is also left out, or says the part")
    if labels == [INPUTS] and INPUTS not in names:
        labels = []
    features = [name for name in kept if name not in labels and name not in aside]
    if not features:
        raise DataError(f"{source} has no columns besides {listed([*labels, *aside])}")
    plain = plain_columns(frame.select(features), source)
    notes = [*indexed.notes, *plain.notes]
    if own.group:
        notes.append(f"column {aside[0]!r} keeps rows together: models do not see it")
    _refuse_missing(plain.frame, own, source)
    warnings = [*doubts.of_numbering(plain.frame), *doubts.of_digits(frame, plain.frame)]
    task, y = None, None
    if labels:
        targets = plain_columns(frame.select(labels), source, truth=True)
        notes += targets.notes
        doubts.refuse_merged(frame, targets.frame, source)
        task, y = targets_of(targets.frame, own.task, source)
        warnings += doubts.of_label(frame, targets.frame, task)
    return Chosen(
        source=source,
        features=plain.frame,
        task=task,
        y=y,
        groups=_values(frame, aside[0]) if own.group else None,
        parts=_parts_named(frame, aside[0]) if own.split_column else None,
        parts_from=f"column:{own.split_column}",
        notes=notes,
        warnings=warnings,
    )


def parts_of(chosen: Chosen, own: OwnData) -> tuple[Counts | None, SplitParts]:
    """Return the rows of each part, and how many were aimed at unless the file says which."""
    if chosen.parts is not None:
        name = chosen.parts_from
        if own.split:
            raise DataError(
                f"{chosen.source} says itself which rows are in each part: leave out --split"
            )
        return None, splitting.given(chosen.parts, own, chosen.classes, name, chosen.source)
    counts = splitting.counts_of(chosen.rows, own.sizes, chosen.source)
    if chosen.groups is not None:
        rest = not own.sizes.train
        parts = splitting.grouped(
            chosen.groups, counts, own.split_seed, own.group or "", rest_trains=rest
        )
    elif own.split == "ordered":
        parts = splitting.in_order(chosen.rows, counts)
    else:
        parts = splitting.shuffled(chosen.rows, counts, own.split_seed, chosen.classes)
    return counts, parts


@dataclass(frozen=True)
class _Prepared:
    rows: tuple[Rows, Rows, Rows]
    """Training, validation and test rows."""
    task: Task
    columns: tuple[str, ...]
    preparation: Preparation | None
    notes: list[str]
    warnings: list[str]


def _prepared(
    chosen: Chosen, own: OwnData, parts: SplitParts, stored: Preparation | None
) -> _Prepared:
    if isinstance(chosen.features, dict | np.ndarray):
        return _taken(chosen, chosen.features, parts)
    raw = [chosen.features[part] for part in (parts.train, parts.validation, parts.test)]
    standardize = own.standardize is not False
    preparation = stored or fit(
        raw[0],
        missing=own.missing,
        max_levels=own.max_levels,
        standardize=standardize,
        source=chosen.source,
    )
    arrays = [prepare(part, preparation) for part in raw]
    task, ys = _targets(chosen, parts, arrays, preparation.names)
    doubts.refuse_label_copies(raw[0], ys[0], task, chosen.source)
    rows = [Rows(x, y) for x, y in zip(arrays, ys, strict=True)]
    return _Prepared(
        (rows[0], rows[1], rows[2]),
        task,
        preparation.names,
        preparation,
        list(_notes(raw[0], preparation, own)),
        [
            *doubts.of_columns(raw[0]),
            *doubts.of_precision(raw[0], preparation),
            *doubts.of_spellings(raw[0]),
            *_unknown(raw, preparation),
        ],
    )


def _taken(chosen: Chosen, x: Inputs, parts: SplitParts) -> _Prepared:
    """Rows of arrays as they are."""
    names = tuple(x) if isinstance(x, dict) else ()
    all_rows = Rows(x, np.zeros(chosen.rows, np.float32))
    each = [all_rows.take(part) for part in (parts.train, parts.validation, parts.test)]
    task, ys = _targets(chosen, parts, [part.inputs for part in each], names)
    rows = [Rows(part.x, y) for part, y in zip(each, ys, strict=True)]
    return _Prepared((rows[0], rows[1], rows[2]), task, names, None, [], [])


def _targets(
    chosen: Chosen, parts: SplitParts, x: list[Any], names: tuple[str, ...]
) -> tuple[Task, list[NDArray[np.float32]]]:
    if chosen.task is not None and chosen.y is not None:
        return chosen.task, [chosen.y[part] for part in (parts.train, parts.validation, parts.test)]
    arrays = [next(iter(part.values())) if isinstance(part, dict) else part for part in x]
    if isinstance(x[0], dict) and len(x[0]) > 1:
        raise DataError(f"--label {INPUTS} needs one input, {chosen.source} has {len(x[0])}")
    return inputs_as_targets(arrays[0], names)[0], arrays


def _notes(train: "pl.DataFrame", preparation: Preparation, own: OwnData) -> Iterator[str]:
    for column in preparation.columns:
        if column.levels is not None:
            yield f"column {column.name!r}: {counted(len(column.levels), 'word')}, a column each"
        elif train[column.name].null_count() and column.fill is not None:
            n = train[column.name].null_count()
            what = "median" if own.missing == "median" else "mean"
            more = ", and a column says where" if column.indicator else ""
            yield (
                f"column {column.name!r}: {n:,} missing training values replaced by the {what} "
                f"{column.fill:.4g}{more}"
            )
    how = "standardized on the training rows" if preparation.standardized else "as they are"
    yield f"numbers are {how}"


def _unknown(raw: "list[pl.DataFrame]", preparation: Preparation) -> Iterator[str]:
    for part, frame in (("validation", raw[1]), ("test", raw[2])):
        for name, count in n_unknown(frame, preparation).items():
            yield (
                f"column {name!r}: {counted(count, f'{part} row')} with words that no training "
                "row has: zeros in all its columns"
            )


def _refuse_missing(features: "pl.DataFrame", own: OwnData, source: str) -> None:
    if own.missing:
        return
    missing = {s.name: s.null_count() for s in features.iter_columns() if s.null_count()}
    if missing:
        counts = listed([f"{name} {count:,}" for name, count in missing.items()])
        first = min(int(features[name].is_null().arg_max() or 0) for name in missing) + 1
        raise DataError(
            f"{source} has missing values ({counts}; the first in row {first:,}); say what takes "
            "their place with --missing mean, median or indicator, or leave columns out with --drop"
        )


def _values(frame: "pl.DataFrame", column: str) -> NDArray[np.str_]:
    import polars as pl

    return frame[column].cast(pl.String).fill_null("").to_numpy().astype(str)


def _parts_named(frame: "pl.DataFrame", column: str) -> Indices:
    return splitting.parts_named(_values(frame, column), column)


def _sizes(asked: Sizes, counts: Counts | None) -> Sizes:
    """What is kept of the sizes: numbers, so that the same rows are taken again."""
    if counts is None:
        return asked
    train = str(counts.train) if asked.train else ""
    return Sizes(train, str(counts.validation), str(counts.test))


def _balance(task: Task, rows: ClassRows | None) -> ClassBalance | None:
    if rows is None or task.kind is not TaskKind.BINARY:
        return None
    return ClassBalance(
        *(ClassCounts(signal=part[1], background=part[0]) for part in (rows.train, rows.validation))
    )


def _class_weights(own: OwnData, task: Task, rows: ClassRows | None) -> tuple[float, ...]:
    """n / (classes · rows of the class), of the training rows; those without rows get 0."""
    if not own.class_weight:
        return ()
    if rows is None:
        raise DataError(f"--class-weight is for classes, the task is {task.kind}: leave it out")
    n, there = sum(rows.train), sum(1 for count in rows.train if count)
    return tuple(n / (there * count) if count else 0.0 for count in rows.train)


def _hashes(rows: Rows) -> PartHashes:
    if isinstance(rows.x, dict):
        return PartHashes(" ".join(map(sha256_of, rows.x.values())), sha256_of(rows.y))
    return PartHashes(sha256_of(rows.x), sha256_of(rows.y))
