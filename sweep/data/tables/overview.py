"""What stands in a file and what becomes of it, column by column, before anything is trained."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from sweep.data.own_data import OwnData
from sweep.data.rows import Split
from sweep.data.tables.arrays import stem_of
from sweep.data.tables.columns import find_columns, plain_columns, without_index
from sweep.data.tables.preparation import ColumnPreparation
from sweep.data.tables.reading import Read
from sweep.errors import DataError
from sweep.records import Json
from sweep.words import counted

if TYPE_CHECKING:
    import polars as pl

SCHEMA = "sweep.data/1"


@dataclass(frozen=True)
class ColumnOverview:
    """A column of a table, or an array, as it stands in the file, and what it is taken for."""

    position: int
    """From 1, as `--label` and `--drop` count."""
    name: str
    kind: str
    """numbers, words, or what else it holds; of an array its type and the shape of a row."""
    missing: int
    different: int | None
    """Different values, a missing one not counted; None of arrays."""
    use: str = ""
    """label, input, left out, keeps rows together, or says the part; "" while that is not known."""
    becomes: str = ""
    """What models see of it: "13 columns", "standardized", "as it is"."""

    def to_json(self) -> Json:
        return asdict(self)


def columns_of(read: Read) -> list[ColumnOverview]:
    """Return what stands in each column or array of a file, with nothing decided about its use."""
    if read.frame is not None:
        return list(_of_table(without_index(read.frame).frame, read.source))
    return [
        ColumnOverview(i + 1, name, f"{array.dtype} {array.shape[1:]}", 0, None)
        for i, (name, array) in enumerate((read.arrays or {}).items())
    ]


def with_use(columns: list[ColumnOverview], split: Split) -> list[ColumnOverview]:
    """Return the columns with what the split makes of each."""
    own = split.manifest.own or OwnData()
    left_out = _left_out(columns, own, split.source)
    return [
        replace(one, use="left out") if one.name in left_out else _used(one, own, split)
        for one in columns
    ]


def to_json(columns: list[ColumnOverview], split: Split) -> Json:
    """Return the overview of a file as a JSON object: its columns, and the split's whole record."""
    return {
        "schema": SCHEMA,
        "source": split.source,
        "columns": [column.to_json() for column in columns],
        "data": split.manifest.to_json(),
        "input_shapes": {name: list(shape) for name, shape in split.input_shapes.items()},
        "class_weights": list(split.class_weights),
        "warnings": split.concerns,
    }


def _left_out(columns: list[ColumnOverview], own: OwnData, source: str) -> set[str]:
    names = [one.name for one in columns]
    if any(one.different is not None or stem_of(one.name) is None for one in columns):
        return set(find_columns(own.drop, names, "--drop", source))
    stems = dict.fromkeys(stem_of(name) or name for name in names)
    dropped = find_columns(own.drop, list(stems), "--drop", source)
    return {name for name in names if stem_of(name) in dropped}


def _used(column: ColumnOverview, own: OwnData, split: Split) -> ColumnOverview:
    prepared = {} if split.preparation is None else {c.name: c for c in split.preparation.columns}
    name = column.name
    if column.different is None and name not in split.columns:  # an array: x_train is a part of x
        name = stem_of(name) or name
    use, becomes = "left out", ""
    if name in prepared:
        use, becomes = "input", _becomes(prepared[name], split)
    elif name in split.task.targets or _is_target(name, split):
        use = "label"
    elif name == own.group:
        use = "keeps rows together"
    elif own.split_column and name == own.split_column:
        use = "says the part"
    elif split.preparation is None:
        use, becomes = "input", "as it is"
    elif any(one.startswith(f"{name}_") for one in prepared):
        use, becomes = "input", f"{len(prepared)} columns"
    return replace(column, use=use, becomes=becomes)


def _becomes(column: ColumnPreparation, split: Split) -> str:
    if column.levels is not None:
        return counted(len(column.levels), "column")
    is_standardized = split.preparation is not None and split.preparation.standardized
    more = ", and where it is missing" if column.indicator else ""
    return ("standardized" if is_standardized else "as it is") + more


def _is_target(name: str, split: Split) -> bool:
    """Whether an array of this name gives several targets: y_1, y_2 and so on."""
    return all(target.startswith(f"{name}_") for target in split.task.targets)


def _of_table(frame: "pl.DataFrame", source: str) -> Iterator[ColumnOverview]:
    import polars as pl

    for i, series in enumerate(frame.iter_columns()):
        try:
            plain = plain_columns(series.to_frame(), source).frame.to_series()
            kind = "words" if plain.dtype == pl.String else "numbers"
            missing, different = plain.null_count(), plain.drop_nulls().n_unique()
        except DataError:
            kind = str(series.dtype)
            missing, different = series.null_count(), None
        yield ColumnOverview(i + 1, series.name, kind, missing, different)
