"""Whatever is forged in a database, a reader gives typed values or one line that says where."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sweep.analysis.frames.load import load
from sweep.data.split_record import SplitRecord
from sweep.errors import DataError
from sweep.records import Outcome, OutcomeStatus, PlanRecord, SweepState
from sweep.settings import Settings
from sweep.space.record import SpaceRecord
from sweep.store import NewTrial, Reader, Reference, Store
from sweep.store.columns import COLUMNS
from sweep.store.schema import tables
from tests.support.examples import THOROUGH, examples
from tests.support.sweeps import DATA, record, rows_of_losses, store_sweep, sweep_row, trained

SPACE = {
    "name": "wide",
    "path": "/spaces/wide.py",
    "sha256": "c0ffee",
    "sources": {"wide.py": "WIDE = '\udcff'"},
    "hyperparameters": ["width", "depth", "l2"],
    "definitions": [
        {"name": "width", "kind": "Int", "min_value": 1, "max_value": 9, "step": None,
         "sampling": "log"},
        {"name": "depth", "kind": "Choice", "values": [1, 2.5, "x", True]},
    ],
    "baselines": {"Tiny": {"width": 1, "l2": 0.5}},
    "git": {"commit": "abc", "dirty": True},
}  # fmt: skip
FULL_DATA = {
    **DATA,
    "seed": 0,
    "rows": 21_000,
    "sha256": {part: {"x": "a", "y": "b"} for part in ("train", "validation")},
    "class_balance": {part: {"signal": 1, "background": 2} for part in ("train", "validation")},
    "cache_key": "builtin-0",
    "fingerprint": "ff",
}
PLAN = {"trials": 5, "assignments": 6, "epochs": 9, "baselines": 1, "confirmations": 1,
        "baseline_epochs": 2, "rungs": [[0, 1, 0, 3, 0, 1], [0, 1, 1, 1, 1, 3]]}  # fmt: skip
SETTINGS = {**sweep_row().settings.to_json(), "stages": [{"max_epochs": 81, "brackets": 5}]}
DESCRIBED = {"settings": SETTINGS, "space": SPACE, "data": FULL_DATA, "plan": PLAN}

READS: dict[str, Callable[[Store], object]] = {
    **{
        name: getattr(Store, name)
        for name in ("sweep", "n_trials", "first_wave_size", "last_assignment", "pending", "ended",
                     "proposals", "confirmed_seeds", "checkpoint_files", "standings", "progress",
                     "n_failures", "lowest", "failures", "losses", "references", "openings",
                     "problems")
    },
    "first_searched": lambda store: store.first_searched(3),
    "beside_search_below": lambda store: store.beside_search_below(99),
    "stored_after": lambda store: store.stored_after(1),
    "trial_of": lambda store: store.trial_of("00001"),
    "checkpoint": lambda store: store.checkpoint(1),
    "exportable": lambda store: store.exportable(1),
    **{name: lambda store, n=name: store.table(n) for name in ("trial", "assignment", "epoch")},
    "load": load,
}  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> bytes:
    """A database with something in every table."""
    path = tmp_path_factory.mktemp("sound") / "sweep.db"
    rows = rows_of_losses(0.6, 0.58, 0.61, rows=40)
    trials = [
        trained(0.7, 0.6, baseline="Tiny", losses=rows[0]),
        trained(0.66, 0.58, 0.59, losses=rows[1], params=900),
        trained(0.61, losses=rows[2], params=90),
        trained(ended=OutcomeStatus.FAILED, error="ValueError: no"),
        trained(0.69, ended=None, last_epoch=3),
    ]
    with store_sweep(path, trials, state="interrupted", **DESCRIBED) as store:
        new = NewTrial(None, None, None, 9, {"width": 1}, confirms=1, seed_number=1)
        store.add_confirmations([new], 2)
        repeat = store.pending()[-1]
        records = [record(1, 0.65), record(2, 0.6)]
        done = Outcome(OutcomeStatus.COMPLETED, 2, 900, 1.0)
        store.finish(repeat, done, records, "keras", "trial-5.npz", 2)
        store.save_progress(repeat, "trial-1.npz", 2, [])
        kept = rows[0].astype(np.float32)
        store.set_references([Reference("no skill", 0.69, 0.01, kept, 1.0)])
        opening = store.open_test(1, "best", 0.58, 40, "aa")
        store.fill_test(opening)
    return path.read_bytes()


def write(folder: Path, content: bytes) -> Path:
    for left in folder.glob("sweep.db*"):
        left.unlink()
    path = folder / "sweep.db"
    path.write_bytes(content)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("forged")


def assert_typed_or_refused(path: Path) -> None:
    with Store(path, read_only=True) as store:
        for name, read in READS.items():
            try:
                read(store)
            except DataError as error:
                assert "\n" not in str(error), name


def test_what_is_sound_is_read(sound, folder):
    path = write(folder, sound)
    for read in READS.values():
        with Store(path, read_only=True) as store:
            read(store)


def test_records_are_written_as_they_were_read(sound, folder):
    with Reader(write(folder, sound)) as reader:
        row = reader.sweep()
    assert isinstance(row.settings, Settings) and isinstance(row.space, SpaceRecord)
    assert isinstance(row.data, SplitRecord) and isinstance(row.plan, PlanRecord)
    assert row.state is SweepState.INTERRUPTED
    assert row.space.sources == SPACE["sources"]
    for name, value in json.loads(json.dumps(DESCRIBED)).items():  # lists, not tuples
        written = json.loads(row.to_columns()[name])
        assert written == value
        if name != "data":  # the fixture's keys come in another order
            assert list(written) == list(value)


def test_keys_of_later_versions_are_ignored(tmp_path):
    later = {name: {**value, "later": [1]} for name, value in DESCRIBED.items()}
    assert sweep_row(**later) == sweep_row(**DESCRIBED)


cells = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from(
        [0, 1, -1, 7, 99, 2**62, 2**63 - 1, 1e308, -1e308, 1e39, float("inf"), float("-inf"), 0.5,
         "", "text", "1", b"\xff", "{}", "[]", "null", "pending", "failed", "running", "x\ny"]
    ),
    st.floats(),
    st.text(max_size=10),
    st.binary(max_size=8),
)  # fmt: skip
places = st.sampled_from([(name, c.name) for name, columns in tables().items() for c in columns])
rows_forged = st.sampled_from(["", " WHERE rowid = 2", " WHERE rowid = 1"])

FEW = settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)


def forge(path: Path, statement: str, *values: object) -> bool:
    """Whether SQLite let us."""
    with closing(sqlite3.connect(path)) as db, db:
        try:
            db.execute(statement, values)
        except (sqlite3.Error, UnicodeEncodeError):
            return False
    return True


@given(changes=st.lists(st.tuples(places, cells, rows_forged), min_size=1, max_size=2))
@FEW
def test_forged_columns_are_read_as_typed_values_or_refused(sound, folder, changes):
    path = write(folder, sound)
    for (table, column), value, where in changes:
        if not where or table != "epoch":
            forge(path, f"UPDATE {table} SET {column} = ?{where}", value)
    assert_typed_or_refused(path)


ABSURD = (-1, 2**63 - 1, float("inf"), b"\xff")


@pytest.mark.parametrize("number", range(len(ABSURD)), ids=[str(value) for value in ABSURD])
def test_every_column_takes_no_absurd_value(sound, folder, number):
    """Each takes two of the four, in turn, unless all are asked for."""
    every = [(table, column.name) for table, columns in tables().items() for column in columns]
    for place, (table, column) in enumerate(every):
        if not THOROUGH and (place + number) % 2:
            continue
        path = write(folder, sound)
        if forge(path, f"UPDATE {table} SET {column} = ?", ABSURD[number]):
            assert_typed_or_refused(path)


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) else inner
    return [path] * bool(path) + [p for key, one in inner for p in paths_of(one, (*path, key))]


FIELDS = [(name, path) for name, value in DESCRIBED.items() for path in paths_of(value)]
ODD = [None, True, -1, 2**63, 10**30, 1e308, float("nan"), float("inf"), "", "x\ny" * 99, [], {},
       [[]], {"x": 1}, 1.5]  # fmt: skip


@pytest.mark.parametrize(("column", "path"), FIELDS, ids=str)
def test_forged_fields_of_a_sweeps_description_are_refused_by_name(sound, folder, column, path):
    file = write(folder, sound)
    for odd in ODD:
        whole = json.loads(json.dumps(DESCRIBED[column]))
        at = whole
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = odd
        assert forge(file, f"UPDATE sweep SET {column} = ?", json.dumps(whole))
        try:
            with Store(file, read_only=True) as store:
                store.sweep()
                load(store)
        except DataError as error:
            assert f"{column}" in str(error) and "\n" not in str(error)
            assert len(str(error)) < 500


@pytest.mark.parametrize("text", ["", "[", "[]", "1", "null", '"x"', "[" * 9_999, "9" * 9_999])
def test_a_json_column_that_is_no_object_is_refused_by_name(sound, folder, text):
    for column in (*DESCRIBED, "versions", "oracle"):
        path = write(folder, sound)
        forge(path, f"UPDATE sweep SET {column} = ?", text)
        with Reader(path) as reader, pytest.raises(DataError, match=column):
            reader.sweep()


def test_a_table_of_another_make_is_refused(sound, folder):
    path = write(folder, sound)
    assert forge(path, "ALTER TABLE trial ADD COLUMN epochs INTEGER")
    with pytest.raises(DataError, match="no table trial as sweep makes it"):
        Reader(path)


def test_records_of_trials_that_there_are_not_are_refused(sound, folder):
    for table in ("assignment", "epoch", "losses"):
        path = write(folder, sound)
        assert forge(path, f"UPDATE {table} SET trial = 77 WHERE trial = 0")
        with Store(path, read_only=True) as store, pytest.raises(DataError, match=table):
            load(store)


def test_every_column_has_a_type_and_a_range():
    described = {*DESCRIBED, "versions", "oracle"}
    assert {c.name for columns in tables().values() for c in columns} == {*COLUMNS, *described}
