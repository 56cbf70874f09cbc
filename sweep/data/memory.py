"""A split of arrays that a script has in memory, kept in the sweep's folder if they are small.

Models see the rows as they were given: nothing is standardized, shuffled or left out.
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.data.cache.array_file import sha256_of
from sweep.data.ranges import RowRanges
from sweep.data.rows import MEMORY as MEMORY
from sweep.data.rows import Inputs, Rows, Split
from sweep.data.split_record import (
    ClassBalance,
    ClassCounts,
    PartHashes,
    SplitHashes,
    SplitRecord,
    SplitRule,
)
from sweep.data.tables import doubts
from sweep.disk import whole
from sweep.errors import DataError
from sweep.tasks.task import Task, TaskKind

_SOURCE = "arrays of a script"
_LARGEST_KEPT = 512 * 2**20
"""Bytes of arrays that are kept with a sweep; of larger ones only the fingerprint is."""


@dataclass(frozen=True)
class ModelRows:
    """The rows of one part, as models are to see them."""

    x: Inputs
    y: NDArray[np.float32]
    """As `sweep.tasks.task` lays it out."""
    weights: NDArray[np.float32] | None = None

    @property
    def rows(self) -> Rows:
        return Rows(self.x, self.y, self.weights)


def memory_split(
    train: ModelRows,
    validation: ModelRows,
    task: Task,
    *,
    class_weights: tuple[float, ...] = (),
    columns: tuple[str, ...] = (),
) -> Split:
    """Return the split of these rows. Raises DataError if they cannot be trained or measured on."""
    rows = (train.rows, validation.rows)
    for name, part in zip(("training", "validation"), rows, strict=True):
        _check(name, part)
    names = tuple(rows[0].inputs) if isinstance(train.x, dict) else columns
    classes = doubts.class_rows(task, *rows)
    n_train, n_validation = map(len, rows)
    manifest = SplitRecord(
        kind=MEMORY,
        source=_SOURCE,
        rows=n_train + n_validation,
        row_ranges=RowRanges(
            train=(0, n_train),
            validation=(n_train, n_train + n_validation),
            test=(n_train + n_validation,) * 2,
        ),
        sha256=SplitHashes(*(_hashes(part) for part in rows)),
        class_balance=_balance(task, classes),
        task=task,
        columns=names,
        rule=SplitRule("given"),
        class_rows=classes,
    )
    return Split(
        train=rows[0],
        validation=rows[1],
        source=_SOURCE,
        manifest=manifest,
        task=task,
        columns=names,
        class_weights=class_weights,
    )


def write_split(path: Path, split: Split) -> bool:
    """Keep a split in one file, whole or not at all; False if it is too large to be kept."""
    arrays = {
        f"{part}/{name}": array
        for part, rows in (("train", split.train), ("validation", split.validation))
        for name, array in _arrays(rows).items()
    }
    if sum(array.nbytes for array in arrays.values()) > _LARGEST_KEPT:
        return False
    arrays["class_weights"] = np.asarray(split.class_weights, np.float64)
    with whole(path, through=path.with_suffix(".tmp"), flushed=True) as new, new.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    return True


def read_split(path: Path, record: SplitRecord) -> Split:
    """Return the split that was kept in a file; `record` is what the sweep says of it.

    Raises DataError if the file is missing or damaged.
    """
    columns = record.columns or ()
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        parts = [_part(arrays, name, columns) for name in ("train", "validation")]
        weights = tuple(map(float, arrays["class_weights"]))
        split = memory_split(
            parts[0], parts[1], record.known_task, class_weights=weights, columns=columns
        )
    except (OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile) as error:
        raise DataError(
            f"the rows of {path} are missing or damaged ({error}); run the script again, which "
            "has them"
        ) from error
    if record.fingerprint not in (None, split.fingerprint):
        raise DataError(f"the rows of {path} are damaged; run the script again, which has them")
    return split


def _arrays(rows: Rows) -> dict[str, NDArray[Any]]:
    arrays = {f"x/{name}": array for name, array in rows.inputs.items()} | {"y": rows.y}
    return arrays if rows.weights is None else {**arrays, "weights": rows.weights}


def _part(arrays: dict[str, NDArray[Any]], part: str, columns: tuple[str, ...]) -> ModelRows:
    prefix = f"{part}/x/"
    found = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
    is_one = list(found) == ["x"] and columns != ("x",)
    x: Inputs = found["x"] if is_one else {name: found[name] for name in columns}
    return ModelRows(x, arrays[f"{part}/y"], arrays.get(f"{part}/weights"))


def _check(name: str, rows: Rows) -> None:
    """Raise DataError for rows of unequal number, none, or numbers that are not finite."""
    if not len(rows):
        raise DataError(f"there are no {name} rows")
    for called, array in {**rows.inputs, "y": rows.y}.items():
        if len(array) != len(rows):
            raise DataError(
                f"{called} of the {name} rows has {len(array):,} rows, y has {len(rows):,}"
            )
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise DataError(
                f"{called} of the {name} rows has values that are missing or not finite: replace "
                "them before the search"
            )


def _hashes(rows: Rows) -> PartHashes:
    return PartHashes(" ".join(map(sha256_of, rows.inputs.values())), sha256_of(rows.y))


def _balance(task: Task, rows: Any) -> ClassBalance | None:
    if rows is None or task.kind is not TaskKind.BINARY:
        return None
    return ClassBalance(
        *(ClassCounts(signal=part[1], background=part[0]) for part in (rows.train, rows.validation))
    )
