"""sweep rm and sweep gc: what goes, what stays, and that links lead nowhere."""

import json

import pytest

from tests.support import warm
from tests.support.sweeps import hyperband, sweep_row


@pytest.fixture
def results(tmp_path):
    for name in ("one", "two"):
        (tmp_path / "results" / name / "checkpoints").mkdir(parents=True)
        row = {"name": name, "settings": {**sweep_row().settings.to_json(), "keep": 3}}
        with hyperband(tmp_path / "results" / name / "sweep.db", **row) as store:
            store._db.executemany(
                "INSERT INTO checkpoint VALUES (?, ?, 1)",
                [(s.trial, f"trial-{s.trial:05d}.npz") for s in store.standings()],
            )
            for file in store.checkpoint_files():
                (tmp_path / "results" / name / "checkpoints" / file).write_bytes(b"x" * 1000)
    return tmp_path / "results"


def files(results, name="one"):
    return {path.name for path in (results / name / "checkpoints").iterdir()}


def test_gc_frees_what_it_said_it_would_and_then_nothing(results, tmp_path):
    (results / "one" / "checkpoints" / "trial-left.tmp").write_bytes(b"x" * 500)
    before = files(results)
    said = warm.run(tmp_path, "gc", "one", "--dry-run").stdout
    assert files(results) == before
    assert said.endswith(" could be freed\n")
    done = warm.run(tmp_path, "gc").stdout
    assert said.splitlines()[0] in done
    assert len(files(results)) < len(before)
    assert "trial-left.tmp" not in files(results)
    assert warm.run(tmp_path, "gc").stdout.endswith("0 bytes freed\n")
    report = json.loads(warm.run(tmp_path, "report", "one", "-o", "json", "--no-charts").stdout)
    best = [trial["trial"] for trial in report["trials"][:3]]
    assert {f"trial-{trial:05d}.npz" for trial in best} <= files(results)


def test_rm_asks_and_removes_that_sweep_only(results, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("here")
    (results / "one" / "charts").symlink_to(outside)
    said = warm.run(tmp_path, "rm", "one", code=2).stderr
    assert "--yes" in said
    assert (results / "one" / "sweep.db").exists()
    warm.run(tmp_path, "rm", "one", "--yes")
    assert [path.name for path in results.iterdir()] == ["two"]
    assert (outside / "precious").read_text() == "here"
    (results / "linked").symlink_to(results / "two")
    assert "is a link" in warm.run(tmp_path, "rm", "linked", "--yes", code=2).stderr
    assert (results / "two" / "sweep.db").exists()


def test_rm_and_gc_leave_a_sweep_alone_at_which_a_process_works(results, tmp_path):
    from sweep.sweep_folder import SweepFolder

    before = files(results)
    with SweepFolder(results, "one").locked():
        assert "is being worked on" in warm.run(tmp_path, "rm", "one", "--yes", code=9).stderr
        assert "one is left as it is" in warm.run(tmp_path, "gc").stderr
    assert files(results) == before


@pytest.mark.parametrize("name", ["../one", "/etc", "..", "x" * 300, "🙂", "a\0b", "-"])
def test_names_that_lead_elsewhere_name_no_sweep(results, tmp_path, name):
    warm.run(tmp_path, "rm", "--yes", "--", name, code=3)
    assert (results / "one" / "sweep.db").exists()
