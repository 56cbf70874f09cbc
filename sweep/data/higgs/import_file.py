"""Brings a local .csv or .csv.gz in HIGGS format into the cache."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from sweep.data.cache.cache import HIGGS_KEY, Cache, Dataset
from sweep.data.cache.manifest import Manifest, Origin
from sweep.data.higgs.gunzip import decompressed
from sweep.data.higgs.plain_text import plain_lines
from sweep.data.higgs.rows import parse_rows
from sweep.errors import DataError

_CHUNK_BYTES = 1 << 20
_KEY_DIGITS = 32


def import_higgs(cache: Cache, path: Path) -> Manifest:
    """Make the rows of a file the cached HIGGS data, in place of those that were there.

    Raises DataError when it cannot be read or is not in HIGGS format.
    """
    origin = Origin("higgs", f"HIGGS (imported: {_stem(path)})", str(path.absolute()))
    return cache.store(HIGGS_KEY, origin, parse_rows(_text(path, None), path.name))


def open_file(cache: Cache, path: Path) -> tuple[str, Dataset]:
    """Return the key and the arrays of a file's rows; the file is parsed at the first use only.

    The key follows from the file's bytes, not from its name. Raises DataError when the file
    cannot be read, is not in HIGGS format, or changes while it is read.
    """
    digest = hashlib.sha256()
    for chunk in _chunks(path):
        digest.update(chunk)
    key = _key(digest.hexdigest())
    try:
        dataset = cache.open(key)
    except DataError:  # damaged; the file is at hand
        dataset = None
    if dataset is None:
        dataset = _import(cache, path, key)
    return key, dataset


def _import(cache: Cache, path: Path, key: str) -> Dataset:
    origin = Origin("file", path.name, str(path.absolute()))
    digest = hashlib.sha256()
    cache.store(key, origin, parse_rows(_text(path, digest), path.name))
    dataset = cache.open(key)
    if dataset is None or _key(digest.hexdigest()) != key:
        cache.remove(key)
        raise DataError(f"{path} changed while it was read; try again when it is complete")
    return dataset


def _text(path: Path, digest: "hashlib._Hash | None") -> Iterator[bytes]:
    def chunks() -> Iterator[bytes]:
        for chunk in _chunks(path):
            if digest is not None:
                digest.update(chunk)
            yield chunk

    return plain_lines(decompressed(chunks(), path.name), path.name)


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def _key(sha256: str) -> str:
    return f"file-{sha256[:_KEY_DIGITS]}"


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".csv")
