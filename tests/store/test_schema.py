"""Databases of every released version are read as they lie, and migrated by whoever writes them."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sweep.analysis.frames.load import load
from sweep.errors import DataError
from sweep.store import SCHEMA_VERSION, Store
from sweep.store.schema import version
from tests.support.sweeps import sweep_row

FIXTURES = Path(__file__).parents[1] / "fixtures"
RELEASED = sorted(FIXTURES.glob("schema-*.sql"))


def write(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(script)
    return path


def ask(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(query).fetchall()


@pytest.fixture(params=RELEASED, ids=lambda path: path.stem)
def released(request, tmp_path):
    return write(tmp_path / "sweep.db", request.param.read_text())


def test_every_version_before_this_one_has_a_fixture():
    assert [path.stem for path in RELEASED] == [f"schema-{n}" for n in range(1, SCHEMA_VERSION)]


def test_reading_an_older_database_does_not_write_it(released):
    before = hashlib.sha256(released.read_bytes()).hexdigest()
    with Store(released, read_only=True) as store:
        trials = load(store).trials
    assert list(trials["trial"][:3]) == [4, 1, 10]
    assert trials["val_score"][0] == 0.6820556342515246
    assert hashlib.sha256(released.read_bytes()).hexdigest() == before
    assert ask(released, "PRAGMA user_version")[0][0] < SCHEMA_VERSION


def test_writing_to_an_older_database_migrates_it_and_keeps_every_row(released, tmp_path):
    tables = ("trial", "assignment", "epoch")
    with Store(released, read_only=True) as store:
        read = [store.table(name) for name in tables]
    old = {name: ask(released, f"SELECT * FROM {name}") for name in (*tables, "sweep")}
    with Store(released) as store:
        assert [store.table(name) for name in tables] == read
    for name, rows in old.items():
        kept = ask(released, f"SELECT * FROM {name}")
        assert [row[: len(rows[0])] for row in kept] == rows
    Store.create(tmp_path / "new.db", sweep_row()).close()
    schema = "SELECT name, sql FROM sqlite_schema ORDER BY name"
    assert [row[0] for row in ask(released, schema)] == [
        row[0] for row in ask(tmp_path / "new.db", schema)
    ]


def test_a_migration_that_breaks_leaves_the_database_as_it_was(released, monkeypatch):
    from sweep.store import schema

    before = ask(released, "SELECT name FROM sqlite_schema")
    broken = (*schema.STEPS[:-1], schema.STEPS[-1] + "; CREATE TABLE trial (again)")
    monkeypatch.setattr(schema, "STEPS", broken)
    with pytest.raises(Exception, match="already exists"):
        Store(released)
    assert ask(released, "SELECT name FROM sqlite_schema") == before
    assert ask(released, "PRAGMA user_version")[0][0] < SCHEMA_VERSION


@pytest.mark.parametrize("read_only", [True, False])
def test_a_newer_database_is_refused_in_one_line(tmp_path, read_only):
    path = write(tmp_path / "sweep.db", f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(DataError, match=f"schema version {SCHEMA_VERSION + 1}.*reads up to"):
        Store(path, read_only=read_only)


@pytest.mark.parametrize("read_only", [True, False])
def test_what_is_no_sweep_is_refused_and_left_alone(tmp_path, read_only):
    path = write(tmp_path / "sweep.db", "CREATE TABLE other (x)")
    with pytest.raises(DataError, match="not a sweep's database"):
        Store(path, read_only=read_only)
    path.write_bytes(b"SQLite? not at all" * 100)
    with pytest.raises(DataError, match="not a sweep's database or is damaged"):
        Store(path, read_only=read_only)
    assert path.read_bytes().startswith(b"SQLite? not")


def test_a_new_database_is_of_this_version(tmp_path):
    with Store.create(tmp_path / "sweep.db", sweep_row()) as store:
        assert version(store._db) == SCHEMA_VERSION
    assert [path.name for path in tmp_path.glob("*.new*")] == []
