"""Which of a file's arrays are inputs and which are targets, and which rows its parts have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sweep.data.own_data import OwnData
from sweep.data.rows import Inputs
from sweep.data.tables.columns import find_columns, listed
from sweep.data.tables.splitting import TEST, TRAIN, VALIDATION, Indices
from sweep.data.tables.targets import DEFAULT_LABELS, INPUTS, targets_of_array
from sweep.errors import DataError
from sweep.tasks.task import Task
from sweep.words import counted

if TYPE_CHECKING:
    import polars as pl

_LABELS = (*DEFAULT_LABELS, "labels", "targets")
_PARTS = {
    "train": TRAIN, "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION, "test": TEST,
}  # fmt: skip
_MOST_COLUMNS = 2_000
"""Of an array (rows, columns) that is treated as a table."""


@dataclass(frozen=True)
class ChosenArrays:
    """Inputs and targets among the arrays of a file."""

    inputs: Inputs
    table: "pl.DataFrame | None"
    """The one input as columns, if it is (rows, columns) of floating-point numbers."""
    task: Task | None
    y: NDArray[np.float32] | None
    """Both None where the inputs are the targets."""
    parts: Indices | None
    notes: tuple[str, ...]


def choose(arrays: Mapping[str, NDArray[Any]], own: OwnData, source: str) -> ChosenArrays:
    """Return the inputs, targets and parts in arrays by name; the target is called y, or as asked.

    Raises DataError, which lists the arrays, if there is no target or if lengths differ.
    """
    for option in ("group", "split_column"):
        if getattr(own, option):
            raise DataError(f"{source} holds arrays: --split group and --split-column need a table")
    arrays, parts = _joined(arrays, source)
    dropped = find_columns(own.drop, list(arrays), "--drop", source)
    arrays = {name: array for name, array in arrays.items() if name not in dropped}
    if dropped and parts is None:  # one more array than x_train, y_train, … has kept them apart
        arrays, parts = _joined(arrays, source)
    target = _target(arrays, own, source)
    inputs = {
        name: array[:, None] if array.ndim == 1 else array
        for name, array in arrays.items()
        if name != target
    }
    if not inputs:
        raise DataError(f"{source} has no array besides the target {target!r}")
    _check_lengths(arrays, source)
    task, y = None, None
    if target is not None:
        task, y = targets_of_array(np.asarray(arrays[target]), target, own.task, source)
    if len(inputs) == 1:
        ((name, x),) = inputs.items()
        if x.ndim == 2 and x.dtype.kind == "f" and x.shape[1] <= _MOST_COLUMNS:
            return ChosenArrays(x, _table(x, name), task, y, parts, ())
    _refuse_table_options(own, source)
    _refuse_not_finite(inputs, source)
    if len(inputs) > 1:
        kept = {name: _input(array, name, source) for name, array in inputs.items()}
        notes = (f"inputs by name: {listed(_shapes(kept))}; they are taken as they are",)
        return ChosenArrays(kept, None, task, y, parts, notes)
    if x.dtype.kind == "U":
        raise DataError(f"{source}: input {name!r} holds texts, expected numbers")
    shape = f"rows of shape {x.shape[1:]}"
    if x.ndim == 2 and x.dtype.kind in "iu":
        shape = "whole numbers, which may be tokens"
    found = np.ascontiguousarray(x, dtype=np.float32)
    _refuse_rounded(x, found, name, source)
    return ChosenArrays(found, None, task, y, parts, (f"{shape}: taken as they are",))


def stem_of(name: str) -> str | None:
    """Return x of x_train, x_val and x_test; None if the name says no part."""
    stem, _, part = name.rpartition("_")
    return stem if stem and part.lower() in _PARTS else None


def _joined(
    arrays: Mapping[str, NDArray[Any]], source: str
) -> tuple[dict[str, NDArray[Any]], Indices | None]:
    """x_train, x_test, … as one x each, with the part of each row."""
    found: dict[str, dict[int, NDArray[Any]]] = {}
    for name, array in arrays.items():
        stem, _, part = name.rpartition("_")
        if stem_of(name) is None:
            return dict(arrays), None
        found.setdefault(stem, {})[_PARTS[part.lower()]] = array
    rows: dict[int, int] | None = None
    for stem, parts in found.items():
        here = {part: len(array) for part, array in sorted(parts.items())}
        if rows is not None and here != rows:
            raise DataError(f"{source}: the parts of {stem!r} have other rows than those before")
        rows = here
    if not rows:
        return dict(arrays), None
    joined = {
        stem: np.concatenate([parts[part] for part in sorted(parts)])
        for stem, parts in found.items()
    }
    return joined, np.repeat(list(rows), list(rows.values()))


def _target(arrays: Mapping[str, NDArray[Any]], own: OwnData, source: str) -> str | None:
    names = list(arrays)
    if list(own.label) == [INPUTS] and INPUTS not in names:
        return None
    if len(own.label) > 1:
        raise DataError(f"{source} holds arrays: --label names one array, with a column per target")
    if own.label:
        return find_columns(own.label, names, "--label", source)[0]
    found = [name for name in names if name.lower() in _LABELS]
    if len(found) != 1:
        raise DataError(
            f"{source} has {'several arrays' if found else 'no array'} called "
            f"{', '.join(_LABELS[:-1])} or {_LABELS[-1]}; say which is the target with --label; "
            f"its arrays: {listed(names)}{_unlike_parts(names)}"
        )
    return found[0]


def _unlike_parts(names: list[str]) -> str:
    """What to do where some arrays are parts, such as x_train, and others keep them apart."""
    others = [name for name in names if stem_of(name) is None]
    if not others or len(others) == len(names):
        return ""
    return f"; with --drop {','.join(others)} the others are the parts that they are called"


def _check_lengths(arrays: Mapping[str, NDArray[Any]], source: str) -> None:
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        said = listed([f"{name} {counted(n, 'row')}" for name, n in lengths.items()])
        raise DataError(f"{source}: its arrays have different lengths: {said}")


def _table(x: NDArray[Any], name: str) -> "pl.DataFrame":
    import polars as pl

    columns = {f"{name}_{i + 1}": np.ascontiguousarray(x[:, i]) for i in range(x.shape[1])}
    return pl.DataFrame(columns)


def _input(array: NDArray[Any], name: str, source: str) -> NDArray[Any]:
    """Floating-point numbers as float32; integers and texts as they are."""
    if array.dtype.kind == "U":
        raise DataError(f"{source}: input {name!r} holds texts, expected numbers")
    if array.dtype.kind in "iu":
        return np.ascontiguousarray(array)
    return np.ascontiguousarray(array, dtype=np.float32)


def _refuse_rounded(x: NDArray[Any], found: NDArray[np.float32], name: str, source: str) -> None:
    """Raise DataError if whole numbers are others in float32: they may be looked up by a layer."""
    if x.dtype.kind not in "iu" or x.dtype.itemsize < 4:
        return
    n = int((found.astype(np.longdouble) != x).sum())
    if n:
        raise DataError(
            f"{source}: input {name!r} holds whole numbers beyond 16,777,216, and float32 rounds "
            f"{n:,} of its {x.size:,}; make them smaller, as by numbering the different ones"
        )


def _shapes(arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    return [f"{name} {array.shape[1:]}" for name, array in arrays.items()]


def _refuse_table_options(own: OwnData, source: str) -> None:
    for option, value, instead in (
        ("--standardize", own.standardize, "put a Rescaling or Normalization layer into the model"),
        ("--missing", own.missing, "put other values in their place"),
    ):
        if value:
            raise DataError(f"{option} is for tables, {source} holds arrays: {instead}")


def _refuse_not_finite(inputs: Mapping[str, NDArray[Any]], source: str) -> None:
    for name, array in inputs.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            n = int((~np.isfinite(array)).sum())
            raise DataError(
                f"{source}: input {name!r} has {n:,} values that are not finite; replace them"
            )
