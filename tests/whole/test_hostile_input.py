"""Silly and hostile input from files and the command line: one line, no hang, nothing written."""

import gzip
import json
import os
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from sweep.cli.app import app
from sweep.data.cache.cache import Cache
from sweep.data.cache.manifest import Manifest, Origin, read_manifest
from sweep.data.higgs.gunzip import decompressed
from sweep.data.higgs.rows import parse_rows
from sweep.errors import DataError, InvalidSpaceError, SweepError
from sweep.settings import Budget, Settings
from sweep.store.parsing import record
from sweep.sweep_folder import SweepFolder, free_name
from tests.support.higgs_rows import as_csv, random_rows

FEW = settings(max_examples=60, deadline=None, derandomize=True)
ROWS = as_csv(*random_rows(6))


# Data files


@given(st.binary(max_size=400), st.booleans())
@example(b"\x1f\x8b", False)
@example(b"\x1f\x8b" + b"\0" * 300, False)
@example(ROWS, True)
@FEW
def test_any_bytes_are_rows_or_an_error_in_one_line(data, compressed):
    read(gzip.compress(data) if compressed else data)


@given(
    where=st.integers(0, len(ROWS) - 1), junk=st.binary(min_size=1, max_size=6), cut=st.booleans()
)
@FEW
def test_rows_with_bytes_overwritten_are_rows_or_an_error(where, junk, cut):
    read(ROWS[:where] + junk + (b"" if cut else ROWS[where + len(junk) :]))


@given(where=st.integers(0, 500), junk=st.binary(min_size=1, max_size=6))
@FEW
def test_a_damaged_gzip_stream_is_never_taken_for_other_rows(where, junk):
    sound = gzip.compress(ROWS)
    where %= len(sound)
    damaged = sound[:where] + junk + sound[where + len(junk) :]
    blocks = read(damaged)
    header = where + len(junk) <= 10  # its time stamp, name and system decide nothing
    if blocks is not None and damaged != sound and not header:
        whole = read(ROWS)
        assert whole is not None
        assert b"".join(x.tobytes() for x, _ in blocks) == b"".join(x.tobytes() for x, _ in whole)


def test_a_gzip_bomb_is_refused_without_filling_the_memory():
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = packer.compress(b"1" * (64 << 20)) + packer.flush()
    assert len(bomb) < 100_000
    with pytest.raises(DataError, match="no line ends"):
        list(parse_rows(decompressed([bomb], "bomb"), "bomb"))


def read(data: bytes) -> Any:
    try:
        return list(parse_rows(decompressed([data[:100], data[100:]], "file"), "file"))
    except DataError as error:
        assert "\n" not in str(error)
        return None


# The cache

ORIGIN = Origin("higgs", "HIGGS", "http://x")
MANIFEST = Manifest(ORIGIN, 9, 4, "a" * 64, "b" * 64, "higgs.1", "now")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(name=st.sampled_from(sorted(MANIFEST.to_json())), value=json_values)
@settings(FEW, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_forged_manifest_opens_nothing_outside_the_cache(tmp_path, name, value):
    path = tmp_path / "higgs.json"
    path.write_text(json.dumps({**MANIFEST.to_json(), name: value}))
    try:
        found = read_manifest(path, "get it again")
        assert found is not None
        assert Path(found.folder).name == found.folder
        assert Cache(tmp_path).open("higgs") is None
    except DataError as error:
        assert "\n" not in str(error)


@given(st.binary(max_size=60))
@settings(FEW, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_a_manifest_or_an_error(tmp_path, data):
    (tmp_path / "higgs.json").write_bytes(data)
    with pytest.raises(DataError):
        read_manifest(tmp_path / "higgs.json", "get it again")


@pytest.mark.parametrize("folder", ["..", "../x", "/etc", "a/b", "", "."])
def test_a_manifest_that_names_a_folder_elsewhere_is_refused(tmp_path, folder):
    (tmp_path / "higgs.json").write_text(json.dumps({**MANIFEST.to_json(), "folder": folder}))
    with pytest.raises(DataError):
        Cache(tmp_path).open("higgs")


# Settings and names

whole = st.integers(-(10**6), 10**6)


@given(whole, whole, whole, whole, st.text(max_size=9))
@FEW
def test_settings_are_sound_or_refused_by_name(max_epochs, factor, rows, keep, trainer):
    try:
        made = Settings(
            max_epochs=max_epochs, factor=factor, train_rows=rows, keep=keep, trainer=trainer
        )
    except InvalidSpaceError as error:
        assert str(error).startswith("--")
    else:
        assert record(Settings, "settings", json.loads(json.dumps(made.to_json()))) == made


@given(st.text(max_size=400))
@example("../x")
@example("/etc/passwd")
@example("x" * 300)
@example("🙂")
@example("a\0b")
@example("CON\r\n")
@FEW
def test_a_name_stays_in_its_folder_or_is_refused(name):
    root = Path("/results")
    try:
        path = SweepFolder(root, name).path
    except InvalidSpaceError as error:
        assert "cannot name a sweep" in str(error)
    else:
        assert path.parent == root and os.path.normpath(path) == str(path)
    made = SweepFolder(root, free_name(root, name))
    assert made.path.parent == root


# The command line

words = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["--top", "-o", "json", "--results", "/nonexistent", "--keep", "-1", "1e400", "NaN",
         "--yes", "--dry-run", "--max-epochs", "0", "99999999999999999999", "../..", "--", "-",
         "evil\x1b[31m", "x" * 5000, "--smooth", "--no-charts", "--target", "--max-time", "１２"]
    ),
)  # fmt: skip
light = st.sampled_from(
    ["ls", "status", "report", "rm", "gc", "stop", "resume", "export", "nothing"]
)


@given(command=light, arguments=st.lists(words, max_size=4))
@settings(FEW, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_command_line_ends_in_a_traceback_or_writes(tmp_path, monkeypatch, command, arguments):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, [command, *arguments])
    assert isinstance(done.exception, SweepError | SystemExit | None), (arguments, done.exc_info)
    assert list(tmp_path.iterdir()) == []


@given(st.text(max_size=20))
@example("1e9h")
@example("٣m")
@example("9" * 400)
@example("0")
@FEW
def test_a_length_of_time_is_read_or_refused(text):
    from sweep.cli.work import budget

    try:
        made = budget(text, None, None, 1)
    except InvalidSpaceError as error:
        assert "--max-time" in str(error)
    else:
        assert isinstance(made, Budget) and made.max_seconds is not None and made.max_seconds >= 0


# Search-space files: code that the user runs; what is not even that is refused in a line


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.py", b""),
        ("nul.py", b"\0\0\0"),
        ("latin.py", b"# \xe9\nbuild = 1\n"),
        ("deep.py", b"(" * 5000),
        ("deeper.py", b"x = " + b"-" * 100_000 + b"1"),
        ("quits.py", b"import sys\nsys.exit(0)\n"),
        ("raises.py", b"raise RuntimeError('\x1b[31m\\n two lines')\n"),
        ("loops.py", b"def f(): f()\nf()\n"),
        ("number.py", b"build = 1\n"),
        ("nothing.py", b"def build(hp): return None\n"),
        ("word.py", b"def build(hp): return 'model'\nBASELINES = {'a': {'b': 1}}\n"),
        ("text.txt", b"hello"),
    ],
)
def test_what_is_no_search_space_is_refused_in_one_line(tmp_path, keras, name, content):
    from sweep.space.find import summary
    from sweep.space.inputs import columns
    from sweep.space.load import load_space

    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidSpaceError) as caught:
        load_space(str(tmp_path / name), columns(28))
    assert "\n" not in str(caught.value)
    assert isinstance(summary(tmp_path / name), str)


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "🙂", "..", "/", "", "~", "capacity/../x"])
def test_a_name_of_no_search_space_is_refused_in_one_line(name):
    from sweep.space.find import find_space

    with pytest.raises(InvalidSpaceError):
        find_space(name)
