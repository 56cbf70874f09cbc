"""Opens a sweep's database, for writing or for reading only, in this program's schema version."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sweep.errors import DataError, NotFoundError, PlatformError
from sweep.store.schema import SCHEMA_VERSION, upgrade, version

_BUSY_SECONDS = 10


def open_database(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """A connection to an existing database.

    An older schema is migrated: in the file when writing; when reading in a copy in memory, so
    that a sweep on read-only media or one at which an older program is at work can be read.
    Raises NotFoundError when there is no file, DataError when it is damaged or newer than this
    program, PlatformError when it cannot be opened or written.
    """
    if not path.is_file():
        raise NotFoundError(f"{path} does not exist: no sweep is stored there")
    try:
        db = _connect_to_read(path) if read_only else connect_to_write(path)
        try:
            _check(path, version(db))
            if version(db) == SCHEMA_VERSION:
                return db
            if read_only:
                copy = _copy_in_memory(db)
                db.close()
                db = copy
            with transaction(db):
                upgrade(db)
        except BaseException:
            db.close()
            raise
    except sqlite3.OperationalError as error:
        raise PlatformError(f"cannot {'read' if read_only else 'write'} {path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise DataError(f"{path} is not a sweep's database or is damaged ({error})") from error
    return db


def connect_to_write(path: Path) -> sqlite3.Connection:
    """A connection whose commits are on the disk when they return. Raises sqlite3.Error."""
    db = _configured(sqlite3.connect(path, isolation_level=None, timeout=_BUSY_SECONDS))
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, with the write lock from the start."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _connect_to_read(path: Path) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_BUSY_SECONDS)
    try:
        version(db)
    except sqlite3.OperationalError:
        db.close()
        if path.with_name(f"{path.name}-wal").exists():
            raise
        # a folder that cannot be written has no room for WAL's index, and no writer either
        db = sqlite3.connect(f"{uri}&immutable=1", uri=True, isolation_level=None)
    return _configured(db)


def _configured(db: sqlite3.Connection) -> sqlite3.Connection:
    db.row_factory = sqlite3.Row
    return db


def _copy_in_memory(db: sqlite3.Connection) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", isolation_level=None)
    db.backup(copy)
    return _configured(copy)


def _check(path: Path, found: int) -> None:
    if found == 0:
        raise DataError(f"{path} is not a sweep's database")
    if found > SCHEMA_VERSION:
        raise DataError(
            f"{path} has schema version {found}, this program reads up to {SCHEMA_VERSION}: "
            "use the version of sweep that wrote it"
        )
