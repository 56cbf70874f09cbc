"""The database's tables, and how a database of an older version becomes one of this version.

Step n turns version n into version n + 1; version 0 is an empty file. A new database takes all
steps, so it cannot differ from a migrated one. **A step that has been released never changes**:
what is added later is a step of its own, and a database written by each released version is
kept in `tests/fixtures/`.
"""

import sqlite3
from contextlib import closing
from functools import cache
from typing import NamedTuple

_VERSION_1 = """
CREATE TABLE sweep (
    name TEXT NOT NULL, identity TEXT NOT NULL, created_at REAL NOT NULL,
    settings TEXT NOT NULL, space TEXT NOT NULL, data TEXT NOT NULL, versions TEXT NOT NULL,
    plan TEXT NOT NULL, oracle TEXT NOT NULL, wave INTEGER NOT NULL,
    state TEXT NOT NULL, message TEXT, active_seconds REAL NOT NULL DEFAULT 0
);
CREATE TABLE trial (
    trial INTEGER PRIMARY KEY, baseline TEXT, iteration INTEGER, bracket INTEGER,
    seed INTEGER NOT NULL, hyperparameters TEXT NOT NULL, params INTEGER
);
CREATE TABLE assignment (
    assignment INTEGER PRIMARY KEY, trial INTEGER NOT NULL REFERENCES trial,
    wave INTEGER NOT NULL, rung INTEGER NOT NULL,
    first_epoch INTEGER NOT NULL, last_epoch INTEGER NOT NULL,
    oracle_id TEXT UNIQUE, root_id TEXT,
    status TEXT NOT NULL DEFAULT 'pending', epochs INTEGER NOT NULL DEFAULT 0,
    score REAL, seconds REAL, trainer TEXT, error TEXT, traceback TEXT, ended_at REAL
);
CREATE INDEX assignment_of_trial ON assignment (trial);
CREATE INDEX assignment_status ON assignment (status);
CREATE TABLE epoch (
    trial INTEGER NOT NULL REFERENCES trial, epoch INTEGER NOT NULL,
    fit_loss REAL, fit_bce REAL, train_bce REAL, val_bce REAL, val_loss REAL,
    val_accuracy REAL, val_auc REAL, learning_rate REAL, seconds REAL,
    PRIMARY KEY (trial, epoch)
) WITHOUT ROWID;
CREATE TABLE checkpoint (
    trial INTEGER PRIMARY KEY REFERENCES trial, file TEXT NOT NULL, epoch INTEGER NOT NULL
);
"""

_VERSION_2 = """
CREATE INDEX assignment_of_wave ON assignment (wave);
CREATE TABLE losses (
    trial INTEGER PRIMARY KEY REFERENCES trial, epoch INTEGER NOT NULL, losses BLOB NOT NULL
);
ALTER TABLE trial ADD COLUMN confirms INTEGER REFERENCES trial;
ALTER TABLE trial ADD COLUMN seed_number INTEGER;
CREATE TABLE reference (
    name TEXT PRIMARY KEY, val_bce REAL NOT NULL, val_bce_se REAL, losses BLOB NOT NULL,
    seconds REAL NOT NULL
);
CREATE TABLE opening (
    opening INTEGER PRIMARY KEY, opened_at REAL NOT NULL,
    trial INTEGER NOT NULL REFERENCES trial, rule TEXT NOT NULL, val_bce REAL NOT NULL,
    rows INTEGER NOT NULL, sha256 TEXT NOT NULL,
    bce REAL, bce_low REAL, bce_high REAL, accuracy REAL, accuracy_low REAL, accuracy_high REAL,
    auc REAL, auc_low REAL, auc_high REAL
);
"""

_VERSION_3 = """
ALTER TABLE epoch RENAME COLUMN fit_bce TO fit_score;
ALTER TABLE epoch RENAME COLUMN train_bce TO train_score;
ALTER TABLE epoch RENAME COLUMN val_bce TO val_score;
ALTER TABLE epoch ADD COLUMN metrics TEXT;
ALTER TABLE reference RENAME COLUMN val_bce TO val_score;
ALTER TABLE reference RENAME COLUMN val_bce_se TO val_score_se;
ALTER TABLE opening RENAME COLUMN val_bce TO val_score;
ALTER TABLE opening RENAME COLUMN bce TO score;
ALTER TABLE opening RENAME COLUMN bce_low TO score_low;
ALTER TABLE opening RENAME COLUMN bce_high TO score_high;
ALTER TABLE opening ADD COLUMN measures TEXT;
ALTER TABLE sweep ADD COLUMN scoring TEXT NOT NULL DEFAULT '{}';
ALTER TABLE trial ADD COLUMN regularisation TEXT;
CREATE TABLE event (
    event INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL,
    trial INTEGER, assignment INTEGER, epoch INTEGER
);
CREATE TABLE worker (
    worker INTEGER PRIMARY KEY, host TEXT NOT NULL, process INTEGER NOT NULL, device TEXT NOT NULL,
    joined_at REAL NOT NULL, left_at REAL, why TEXT, probe TEXT
);
ALTER TABLE assignment ADD COLUMN worker INTEGER;
"""

_VERSION_4 = """
CREATE TABLE fold (
    trial INTEGER NOT NULL REFERENCES trial, epoch INTEGER NOT NULL, scores BLOB NOT NULL,
    PRIMARY KEY (trial, epoch)
) WITHOUT ROWID;
"""

_VERSION_5 = """
CREATE TABLE training (
    trial INTEGER NOT NULL REFERENCES trial, epoch INTEGER NOT NULL, metrics TEXT NOT NULL,
    PRIMARY KEY (trial, epoch)
) WITHOUT ROWID;
"""

STEPS = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5)
"""SQL that makes version 1 of nothing, version 2 of version 1, and so on."""

SCHEMA_VERSION = len(STEPS)


class DatabaseColumn(NamedTuple):
    """A column as a table declares it."""

    name: str
    kind: str
    """INTEGER, REAL, TEXT or BLOB."""
    is_not_null: bool
    key: int
    """Place in the primary key, from 1; 0 outside of it."""


def version(db: sqlite3.Connection) -> int:
    """The schema version of a database; 0 when it is not a sweep's."""
    (found,) = db.execute("PRAGMA user_version").fetchone()
    return int(found)


@cache
def tables() -> dict[str, list[DatabaseColumn]]:
    """Return the columns of each table in this program's schema version."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        upgrade(db)
        rows = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        return {name: columns_of(db, name) for (name,) in rows}


@cache
def statements() -> dict[str, str]:
    """Return the statement that makes each table in this program's schema version."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        upgrade(db)
        return statements_in(db)


def statements_in(db: sqlite3.Connection) -> dict[str, str]:
    """Return the statement that has made each table of a database, or what a forger wrote there."""
    return dict(db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").fetchall())


def columns_of(db: sqlite3.Connection, table: str) -> list[DatabaseColumn]:
    """Return a table's columns; none if there is no such table."""
    rows = db.execute(f"PRAGMA table_info({table})").fetchall()
    return [
        DatabaseColumn(name, kind, bool(not_null), key) for _, name, kind, not_null, _, key in rows
    ]


def column_types(table: str) -> dict[str, str]:
    """Return what SQLite's `typeof` may say of each column's values: "'integer', 'null'"."""
    return {
        column.name: f"'{column.kind.lower()}'"
        + ("" if column.is_not_null or column.key else ", 'null'")
        for column in tables()[table]
    }


def upgrade(db: sqlite3.Connection) -> None:
    """Take the steps that are missing. The caller has begun a transaction."""
    for step in STEPS[version(db) :]:
        for statement in step.split(";"):  # executescript would commit first
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
