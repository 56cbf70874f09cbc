"""A results folder received from someone else is safe to look at, whatever is in it."""

import json
import os
import re
import sqlite3
import unicodedata
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from sweep.cli.app import app
from sweep.doctor.integrity import check_sweep
from sweep.errors import SweepError
from sweep.records import OutcomeStatus
from sweep.sweep_folder import SweepFolder
from tests.support import tiny, warm
from tests.support.examples import examples
from tests.support.sweeps import store_sweep, trained

EVIL = [
    "\x1b]0;owned\x07\x1b[31mred",
    "\u202egnp.exe",
    "<script>alert(1)</script>",
    "$\\frac{$",
    '=cmd|"/c calc"!A1',
    "a\r\nb\0c",
    "[x](javascript:1)",
]


def make_sweep(root, name="evil", **changes: Any):
    """A sweep in whose every string something nasty stands."""
    folder = root / "results" / name
    folder.mkdir(parents=True)
    trials = [
        trained(
            0.7, 0.6 - i / 100, baseline=text, params=10 + i, hyperparameters={text: text, "w": 2}
        )
        for i, text in enumerate(EVIL)
    ]
    failed = trained(ended=OutcomeStatus.FAILED, error="".join(EVIL), hyperparameters={"w": "=1"})
    everywhere = "".join(EVIL)
    plan = {"trials": 9, "assignments": 9, "epochs": 20, "baselines": 0, "baseline_epochs": 0}
    given_row = {
        "name": everywhere,
        "message": everywhere,
        "space": {"name": everywhere, "hyperparameters": EVIL},
        "data": {"source": everywhere},
        "plan": {**plan, "rungs": []},
        "versions": {},
        **changes,
    }
    store_sweep(folder / "sweep.db", [*trials, failed], **given_row).close()
    return folder


def invoke(root, *arguments: str) -> Any:
    """A command in this process; a SweepError is what `main` prints in one line."""
    results = [] if arguments[0] == "data" else ["--results", str(root / "results")]
    done = CliRunner().invoke(app, [*arguments, *results])
    error = done.exception
    if error is not None and not isinstance(error, SweepError | SystemExit):
        raise error
    return done


def assert_harmless(text: str) -> None:
    steering = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")}
    assert steering <= {"\n"}


@pytest.fixture
def no_network(monkeypatch):
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("connected"))


@pytest.mark.parametrize(
    "command",
    [
        *(["ls"], ["status"], ["report"], ["show", "0"], ["show", "7"], ["compare", "0", "1"]),
        *(["report", "--no-charts", "-o", o] for o in ("csv", "md")),
    ],
    ids=" ".join,
)
def test_no_string_steers_the_terminal_or_the_reader(tmp_path, command, no_network):
    make_sweep(tmp_path)
    done = invoke(tmp_path, *command)
    assert done.exit_code == 0
    assert_harmless(done.stdout)
    assert_harmless(done.stderr)
    if "csv" in command:
        assert not re.search(r'(^|,)"?\s*[=+@]', done.stdout, re.MULTILINE)
    if "md" in command:
        assert "<script" not in done.stdout.replace("\\<script", "")
        assert not re.search(r"(?<!\\)\]\(", done.stdout)


def test_json_holds_the_strings_as_they_are_and_escapes_what_steers(tmp_path):
    make_sweep(tmp_path)
    done = invoke(tmp_path, "report", "--no-charts", "-o", "json")
    assert_harmless(done.stdout)
    names = json.loads(done.stdout)["sweep"]["space"]["hyperparameters"]
    assert names == EVIL


def test_charts_are_drawn_with_names_as_they_are(tmp_path):
    folder = make_sweep(tmp_path)
    assert invoke(tmp_path, "report").exit_code == 0
    drawn = sorted(path.name for path in (folder / "charts").iterdir())
    assert "frontier.png" in drawn
    for path in (folder / "charts").glob("*.svg"):
        assert "<script" not in path.read_text()


def test_the_page_shows_names_as_text(tmp_path):
    make_sweep(tmp_path)
    page = tmp_path / "page.html"
    assert invoke(tmp_path, "report", "--no-charts", "--html", str(page)).exit_code == 0
    found = page.read_text()
    assert "<script>alert(1)" not in found
    assert "&lt;script&gt;alert(1)" in found
    assert_harmless(found.replace("\t", ""))


LINKS = ["lock", "charts", "tensorboard", "charts/frontier.png", "tensorboard/.writing"]


@pytest.mark.parametrize("name", LINKS)
def test_links_lead_nothing_out_of_the_folder(tmp_path, name):
    folder = make_sweep(tmp_path)
    outside = tmp_path / "outside"
    if name in ("charts", "tensorboard"):
        outside.mkdir()
    else:
        outside.write_text("precious")
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).symlink_to(outside)
    invoke(tmp_path, "report", "--tensorboard")
    invoke(tmp_path, "gc")
    assert list(outside.iterdir()) == [] if outside.is_dir() else outside.read_text() == "precious"


@pytest.mark.parametrize("link", ["checkpoints", "sweep.db"])
def test_gc_and_ls_follow_no_link(tmp_path, link):
    folder = make_sweep(tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "trial-00000-epoch-000001.npz").write_text("precious")
    if link == "checkpoints":
        (folder / link).symlink_to(outside)
    else:
        (folder / link).rename(outside / link)
        (folder / link).symlink_to(outside / link)
    before = sorted(path.name for path in outside.iterdir())
    invoke(tmp_path, "gc")
    invoke(tmp_path, "ls")
    assert sorted(path.name for path in outside.iterdir()) == before


@pytest.mark.parametrize("name", ["../../precious", "/etc/passwd", "..", ".", "a/b", "a\0b", ""])
def test_checkpoints_with_names_that_lead_elsewhere_are_not_touched(tmp_path, name):
    folder = make_sweep(tmp_path, settings={"max_epochs": 81, "keep": 0})
    (tmp_path / "precious").write_text("here")
    with closing(sqlite3.connect(folder / "sweep.db")) as db, db:
        db.executemany(
            "INSERT INTO checkpoint VALUES (?, ?, 2)", [(n, name) for n in range(len(EVIL) + 1)]
        )
    assert invoke(tmp_path, "gc", "evil").exit_code != 0
    assert (tmp_path / "precious").exists()


def test_code_in_a_results_folder_is_not_run(tmp_path):
    place = tiny.make_place(tmp_path)
    folder = make_sweep(tmp_path, state="interrupted")
    (folder / "space.py").write_text(f"open({str(place / 'ran')!r}, 'w')")
    path = str(folder / "space.py")
    with closing(sqlite3.connect(folder / "sweep.db")) as db, db:
        db.execute("UPDATE sweep SET space = ?", (json.dumps({"name": "x", "path": path}),))
    for command in (["resume", "evil"], ["export", "evil", "0", "x.keras", "--retrain"]):
        assert "nothing is run" in warm.run(place, *command, code=4).stderr
    assert not (place / "ran").exists()


def test_a_pipe_in_place_of_a_file_hangs_nothing(tmp_path):
    folder = make_sweep(tmp_path)
    os.mkfifo(folder / "lock")
    assert invoke(tmp_path, "status").exit_code == 0
    other = tmp_path / "results" / "pipe"
    other.mkdir()
    os.mkfifo(other / "sweep.db")
    assert "pipe" not in invoke(tmp_path, "ls").stdout


# Forged databases

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["max_epochs", "name", "source", "assignments", "x"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
cells = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([0, 1, -1, 2**62, 1e308, -1e308, float("inf"), 0.0, "", "text", b"\xff", "{}"]),
    st.text(max_size=10),
    st.binary(max_size=10),
    json_values.map(json.dumps),
    st.just("[" * 5_000),
)
places = st.sampled_from(
    [
        ("sweep", column)
        for column in ("name", "settings", "space", "data", "plan", "state", "message",
                       "created_at", "active_seconds", "wave", "versions", "oracle")
    ]
    + [("trial", column) for column in ("trial", "baseline", "hyperparameters", "params", "seed")]
    + [("assignment", column) for column in ("rung", "last_epoch", "status", "score", "epochs")]
    + [("epoch", column) for column in ("epoch", "val_score", "train_score", "seconds")]
    + [("opening", column) for column in ("opened_at", "rule", "val_score", "score", "rows")]
    + [("checkpoint", "file"), ("losses", "losses"), ("losses", "epoch")]
)  # fmt: skip


@pytest.fixture(scope="module")
def forged(tmp_path_factory):
    root = tmp_path_factory.mktemp("forged")
    folder = make_sweep(root)
    with closing(sqlite3.connect(folder / "sweep.db")) as db, db:
        db.execute("INSERT INTO checkpoint VALUES (0, 'trial-0.npz', 1)")
        db.execute(
            "INSERT INTO opening (opened_at, trial, rule, val_score, rows, sha256)"
            " VALUES (1, 0, 'best', 0.5, 9, 'aa')"
        )
        db.execute("INSERT INTO losses VALUES (0, 1, ?)", (b"\0" * 8,))
    for left in folder.glob("sweep.db-*"):
        left.unlink()
    (folder / "sweep.db").rename(root / "sound.db")
    return root


LOOKS = [
    ["report", "--no-charts"],
    ["report", "--charts"],
    *(["report", "--no-charts", "-o", form] for form in ("json", "csv", "md")),
    ["report", "--no-charts", "--html", "{root}/page.html"],
    ["report", "-o", "parquet", "--folder", "{root}/parquet"],
    ["show", "evil", "0"],
    ["compare", "evil", "0", "1"],
    ["confirm", "evil"],
    ["test", "evil"],
]


@given(changes=st.lists(st.tuples(places, cells), min_size=1, max_size=3), look=st.integers(0))
@settings(
    max_examples=examples(90),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
def test_a_forged_database_ends_in_one_line(forged, changes, look):
    """Every command that reads; in `look`'s turn those that take long."""
    root, sound = forged, (forged / "sound.db").read_bytes()
    path = root / "results" / "evil" / "sweep.db"
    for left in path.parent.glob("sweep.db*"):
        left.unlink()
    path.write_bytes(sound)
    with closing(sqlite3.connect(path)) as db, db:
        for (table, column), value in changes:
            try:
                db.execute(f"UPDATE {table} SET {column} = ?", (value,))
            except (sqlite3.IntegrityError, UnicodeEncodeError):
                return
    looks = (LOOKS[look % len(LOOKS)], LOOKS[look // len(LOOKS) % len(LOOKS)])
    for command in (["ls"], ["status"], *looks, ["gc", "--dry-run"]):
        done = invoke(root, *(part.format(root=root) for part in command))
        assert_harmless(done.stdout)
        assert_harmless(done.stderr)
    check_sweep(SweepFolder(root / "results", "evil"))


@given(where=st.integers(0, 2**16), junk=st.binary(min_size=1, max_size=64), cut=st.booleans())
@settings(max_examples=examples(40), deadline=None, derandomize=True)
def test_a_database_with_bytes_overwritten_ends_in_one_line(forged, where, junk, cut):
    root, sound = forged, (forged / "sound.db").read_bytes()
    path = root / "results" / "evil" / "sweep.db"
    for left in path.parent.glob("sweep.db*"):
        left.unlink()
    where %= len(sound)
    path.write_bytes(sound[:where] + junk + (b"" if cut else sound[where + len(junk) :]))
    for command in (["ls"], ["status"], ["report", "--no-charts"], ["gc", "--dry-run"]):
        invoke(root, *command)
    check_sweep(SweepFolder(root / "results", "evil"))
