"""Files cached under a key: what was read of a table or of arrays, in a form that opens at once.

    <key>.json               manifest; names the folder that counts, and each file's hash
    <key>.<random>/          the files

As with the arrays of HIGGS, a folder is whole and on the disk before a manifest names it.
"""

import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from sweep.data.cache.cache import Cache
from sweep.data.cache.manifest import Origin
from sweep.disk import sync_folder, writing
from sweep.errors import DataError
from sweep.records import Json

FORMAT_VERSION = 2
KEY_PREFIX = "own-"
"""Of keys that mean a set of files; others mean arrays of HIGGS format."""
_REMEDY = "remove the file, it is made again when needed"


@dataclass(frozen=True)
class FileSet:
    """Verified files of the cache, and where they come from."""

    origin: Origin
    rows: int
    files: dict[str, str]
    """SHA-256 of each file's bytes, by the file's name."""
    notes: tuple[str, ...]
    """What was decided while the data were read, a sentence each."""
    folder: str
    """Name of the folder with the files, beside the manifest."""
    created: str
    """ISO 8601, UTC."""


@dataclass(frozen=True)
class WrittenFiles:
    """What was written into a new folder of the cache."""

    files: tuple[str, ...]
    rows: int
    notes: tuple[str, ...] = ()


def open_files(cache: Cache, key: str) -> tuple[FileSet, Path] | None:
    """Return the files under `key` and their folder, each file verified; None if there are none.

    Raises DataError, naming the file and the remedy, when one does not match the manifest.
    """
    path = cache.manifest_path(key)
    found = read_files(cache, key)
    if found is None:
        return None
    folder = cache.root / found.folder
    for name, sha256 in found.files.items():
        try:
            is_whole = sha256_of_file(folder / name) == sha256
        except OSError:
            is_whole = False
        if not is_whole:
            raise DataError(f"cached {folder / name} is damaged; remove {path}, it is made again")
    return found, folder


def is_own(key: str) -> bool:
    """Whether a key of the cache means a set of files."""
    return key.startswith(KEY_PREFIX)


def read_files(cache: Cache, key: str) -> FileSet | None:
    """Return what is known of the files under `key`. Raises DataError if it cannot be read."""
    return _read(cache.manifest_path(key))


def store_files(
    cache: Cache, key: str, origin: Origin, write: Callable[[Path], WrittenFiles]
) -> tuple[FileSet, Path]:
    """Let `write` fill a new folder, and let `key` mean it from then on.

    The cache stays as it was when `write` raises, and when the disk is full (PlatformError).
    """
    with cache.new_folder() as folder:
        written = write(folder)
        found = FileSet(
            origin=origin,
            rows=written.rows,
            files={name: sha256_of_file(folder / name) for name in written.files},
            notes=written.notes,
            folder=f"{key}.{uuid.uuid4().hex[:12]}",
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        for path in folder.iterdir():
            if path.name not in found.files:
                path.unlink()
        with writing(cache.root):
            sync_folder(folder)
            cache.publish(key, folder, found.folder, _to_json(found))
    return found, cache.root / found.folder


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _to_json(found: FileSet) -> Json:
    values = asdict(found)
    return {"format": FORMAT_VERSION, **values.pop("origin"), **values}


def _read(path: Path) -> FileSet | None:
    try:
        values = json.loads(path.read_bytes())
        if values["format"] != FORMAT_VERSION:
            raise DataError(f"{path} has another format, expected {FORMAT_VERSION}; {_REMEDY}")
        return _from_json(values)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(f"cannot read {path} ({error.strerror}); {_REMEDY}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path} is damaged: it is no manifest; {_REMEDY}") from error


def _from_json(values: Json) -> FileSet:
    found = FileSet(
        origin=Origin(str(values["kind"]), str(values["source"]), str(values["address"])),
        rows=int(values["rows"]),
        files={str(name): str(sha256) for name, sha256 in values["files"].items()},
        notes=tuple(str(note) for note in values["notes"]),
        folder=str(values["folder"]),
        created=str(values["created"]),
    )
    for name in (found.folder, *found.files):
        if name != Path(name).name or name in ("", ".", ".."):
            raise ValueError(f"{name!r} is no name of a file")
    return found
