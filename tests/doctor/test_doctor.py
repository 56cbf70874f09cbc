"""The doctor finds what was broken on purpose, and nothing in a sound sweep."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sweep.cli.commands import doctor
from sweep.doctor import machine
from sweep.doctor.finding import Level, ok
from sweep.doctor.integrity import check_sweep
from sweep.doctor.machine import check_machine
from sweep.store import Store
from sweep.sweep_folder import SweepFolder
from tests.support import warm
from tests.support.cut_off import assert_nothing_tried, cut_off, may_cut_off
from tests.support.sweeps import sweep_row

WITHOUT_TENSORFLOW = "raise ImportError('no')"


@pytest.fixture
def folder(tiny_place: Path, tmp_path: Path) -> SweepFolder:
    """A sweep that ran to its end, to break."""
    shutil.copytree(tiny_place / "results/whole", tmp_path / "s")
    return SweepFolder(tmp_path, "s")


def sql(*statements: str) -> Callable[[SweepFolder], None]:
    def change(folder: SweepFolder) -> None:
        with closing(sqlite3.connect(folder.database)) as db, db:
            for statement in statements:
                assert db.execute(statement).rowcount != 0

    return change


def truncate(folder: SweepFolder) -> None:
    path = min(folder.checkpoints.iterdir())
    path.write_bytes(path.read_bytes()[:1000])


def swap(folder: SweepFolder) -> None:
    one, other, *_ = sorted(folder.checkpoints.iterdir())
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


def spoil_a_page(folder: SweepFolder) -> None:
    with folder.database.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)


def test_a_sound_sweep_is_sound(folder):
    findings = check_sweep(folder)
    assert [finding.level for finding in findings] == [Level.OK] * 4
    texts = " ".join(finding.text for finding in findings)
    assert "7 assignments, as planned" in texts and "each of its trial" in texts


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (sql("DELETE FROM epoch WHERE trial = 0 AND epoch = 1"), "trial 0 has epochs 2, 3"),
        (sql("UPDATE epoch SET val_score = 0.1 WHERE trial = 1"), "its records have 0.1"),
        (sql("UPDATE assignment SET score = 0.1 WHERE assignment = 1"), "has score 0.1"),
        (sql("UPDATE assignment SET first_epoch = 1 WHERE rung = 0"), "begins after epoch 1"),
        (sql("DELETE FROM assignment WHERE assignment = 7"), "6 assignments instead of 7"),
        (sql("UPDATE assignment SET status = 'pending' WHERE rung = 1"), "has assignments to do"),
        (sql("UPDATE losses SET losses = zeroblob(length(losses))"), "have mean 0.000000"),
        (sql("UPDATE checkpoint SET epoch = 9 WHERE trial = 0"), "its row says 9"),
        (sql("UPDATE checkpoint SET trial = 999 WHERE trial = 0"), "belongs to no trial"),
        (sql("UPDATE sweep SET plan = 'x'"), "line 1 column 1"),
        (truncate, "missing or damaged"),
        (swap, "expected"),
        (spoil_a_page, "malformed"),
    ],
)  # fmt: skip
def test_what_is_broken_is_found(folder, broken, said):
    broken(folder)
    failed = [finding for finding in check_sweep(folder) if finding.level is Level.FAIL]
    assert any(said in finding.text for finding in failed), failed
    assert all(finding.exit_code == 5 and finding.remedy for finding in failed)


def test_the_checkpoints_of_a_running_sweep_are_left_alone(folder):
    with folder.locked():
        *_, last = check_sweep(folder)
    assert last.level is Level.WARN and f"sweep stop {folder.path}" in last.remedy


def test_the_machine_is_checked(tiny_place, monkeypatch):
    monkeypatch.setattr(machine, "_ASK_TENSORFLOW", WITHOUT_TENSORFLOW)
    findings = {
        finding.subject: finding for finding in check_machine(tiny_place, tiny_place / "cache")
    }
    assert findings["tensorflow"].level is Level.FAIL
    assert "ImportError: no" in findings["tensorflow"].text
    assert findings["results"].level is not Level.FAIL
    (data,) = (finding for subject, finding in findings.items() if subject.startswith("data file"))
    assert data.level is Level.OK and "320 rows" in data.text


def in_a_fork(folder: Path) -> Callable[..., subprocess.CompletedProcess]:
    """`subprocess.run` of `python -c CODE ARGUMENT`, where TensorFlow is imported already."""

    def run(command: list[Any], **_: Any) -> subprocess.CompletedProcess:
        *_, code, argument = map(str, command)
        done = warm.begin(folder, argument, before=carry_out, given=(code,))
        return subprocess.CompletedProcess(command, done.wait(), done.stdout, done.stderr)

    return run


def carry_out(code: str) -> None:
    """Instead of a command."""
    exec(code, {"__name__": "__main__"})
    sys.stdout.flush()
    os._exit(0)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        (
            "import keras\nkeras.activations.elu = lambda x: x\n",  # not the one that models have
            "which is slower: activation elu",
        ),
        (
            "from sweep.training import keras_private\ndel keras_private.rate_or_schedule\n",
            "AttributeError",
        ),
    ],
)
def test_a_keras_whose_models_are_not_fused_any_more_is_noticed(
    tmp_path, monkeypatch, changed, text
):
    asked = changed + machine._ASK_TENSORFLOW
    monkeypatch.setattr(machine, "_ASK_TENSORFLOW", asked)
    monkeypatch.setattr(machine, "subprocess", SimpleNamespace(run=in_a_fork(tmp_path)))
    findings = {one.subject: one for one in check_machine(tmp_path, tmp_path)}
    assert findings["tensorflow"].level is Level.OK
    fused = findings["fused trainer"]
    assert fused.level is Level.WARN and text in fused.text and fused.remedy


def test_damaged_data_and_a_folder_that_cannot_be_written_are_found(
    tiny_place, tmp_path, monkeypatch
):
    monkeypatch.setattr(machine, "_ASK_TENSORFLOW", WITHOUT_TENSORFLOW)
    cache = Path(shutil.copytree(tiny_place / "cache", tmp_path / "cache"))
    (array,) = cache.glob("*/x.npy")
    array.write_bytes(array.read_bytes()[:-4] + b"abcd")
    findings = list(check_machine(Path("/proc/results"), cache))
    codes = {finding.subject: finding.exit_code for finding in findings if finding.remedy}
    assert codes["results"] == 6
    assert [code for subject, code in codes.items() if subject.startswith("data file")] == [5]


def test_the_command_says_what_is_right_and_what_is_wrong_and_asks_no_network(tiny_place, folder):
    truncate(folder)
    arguments = ["doctor", "s", "-o", "json", "--results", str(folder.root)]
    before = cut_off if may_cut_off() else None
    done = warm.run(tiny_place, *arguments, code=5, before=before)
    if before is not None:
        assert_nothing_tried(tiny_place)
    checks = json.loads(done.stdout)["checks"]
    (failed,) = [check for check in checks if check["level"] == "fail"]
    assert failed["subject"] == "sweep s: checkpoints" and failed["remedy"]
    right = {check["subject"]: check for check in checks if check["level"] == "ok"}
    assert "tensorflow" in right and "trains many at once" in right["fused trainer"]["text"]
    assert not right["fused trainer"].get("remedy")


def test_a_sweep_dated_in_the_future_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "_ASK_TENSORFLOW", WITHOUT_TENSORFLOW)
    for name, at in (("later", 4e9), ("now", 1.7e9)):
        folder = SweepFolder(tmp_path, name)
        folder.create()
        Store.create(folder.database, sweep_row(name=name, created_at=at)).close()
    found = {f.subject: f for f in check_machine(tmp_path, tmp_path / "cache")}
    assert found["sweep later"].level is Level.WARN and "2096-10-02" in found["sweep later"].text
    assert "sweep now" not in found


def test_each_finding_is_printed_before_the_next_is_looked_for(folder, monkeypatch, capsys):
    printed = []

    def slow(*_):
        for subject in ("python", "a subject that is longer than most of the others"):
            yield ok(subject, "as it should be")
            printed.append(capsys.readouterr().out)

    monkeypatch.setattr(doctor, "check_machine", slow)
    monkeypatch.setattr(doctor, "check_sweep", lambda _: iter([ok("sweep s", "sound")]))
    doctor.doctor("s", results=folder.root)
    assert printed[0] == f"ok    {'python':<22}  as it should be\n"
    assert "longer than most" in printed[1]
    assert "sound" in capsys.readouterr().out
