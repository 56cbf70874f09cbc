"""The tables of `queue.db`, and how a database of an older version becomes one of this version.

Step n turns version n into version n + 1, as in a sweep's own database; a step that has been
released never changes.
"""

import os
import sqlite3
from pathlib import Path

from sweep.errors import DataError, PlatformError
from sweep.store.connection import connect_to_write, transaction

_VERSION_1 = """
CREATE TABLE job (
    job INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, sweep TEXT NOT NULL,
    space TEXT, space_sha256 TEXT, options TEXT NOT NULL, device TEXT NOT NULL,
    priority INTEGER NOT NULL, preempt INTEGER NOT NULL, held INTEGER NOT NULL,
    state TEXT NOT NULL, reason TEXT, created_at REAL NOT NULL, created_by TEXT NOT NULL,
    started_at REAL, ended_at REAL, worked_seconds REAL NOT NULL DEFAULT 0, estimated_seconds REAL,
    pid INTEGER, place TEXT, kind_of_place TEXT, mark INTEGER, epochs INTEGER NOT NULL DEFAULT 0,
    kills INTEGER NOT NULL DEFAULT 0, not_before REAL NOT NULL DEFAULT 0,
    passed INTEGER NOT NULL DEFAULT 0, wanted TEXT, wanted_at REAL,
    exit_code INTEGER, error TEXT, version INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX job_of_state ON job (state);
CREATE INDEX job_of_sweep ON job (sweep);
CREATE TABLE token (
    token INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, sha256 TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL, created_at REAL NOT NULL, expires_at REAL, used_at REAL
);
CREATE TABLE session (
    sha256 TEXT PRIMARY KEY, token INTEGER NOT NULL REFERENCES token ON DELETE CASCADE,
    created_at REAL NOT NULL, expires_at REAL NOT NULL
);
CREATE TABLE answer (
    key TEXT NOT NULL, who TEXT NOT NULL, path TEXT NOT NULL, body_sha256 TEXT NOT NULL,
    at REAL NOT NULL, status INTEGER, location TEXT, body TEXT, PRIMARY KEY (key, who, path)
);
CREATE TABLE audit (
    entry INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, who TEXT NOT NULL,
    origin TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT
);
CREATE TABLE space (
    sha256 TEXT PRIMARY KEY, name TEXT NOT NULL, uploaded_at REAL NOT NULL,
    uploaded_by TEXT NOT NULL, approved_at REAL, approved_by TEXT
);
CREATE TABLE note (
    sweep TEXT NOT NULL, trial INTEGER NOT NULL DEFAULT -1, text TEXT NOT NULL, tags TEXT NOT NULL,
    at REAL NOT NULL, who TEXT NOT NULL, PRIMARY KEY (sweep, trial)
);
CREATE TABLE plan (
    plan INTEGER PRIMARY KEY AUTOINCREMENT, space TEXT NOT NULL, space_sha256 TEXT NOT NULL,
    settings TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL, seconds REAL, result TEXT,
    error TEXT, exit_code INTEGER, created_at REAL NOT NULL
);
CREATE INDEX plan_of_key ON plan (key);
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE delivery (
    delivery INTEGER PRIMARY KEY AUTOINCREMENT, job INTEGER NOT NULL REFERENCES job,
    body TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, not_before REAL NOT NULL,
    done_at REAL, error TEXT
);
"""

STEPS = (_VERSION_1,)
"""SQL that makes version 1 of nothing, version 2 of version 1, and so on."""


def open_queue(path: Path) -> sqlite3.Connection:
    """Return a connection to the queue's database, made if need be, in this version's schema.

    May be used by several threads, one at a time. Raises PlatformError when it cannot be written,
    DataError when it is no queue or a newer program's.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # for its owner alone
        db = connect_to_write(path, several_threads=True)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            with transaction(db):
                _upgrade(path, db)
        except BaseException:
            db.close()
            raise
    except (OSError, sqlite3.OperationalError) as error:
        raise PlatformError(
            f"cannot use {path} ({error}); make room or permission there, or choose another "
            "folder with --results"
        ) from error
    except sqlite3.DatabaseError as error:
        raise DataError(
            f"{path} is no queue of sweep or is damaged ({error}); put it aside: a new one is made"
        ) from error
    return db


def _upgrade(path: Path, db: sqlite3.Connection) -> None:
    (found,) = db.execute("PRAGMA user_version").fetchone()
    if found > len(STEPS):
        raise DataError(
            f"{path} has schema version {found}, this program reads up to {len(STEPS)}: "
            "use the version of sweep that wrote it"
        )
    for step in STEPS[found:]:
        for statement in step.split(";"):
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {len(STEPS)}")
