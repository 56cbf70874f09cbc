"""Reads a file of a user's own once, into the cache: a table as Arrow, arrays as NumPy has them.

The key follows from the file's bytes and from how they are to be read, not from its name.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sweep.data.cache.cache import Cache
from sweep.data.cache.file_set import KEY_PREFIX, FileSet, open_files, store_files
from sweep.data.cache.manifest import Origin
from sweep.data.columns import N_FEATURES
from sweep.data.tables.file_forms import ARRAYS, CSV, FORMS, TABLE, TABLE_FILE, FilesAsked, form_of
from sweep.data.tables.text_file import chunks_of, first_cells
from sweep.errors import DataError

if TYPE_CHECKING:
    import polars as pl

_VERSION = "2"
"""Of what reading means: what was cached under another one is read again."""
_KEY_DIGITS = 32


@dataclass(frozen=True)
class Read:
    """What stands in a file: a table, or arrays by name."""

    source: str
    """Name for people."""
    frame: "pl.DataFrame | None" = None
    arrays: Mapping[str, NDArray[Any]] | None = None
    notes: tuple[str, ...] = ()
    key: str | None = None
    """Under which the cache holds it; None of what came from memory."""

    @property
    def kind(self) -> str:
        return TABLE if self.frame is not None else ARRAYS


def read_file(cache: Cache, path: Path, header: bool | None = None) -> Read:
    """Return what stands in a file or a folder of .npy files; it is parsed at the first use only.

    Raises DataError when it cannot be read, or is of no kind that is read here.
    """
    paths = _files_of(path)
    form = form_of(path, paths)
    key = _key(paths, form, header)
    try:
        found = open_files(cache, key)
    except DataError:  # damaged; the file is at hand
        found = None
    if found is None:
        origin = Origin(FORMS[form].kind, path.name, str(path.absolute()))
        asked = FilesAsked(path, paths, header)
        found = store_files(cache, key, origin, partial(FORMS[form].write, asked))
        if _key(paths, form, header) != key:
            cache.remove(key)
            raise DataError(f"{path} changed while it was read; try again when it is complete")
    return _opened(key, *found)


def is_higgs_shaped(path: Path) -> bool:
    """Whether the first line of a CSV is a row of HIGGS: 0 or 1, and 28 more numbers.

    Raises DataError when the file cannot be read.
    """
    if form_of(path, [path]) != CSV:
        return False
    cells = first_cells(path)
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError:
        return False
    return len(numbers) == 1 + N_FEATURES and numbers[0] in (0.0, 1.0)


def read_again(cache: Cache, key: str, source: str) -> Read:
    """Return what the cache holds under `key`. Raises DataError if that has gone."""
    found = open_files(cache, key)
    if found is None:
        raise DataError(f"{source} is not in the cache {cache.root} any more; get it again")
    return _opened(key, *found)


def _opened(key: str, found: FileSet, folder: Path) -> Read:
    source = found.origin.source
    if found.origin.kind == TABLE:
        import polars as pl

        frame = pl.read_ipc(folder / TABLE_FILE)
        return Read(source, frame=frame, notes=found.notes, key=key)
    arrays = {Path(name).stem: np.load(folder / name, mmap_mode="r") for name in found.files}
    return Read(source, arrays=arrays, notes=found.notes, key=key)


def _files_of(path: Path) -> list[Path]:
    """The files that make up the data: one, or the .npy files of a folder or beside x.npy."""
    if path.is_dir():
        paths = sorted(path.glob("*.npy"))
        if not paths:
            raise DataError(f"the folder {path} has no .npy files, expected x.npy and y.npy")
        return paths
    if path.suffix == ".npy":
        name = path.stem
        partner = path.with_name({"x": "y", "X": "y"}.get(name[:1], "") + name[1:] + ".npy")
        if name[:1] not in ("x", "X") or not partner.is_file():
            raise DataError(f"{path.name} is one array; put targets beside it: x.npy and y.npy")
        return [path, partner]
    return [path]


def _key(paths: list[Path], form: str, header: bool | None) -> str:
    digest = hashlib.sha256(f"{_VERSION} {form} {header if form == CSV else None}".encode())
    for path in paths:
        digest.update(path.name.encode() if len(paths) > 1 else b"")
        for chunk in chunks_of(path):
            digest.update(chunk)
    return f"{KEY_PREFIX}{digest.hexdigest()[:_KEY_DIGITS]}"
