"""The cache: whole or absent, verified at every opening, whoever else writes."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from sweep.data.cache.array_file import ArrayWriter, header
from sweep.data.cache.cache import Cache, default_cache_dir
from sweep.data.cache.manifest import Origin
from sweep.errors import DataError, PlatformError
from tests.support.higgs_rows import random_rows

ORIGIN = Origin("higgs", "HIGGS (test)", "http://example.org/HIGGS.csv.gz")


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


def blocks(n, seed=1, size=7):
    x, y = random_rows(n, seed)
    for start in range(0, n, size):
        yield x[start : start + size], y[start : start + size]


def visible(cache):
    return {path.name for path in cache.root.iterdir()} - {".lock"}


def test_what_is_stored_is_what_is_opened(cache):
    manifest = cache.store("higgs", ORIGIN, blocks(30))
    dataset = cache.open("higgs")
    x, y = random_rows(30)
    np.testing.assert_array_equal(dataset.x, x)
    np.testing.assert_array_equal(dataset.y, y)
    assert dataset.manifest == manifest
    assert not dataset.x.flags.writeable
    assert manifest.n_signal == y.sum()
    assert visible(cache) == {"higgs.json", manifest.folder}


def test_files_are_ordinary_npy(cache):
    manifest = cache.store("higgs", ORIGIN, blocks(30))
    x = np.load(cache.root / manifest.folder / "x.npy", mmap_mode="r")
    y = np.load(cache.root / manifest.folder / "y.npy", mmap_mode="r")
    assert x.shape == (30, 28) and x.dtype == np.float32
    assert y.shape == (30,) and y.dtype == np.uint8


def test_the_header_has_one_length_whatever_the_rows():
    assert len({len(header("<f4", (rows, 28))) for rows in (0, 1, 11_000_000, 10**15)}) == 1


def test_the_manifest_says_where_the_data_come_from(cache):
    manifest = cache.store("higgs", ORIGIN, blocks(30))
    values = json.loads(cache.manifest_path("higgs").read_text())
    assert values["format"] == 1
    assert values["source"] == "HIGGS (test)"
    assert values["address"] == "http://example.org/HIGGS.csv.gz"
    assert values["rows"] == 30
    assert values["row_ranges"] is None  # too few rows for the default ones
    assert values["sha256"]["x"] == manifest.sha256_x
    assert sum(values["class_balance"].values()) == 30
    assert values["created"].endswith("+00:00")


def test_nothing_cached_is_none(cache):
    assert cache.open("higgs") is None
    assert cache.keys() == []


def flip(path, offset=-3):
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


DAMAGES = {
    "a bit of x": lambda folder: flip(folder / "x.npy"),
    "a bit of y": lambda folder: flip(folder / "y.npy"),
    "the header": lambda folder: flip(folder / "x.npy", 20),
    "cut off": lambda folder: os.truncate(folder / "x.npy", 500),
    "empty": lambda folder: (folder / "y.npy").write_bytes(b""),
    "longer": lambda folder: (folder / "y.npy").open("ab").write(b"0") and None,
    "gone": lambda folder: (folder / "y.npy").unlink(),
    "a folder": lambda folder: ((folder / "y.npy").unlink(), (folder / "y.npy").mkdir()),
}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_arrays_are_refused_with_a_remedy(cache, damage):
    manifest = cache.store("higgs", ORIGIN, blocks(30))
    DAMAGES[damage](cache.root / manifest.folder)
    with pytest.raises(DataError, match=r"[xy]\.npy is damaged: .*; get it again with: sweep data"):
        cache.open("higgs")
    cache.store("higgs", ORIGIN, blocks(30))
    assert cache.open("higgs") is not None


def rewrite(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_text("{"),
        lambda path: path.write_bytes(b"\xff\0"),
        lambda path: path.write_text("[]"),
        lambda path: rewrite(path, rows="many"),
        lambda path: rewrite(path, rows=-1),
        lambda path: rewrite(path, folder="../elsewhere"),
        lambda path: rewrite(path, sha256=None),
    ],
)
def test_a_damaged_manifest_is_refused(cache, spoil):
    cache.store("higgs", ORIGIN, blocks(30))
    spoil(cache.manifest_path("higgs"))
    with pytest.raises(DataError, match=r"higgs\.json is damaged.*get it again with: sweep data"):
        cache.open("higgs")


def test_a_manifest_that_says_fewer_rows_is_refused(cache):
    cache.store("higgs", ORIGIN, blocks(30))
    rewrite(cache.manifest_path("higgs"), rows=29)
    with pytest.raises(DataError, match="is damaged"):
        cache.open("higgs")


def test_another_format_is_refused(cache):
    cache.store("higgs", ORIGIN, blocks(30))
    rewrite(cache.manifest_path("higgs"), format=99)
    with pytest.raises(DataError, match="has format 99, this version of sweep reads 1"):
        cache.open("higgs")


def test_a_failing_source_leaves_the_cache_as_it_was(cache):
    manifest = cache.store("higgs", ORIGIN, blocks(30))

    def broken():
        yield from blocks(10)
        raise DataError("row 11 is wrong")

    with pytest.raises(DataError, match="row 11"):
        cache.store("higgs", ORIGIN, broken())
    assert cache.open("higgs").manifest == manifest
    assert visible(cache) == {"higgs.json", manifest.folder}


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_cache_as_it_was(cache, monkeypatch, call):
    manifest = cache.store("higgs", ORIGIN, blocks(30))

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(
        *(("os.fsync", full) if call == "fsync" else ("pathlib.Path.replace", full))
    )
    with pytest.raises(PlatformError, match=r"no space left for .*; make room, or choose another"):
        cache.store("higgs", ORIGIN, blocks(20))
    monkeypatch.undo()
    assert cache.open("higgs").manifest == manifest
    assert visible(cache) == {"higgs.json", manifest.folder}


def test_a_really_full_file_is_a_platform_error(tmp_path):
    with (
        pytest.raises(PlatformError, match="no space left"),
        ArrayWriter(tmp_path / "link.npy", "|u1", ()) as writer,
    ):
        (tmp_path / "link.npy").unlink()
        writer._file.close()
        with Path("/dev/full").open("wb", buffering=0) as writer._file:
            writer.append(np.zeros(10, np.uint8))


def test_a_folder_that_cannot_be_made_is_a_platform_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        PlatformError, match=r"cannot write to .*choose another folder with --cache"
    ):
        Cache(tmp_path / "file" / "cache").store("higgs", ORIGIN, blocks(3))


def test_old_arrays_go_when_new_ones_come_and_other_keys_stay(cache):
    other = cache.store("file-1", ORIGIN, blocks(5))
    cache.store("higgs", ORIGIN, blocks(30))
    newer = cache.store("higgs", ORIGIN, blocks(20, seed=2))
    assert visible(cache) == {"higgs.json", newer.folder, "file-1.json", other.folder}
    assert cache.keys() == ["file-1", "higgs"]


def test_arrays_that_are_open_outlive_their_replacement(cache):
    cache.store("higgs", ORIGIN, blocks(30))
    old = cache.open("higgs")
    cache.store("higgs", ORIGIN, blocks(30, seed=2))
    np.testing.assert_array_equal(old.x, random_rows(30)[0])


def test_a_reader_that_is_overtaken_reads_the_new_arrays(cache, monkeypatch):
    stale = cache.store("higgs", ORIGIN, blocks(30))
    cache.store("higgs", ORIGIN, blocks(20, seed=2))
    answers = [stale]
    real = Cache.manifest
    monkeypatch.setattr(
        Cache, "manifest", lambda self, key: answers.pop() if answers else real(self, key)
    )
    assert cache.open("higgs").manifest.rows == 20


def test_many_writers_and_readers_at_once(cache):
    cache.store("higgs", ORIGIN, blocks(10))
    errors = []

    def work(seed):
        try:
            for _ in range(4):
                cache.store("higgs", ORIGIN, blocks(10 + seed, seed))
                rows = cache.open("higgs").manifest.rows
                assert 10 <= rows < 16
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert visible(cache) == {"higgs.json", cache.manifest("higgs").folder}


def test_a_killed_writer_leaves_nothing_that_stays(cache):
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from sweep.data.cache.cache import Cache\n"
        "from sweep.data.cache.manifest import Origin\n"
        "from tests.support.higgs_rows import random_rows\n"
        "def blocks():\n"
        "    yield random_rows(5)\n"
        "    print('writing', flush=True)\n"
        "    time.sleep(60)\n"
        "Cache(Path(sys.argv[1])).store('higgs', Origin('higgs', '', ''), blocks())\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(cache.root)], stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout.readline() == "writing\n"
        cache.store("higgs", ORIGIN, blocks(10))
        assert len(visible(cache)) == 3  # the other is at work: its folder stays
        child.send_signal(signal.SIGKILL)
    manifest = cache.store("higgs", ORIGIN, blocks(10))
    assert visible(cache) == {"higgs.json", manifest.folder}


def test_the_default_folder_is_the_platforms(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache_dir().name == "sweep"
