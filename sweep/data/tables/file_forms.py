"""The forms of files that are read here: how each begins, and how it is written into the cache."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sweep.data.cache.file_set import WrittenFiles
from sweep.data.tables.text_file import chunks_of, csv_form, first_line, uneven_line, write_plain
from sweep.errors import DataError

if TYPE_CHECKING:
    import polars as pl

TABLE, ARRAYS = "table", "arrays"
CSV = "csv"
TABLE_FILE = "table.arrow"
_PANDAS_INDEX = "__index_level_"


@dataclass(frozen=True)
class FileForm:
    """A form of files that is read here."""

    kind: str
    """What stands in such a file: `TABLE` or `ARRAYS`."""
    suffixes: tuple[str, ...]
    """Of files' names, as the shell offers them; a form is told by its first bytes alone."""
    write: "Callable[[FilesAsked, Path], WrittenFiles]"
    """Writes what stands in a file, in the cache's form, into a new folder of the cache."""
    magic: bytes | None = None
    """How its files begin; None of text."""


@dataclass(frozen=True)
class FilesAsked:
    """A file, or a folder of files, to be read."""

    path: Path
    paths: list[Path]
    """The files that make up the data."""
    header: bool | None
    """Of text: whether the first line names the columns; None to tell from the lines."""


def form_of(path: Path, paths: list[Path]) -> str:
    """Return the form of the files that make up the data at `path`: a name in `FORMS`.

    Raises DataError for a file of an older form, and when a file cannot be read.
    """
    head = next(chunks_of(paths[0]), b"")[:16]
    known = ((name, form.magic) for name, form in FORMS.items() if form.magic is not None)
    form = next((name for name, magic in known if head.startswith(magic)), CSV)
    if head.startswith(b"FEA1"):
        raise DataError(f"{path.name} is a Feather file of the old version 1; write it again")
    return form


def _write_csv(asked: FilesAsked, folder: Path) -> WrittenFiles:
    import polars as pl

    path, header = asked.path, asked.header
    plain = folder / "plain.csv"
    notes = write_plain(path, plain)
    form = csv_form(plain, path.name, header)
    names = None if form.header else [f"column_{i + 1}" for i in range(form.n_columns)]
    try:
        lazy = pl.scan_csv(
            plain,
            has_header=form.header,
            separator=form.separator,
            decimal_comma=form.decimal_comma,
            infer_schema_length=None,
            new_columns=names,
            skip_lines=form.n_comments,
        )
        written = _sink(lazy, folder, path.name, [*notes, *form.notes])
    except pl.exceptions.PolarsError as error:
        why = uneven_line(plain, form)
        why = f", {why}" if why else f" cannot be read as a table: {first_line(error)}"
        raise DataError(f"{path.name}{why}") from error
    if _ends_missing(folder / TABLE_FILE) and (why := uneven_line(plain, form)):
        raise DataError(f"{path.name}, {why}")
    return written


def _ends_missing(table: Path) -> bool:
    """Whether the last column has a missing value: polars puts one where a line is too short."""
    import polars as pl

    return bool(pl.scan_ipc(table).select(pl.last().null_count()).collect().item())


def _write_parquet(asked: FilesAsked, folder: Path) -> WrittenFiles:
    import polars as pl

    return _write_columns(pl.scan_parquet, asked.path, folder)


def _write_arrow(asked: FilesAsked, folder: Path) -> WrittenFiles:
    import polars as pl

    return _write_columns(pl.scan_ipc, asked.path, folder)


def _write_columns(
    scan: "Callable[[Path], pl.LazyFrame]", path: Path, folder: Path
) -> WrittenFiles:
    import polars as pl

    try:
        return _sink(scan(path), folder, path.name, [])
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path.name} is damaged ({first_line(error)})") from error


def _sink(lazy: "pl.LazyFrame", folder: Path, name: str, notes: list[str]) -> WrittenFiles:
    """Write the columns, without an index that pandas wrote; twice the same name is an error."""
    import polars as pl

    names = {name: _name(name) for name in lazy.collect_schema()}
    if len(set(names.values())) == len(names):
        lazy = lazy.rename(names)
    schema = lazy.collect_schema()
    for column in schema:
        if "_duplicated_" in column:
            first = column.rpartition("_duplicated_")[0]
            raise DataError(f"{name} has two columns called {first!r}; rename one")
    index = [column for column in schema if column.startswith(_PANDAS_INDEX)]
    lazy = lazy.drop(index)
    lazy.sink_ipc(folder / TABLE_FILE, compression="uncompressed")
    rows = int(pl.scan_ipc(folder / TABLE_FILE).select(pl.len()).collect().item())
    if rows == 0:
        raise DataError(f"{name} has no rows")
    notes += ["the index that pandas wrote is left out"] if index else []
    return WrittenFiles((TABLE_FILE,), rows, tuple(notes))


def _name(column: str) -> str:
    """A column's name without blanks around it, and without the # that np.savetxt puts first."""
    return column.strip().removeprefix("#").strip() if column.strip() != "#" else column


def _write_npz(asked: FilesAsked, folder: Path) -> WrittenFiles:
    path = asked.path
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return _write_arrays({name: archive[name] for name in archive}, folder, path.name)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path.name} is not read: {_said(error)}; expected an .npz of numbers or texts"
        ) from error


def _write_npy(asked: FilesAsked, folder: Path) -> WrittenFiles:
    arrays = {path.stem: _loaded(path) for path in asked.paths}
    return _write_arrays(arrays, folder, asked.path.name)


def _loaded(path: Path) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{path.name} is not read: {_said(error)}") from error
    return array


def _said(error: Exception) -> str:
    """NumPy's message; of an array of Python objects, as pandas gives texts, what to do."""
    if "allow_pickle" in str(error):
        return "it holds Python objects, which are code; save texts as array.astype(str)"
    return first_line(error)


def _write_arrays(arrays: dict[str, NDArray[Any]], folder: Path, name: str) -> WrittenFiles:
    if not arrays:
        raise DataError(f"{name} holds no arrays")
    for stem, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise DataError(f"{name} is a zip archive, expected an .npz of arrays; unpack it")
        if array.ndim == 0 or array.dtype.kind not in "buifU":
            raise DataError(f"{name}: array {stem!r} is {array.dtype}, expected rows of numbers")
        if stem != Path(stem).name or stem.startswith("."):
            raise DataError(f"{name}: {stem[:40]!r} is no name for an array")
        np.save(folder / f"{stem}.npy", array)
    rows = max(len(array) for array in arrays.values())
    return WrittenFiles(tuple(f"{stem}.npy" for stem in arrays), rows)


FORMS = {
    CSV: FileForm(TABLE, (".csv", ".csv.gz", ".csv.zst", ".tsv"), _write_csv),
    "parquet": FileForm(TABLE, (".parquet",), _write_parquet, b"PAR1"),
    "arrow": FileForm(TABLE, (".feather", ".arrow"), _write_arrow, b"ARROW1"),
    "npz": FileForm(ARRAYS, (".npz",), _write_npz, b"PK\x03\x04"),
    "npy": FileForm(ARRAYS, (".npy",), _write_npy, b"\x93NUMPY"),
}
"""The forms that are read, by a name that is part of the key of what is cached."""
