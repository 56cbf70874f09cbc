"""Opens a sweep's database, for writing or for reading only, in this program's schema version."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from sweep.errors import DataError, NotFoundError, PlatformError, SweepError
from sweep.store.schema import (
    SCHEMA_VERSION,
    columns_of,
    statements,
    statements_in,
    tables,
    upgrade,
    version,
)

_BUSY_SECONDS = 10


def open_database(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Return a connection to an existing database.

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
            if version(db) != SCHEMA_VERSION:
                if read_only:
                    copy = _copy_in_memory(db)
                    db.close()
                    db = copy
                with transaction(db):
                    upgrade(db)
            _check_tables(path, db)
        except BaseException:
            db.close()
            raise
    except sqlite3.Error as error:
        raise explained(error, path) from error
    except UnicodeDecodeError as error:  # a column's name with bytes that are no text
        raise DataError(f"{path} is damaged: {error}; restore it from a copy") from error
    return db


def explained(error: sqlite3.Error, path: Path) -> SweepError:
    """Return SQLite's error as one line: the machine is at fault, or the database is damaged."""
    name = path.parent.name
    if isinstance(error, sqlite3.OperationalError) and not _is_of_contents(error):
        return PlatformError(
            f"cannot use {path}: {error}; see that there is room and permission, "
            f"then continue with: sweep resume {name}"
        )
    return DataError(
        f"{path} is not a sweep's database or is damaged ({error}); restore it from a copy"
    )


def _is_of_contents(error: sqlite3.OperationalError) -> bool:
    """Return whether what is stored is at fault: a sum beyond 64 bits, a text that is no UTF-8."""
    return "integer overflow" in str(error) or str(error).startswith("Could not decode")


def connect_to_write(path: Path, *, several_threads: bool = False) -> sqlite3.Connection:
    """Return a connection whose commits are on the disk when they return. Raises sqlite3.Error.

    If `several_threads`, threads may use it that see to it that only one does at a time.
    """
    db = _configured(
        sqlite3.connect(
            path,
            isolation_level=None,
            timeout=_BUSY_SECONDS,
            check_same_thread=not several_threads,
        )
    )
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Hold the write lock inside, and commit all that is done there, or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextmanager
def part(db: sqlite3.Connection) -> Iterator[None]:
    """Hold the write lock, and keep all that is done inside, or nothing, for a later COMMIT."""
    if not db.in_transaction:
        db.execute("BEGIN IMMEDIATE")
    db.execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK TO part")
            db.execute("RELEASE part")
        raise
    db.execute("RELEASE part")


def _connect_to_read(path: Path) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_BUSY_SECONDS)
    try:
        version(db)
    except sqlite3.OperationalError:
        db.close()
        # a folder that cannot be written has no room for WAL's index, and no writer either
        if path.with_name(f"{path.name}-wal").exists():
            return _copy_with_log(path)
        db = sqlite3.connect(f"{uri}&immutable=1", uri=True, isolation_level=None)
    return _configured(db)


def _copy_with_log(path: Path) -> sqlite3.Connection:
    """Copy a database that a killed process left on read-only media, with its log."""
    with tempfile.TemporaryDirectory() as folder:
        for name in (path.name, f"{path.name}-wal"):
            shutil.copyfile(path.with_name(name), Path(folder) / name)
        with closing(sqlite3.connect(Path(folder) / path.name)) as db:
            return _copy_in_memory(db)


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


def _check_tables(path: Path, db: sqlite3.Connection) -> None:
    """Raise DataError unless all tables are as this program makes them."""
    if statements_in(db) == statements():  # one quick query, where all is as it should be
        return
    for name, columns in tables().items():
        if columns_of(db, name) != columns:
            raise DataError(
                f"{path} is damaged: it has no table {name} as sweep makes it; "
                "restore it from a copy"
            )
