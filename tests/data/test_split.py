"""Splits: which rows, from which data, and what stays sealed."""

import json
import os
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from sweep.data import simulation as simulation_package
from sweep.data.cache.cache import Cache
from sweep.data.higgs.import_file import import_higgs
from sweep.data.ranges import row_ranges
from sweep.data.simulation import cached
from sweep.data.split import Rows, Split, load_split, load_test_rows
from sweep.data.split_record import SplitRecord
from sweep.errors import DataError, PlatformError
from sweep.store.parsing import record
from tests.support.higgs_rows import random_rows, write_file

SMALL = {"train_rows": 50, "validation_rows": 20}


@pytest.fixture
def cache_dir(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def simulator(monkeypatch, tmp_path):
    """Stands in for the simulator, which takes seconds; says how many rows were asked of it."""
    module = types.ModuleType("sweep.data.simulation.events")
    source = tmp_path / "simulate.py"
    source.write_text("version 1")
    module.__file__, module.SOURCE_NAME = str(source), "built-in simulated events"
    module.asked = []

    def simulate_events(n_rows, seed=0):
        module.asked.append((n_rows, seed))
        x, y = random_rows(1000, seed=seed)
        return x[:n_rows], y[:n_rows]

    module.simulate_events = simulate_events
    monkeypatch.setitem(sys.modules, "sweep.data.simulation.events", module)
    monkeypatch.setattr(simulation_package, "events", module, raising=False)
    monkeypatch.setattr(cached, "DEFAULT_ROWS", 100)
    return module


@pytest.mark.parametrize(
    ("rows", "options", "validation", "train", "test"),
    [
        (21_000, {}, (0, 1000), (1000, 11_000), (11_000, 21_000)),
        (50_000, {}, (0, 1000), (1000, 11_000), (11_000, 21_000)),
        (15_000, {}, (0, 1000), (1000, 11_000), (11_000, 15_000)),
        (11_000, {}, (0, 1000), (1000, 11_000), (11_000, 11_000)),
        (10_000, {"train_rows": 9000}, (0, 1000), (1000, 10_000), (10_000, 10_000)),
        (10_000, {"train_rows": 8000, "test_rows": 500}, (0, 1000), (1000, 9000), (9000, 9500)),
        (11_000_000, {}, (0, 1000), (1000, 11_000), (10_500_000, 11_000_000)),
        (11_000_000, {"test_rows": 7}, (0, 1000), (1000, 11_000), (10_999_993, 11_000_000)),
        (
            11_000_000,
            {"train_rows": 10_899_000},
            (0, 1000),
            (1000, 10_900_000),
            (10_900_000, 11_000_000),
        ),
    ],
)
def test_ranges(rows, options, validation, train, test):
    ranges = row_ranges(rows, source="f", **options)
    assert (ranges.validation, ranges.train, ranges.test) == (validation, train, test)


@pytest.mark.parametrize(
    ("rows", "options", "expected"),
    [
        (10_000, {}, "f has 10,000 rows, 11,000 are needed (1,000 validation + 10,000 training); "),
        (10_000, {}, "lower --train-rows to 9000 or less"),
        (20_000, {"test_rows": 10_000}, "+ 10,000 test); lower --train-rows to 9000 or less"),
        (500, {}, "lower --validation-rows, --train-rows"),
        (10, {"train_rows": 0}, "--train-rows is 0, expected at least 1"),
        (10, {"validation_rows": -1}, "--validation-rows is -1"),
        (10, {"test_rows": -1}, "--test-rows is -1, expected at least 0"),
    ],
)
def test_too_few_rows_are_refused_saying_what_to_lower(rows, options, expected):
    with pytest.raises(DataError) as caught:
        row_ranges(rows, source="f", **options)
    assert expected in str(caught.value)


def test_a_file_is_split_in_file_order(tmp_path, cache_dir):
    path = write_file(tmp_path / "mine.csv.gz", 100)
    x, y = random_rows(100)
    split = load_split(str(path), **SMALL, cache_dir=cache_dir)
    np.testing.assert_array_equal(split.validation.x, x[:20])
    np.testing.assert_array_equal(split.train.x, x[20:70])
    np.testing.assert_array_equal(split.train.y, y[20:70])
    assert split.train.y.shape == (50,) and split.train.y.dtype == np.float32
    assert split.train.x.shape == (50, 28) and split.train.x.dtype == np.float32
    assert split.source == "mine.csv.gz"
    assert not hasattr(split, "test")


def test_the_manifest_says_what_a_report_needs(tmp_path, cache_dir):
    path = write_file(tmp_path / "mine.csv", 100)
    split = load_split(str(path), **SMALL, cache_dir=cache_dir)
    manifest = json.loads(json.dumps(split.manifest.to_json()))
    assert record(SplitRecord, "data", manifest) == split.manifest
    assert manifest["kind"] == "file"
    assert manifest["rows"] == 100
    assert manifest["row_ranges"] == {"validation": [0, 20], "train": [20, 70], "test": [70, 100]}
    assert sum(manifest["class_balance"]["train"].values()) == 50
    assert len(manifest["sha256"]["validation"]["x"]) == 64
    assert str(tmp_path) not in json.dumps(manifest)


def test_a_second_use_parses_nothing(tmp_path, cache_dir, monkeypatch):
    path = write_file(tmp_path / "mine.csv.gz", 100)
    first = load_split(str(path), **SMALL, cache_dir=cache_dir)
    monkeypatch.setattr("sweep.data.higgs.import_file.parse_rows", None)
    again = load_split(str(path.rename(tmp_path / "other.gz")), **SMALL, cache_dir=cache_dir)
    assert again.fingerprint == first.fingerprint


def test_a_damaged_copy_of_a_file_is_made_again(tmp_path, cache_dir):
    path = write_file(tmp_path / "mine.csv", 100)
    first = load_split(str(path), **SMALL, cache_dir=cache_dir)
    for array in cache_dir.glob("file-*/x.npy"):
        array.write_bytes(b"")
    again = load_split(str(path), **SMALL, cache_dir=cache_dir)
    assert again.fingerprint == first.fingerprint


def test_a_file_does_not_replace_higgs(tmp_path, cache_dir):
    import_higgs(Cache(cache_dir), write_file(tmp_path / "real.csv.gz", 80, seed=3))
    load_split(str(write_file(tmp_path / "mine.csv", 100)), **SMALL, cache_dir=cache_dir)
    split = load_split("auto", **SMALL, cache_dir=cache_dir)
    assert split.source == "HIGGS (imported: real)"
    assert split.manifest.kind == "higgs"
    np.testing.assert_array_equal(split.validation.x, random_rows(80, seed=3)[0][:20])


def test_a_file_that_changes_while_read_is_refused(tmp_path, cache_dir, monkeypatch):
    path = write_file(tmp_path / "mine.csv", 100)
    real = cached.Cache.store

    def change_and_store(self, key, origin, blocks):
        write_file(path, 100, seed=9)
        return real(self, key, origin, blocks)

    monkeypatch.setattr(Cache, "store", change_and_store)
    with pytest.raises(DataError, match="changed while it was read"):
        load_split(str(path), **SMALL, cache_dir=cache_dir)
    assert Cache(cache_dir).keys() == []
    assert not list(cache_dir.glob("file-*"))


@pytest.mark.parametrize("name", ["missing.csv", "hiigs"])
def test_data_that_do_not_exist(cache_dir, name):
    with pytest.raises(DataError, match=f"no data '{name}': expected auto, builtin, higgs or a f"):
        load_split(name, cache_dir=cache_dir)


def test_a_folder_is_no_file(tmp_path, cache_dir):
    with pytest.raises(DataError, match=r"has no \.npy files"):
        load_split(str(tmp_path), cache_dir=cache_dir)


def test_no_higgs_says_how_to_get_it(cache_dir):
    with pytest.raises(DataError, match="sweep data fetch, or sweep data import FILE"):
        load_split("higgs", cache_dir=cache_dir)


def test_damaged_higgs_is_refused_by_auto_too(tmp_path, cache_dir, simulator):
    import_higgs(Cache(cache_dir), write_file(tmp_path / "real.csv.gz", 80))
    for array in cache_dir.glob("higgs.*/x.npy"):
        array.write_bytes(b"")
    with pytest.raises(DataError, match="is damaged"):
        load_split("auto", **SMALL, cache_dir=cache_dir)


def test_auto_without_higgs_is_builtin(cache_dir, simulator):
    split = load_split("auto", **SMALL, test_rows=10, cache_dir=cache_dir)
    assert split.source == "built-in simulated events"
    assert split.manifest.kind == "builtin" and split.manifest.seed == 0
    np.testing.assert_array_equal(split.train.x, random_rows(1000, seed=0)[0][20:70])


def test_builtin_events_are_simulated_once(cache_dir, simulator):
    first = load_split("builtin", **SMALL, test_rows=10, cache_dir=cache_dir)
    again = load_split("builtin", **SMALL, test_rows=30, cache_dir=cache_dir)
    assert simulator.asked == [(100, 0)]
    assert first.fingerprint == again.fingerprint


def test_more_builtin_rows_are_simulated_when_wanted(cache_dir, simulator):
    first = load_split("builtin", **SMALL, test_rows=10, cache_dir=cache_dir)
    load_split("builtin", train_rows=200, validation_rows=20, test_rows=10, cache_dir=cache_dir)
    again = load_split("builtin", **SMALL, test_rows=10, cache_dir=cache_dir)
    assert simulator.asked == [(100, 0), (230, 0)]
    assert first.fingerprint == again.fingerprint


def test_damaged_builtin_events_are_simulated_again(cache_dir, simulator):
    load_split("builtin", **SMALL, test_rows=10, cache_dir=cache_dir)
    for array in cache_dir.glob("builtin-*/x.npy"):
        array.write_bytes(b"")
    load_split("builtin", **SMALL, test_rows=10, cache_dir=cache_dir)
    assert len(simulator.asked) == 2


def test_another_simulator_simulates_again(cache_dir, simulator):
    load_split("builtin", **SMALL, test_rows=10, cache_dir=cache_dir)
    Path(simulator.__file__).write_text("version 2")
    load_split("builtin", **SMALL, test_rows=10, cache_dir=cache_dir)
    assert len(simulator.asked) == 2


def test_builtin_events_need_no_cache(simulator, tmp_path):
    (tmp_path / "file").write_text("")
    nowhere = tmp_path / "file" / "cache"
    split = load_split("builtin", **SMALL, test_rows=10, cache_dir=nowhere)
    assert len(split.train.x) == 50
    assert len(load_test_rows(split.manifest, nowhere).x) == 10


def test_the_fingerprint_is_of_the_numbers_only(tmp_path, cache_dir):
    path = write_file(tmp_path / "mine.csv", 100)
    split = load_split(str(path), **SMALL, cache_dir=cache_dir)
    imported = import_higgs(Cache(tmp_path / "other"), path)
    higgs = load_split("higgs", **SMALL, test_rows=5, cache_dir=tmp_path / "other")
    assert imported.origin.source != split.source
    assert split.fingerprint == higgs.fingerprint
    changed = Rows(split.train.x.copy(), split.train.y)
    changed.x[3, 3] = np.nextafter(changed.x[3, 3], np.float32(9))
    assert Split(changed, split.validation, "", SplitRecord()).fingerprint != split.fingerprint
    fewer = load_split(str(path), train_rows=49, validation_rows=20, cache_dir=cache_dir)
    assert fewer.fingerprint != split.fingerprint


def test_test_rows_are_those_behind_the_training_rows(tmp_path, cache_dir):
    path = write_file(tmp_path / "mine.csv", 100)
    split = load_split(str(path), **SMALL, test_rows=25, cache_dir=cache_dir)
    rows = load_test_rows(split.manifest, cache_dir)
    np.testing.assert_array_equal(rows.x, random_rows(100)[0][70:95])
    assert rows.y.shape == (25,)


def test_test_rows_of_other_data_are_refused(tmp_path, cache_dir):
    cache = Cache(cache_dir)
    import_higgs(cache, write_file(tmp_path / "a.csv", 100))
    manifest = load_split("higgs", **SMALL, cache_dir=cache_dir).manifest
    import_higgs(cache, write_file(tmp_path / "b.csv", 100, seed=2))
    with pytest.raises(DataError, match="has changed since"):
        load_test_rows(manifest, cache_dir)
    cache.remove("higgs")
    with pytest.raises(DataError, match="is not in the cache"):
        load_test_rows(manifest, cache_dir)


def test_a_full_disk_while_importing_is_a_platform_error(tmp_path, cache_dir, monkeypatch):
    path = write_file(tmp_path / "mine.csv", 100)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PlatformError, match="no space left"):
        load_split(str(path), **SMALL, cache_dir=cache_dir)
    assert {path.name for path in cache_dir.iterdir()} == {".lock"}


def test_the_real_simulator_makes_rows_that_do_not_depend_on_their_number():
    simulate = pytest.importorskip("sweep.data.simulation.events")
    x, y = simulate.simulate_events(40)
    fewer_x, fewer_y = simulate.simulate_events(30)
    assert x.shape == (40, 28) and x.dtype == np.float32 and y.dtype == np.uint8
    np.testing.assert_array_equal(x[:30], fewer_x)
    np.testing.assert_array_equal(y[:30], fewer_y)


@pytest.mark.skipif(
    "SWEEP_TEST_HIGGS" not in os.environ,
    reason="SWEEP_TEST_HIGGS names no file with real HIGGS rows",
)
def test_real_rows_have_the_tutorials_look(cache_dir):
    split = load_split(os.environ["SWEEP_TEST_HIGGS"], train_rows=5000, cache_dir=cache_dir)
    assert split.train.x.mean() == pytest.approx(0.57, abs=0.1)
    assert split.train.y.mean() == pytest.approx(0.53, abs=0.03)
