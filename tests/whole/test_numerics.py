"""Whole processes: the same numbers on other cores, and a refusal where they would be others."""

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support import tiny, warm
from tests.support.programs import PROGRAMS, open_programs

WIDE = """
from search_spaces.capacity import mlp

SEARCH = False
BASELINES = {"Narrow": {"width": 24}, "Loop": {"width": 256}, "Wide": {"width": 512}}


def build(hp):
    return mlp(hp.Choice("width", [24, 256, 512]), 2, 1e-4, 0.2, 500)
"""
ROWS = ("--data", "builtin", "--train-rows", "1000", "--validation-rows", "500")
SHORT = ("--test-rows", "50", "--max-epochs", "2", "--trainer", "fused")
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "NPROC")
"""Set in every process that has started Keras."""


def on_these(programs: Path, cores: set[int]) -> None:
    """These cores are all there are, from before TensorFlow computes; programs are kept there."""
    os.sched_setaffinity(0, cores)
    for name in THREADS:
        os.environ.pop(name, None)
    open_programs(programs)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_a_sweep_begun_on_two_cores_goes_on_to_the_same_numbers_on_one(tmp_path):
    place = tiny.make_place(tmp_path, WIDE)
    two = set(sorted(os.sched_getaffinity(0))[:2])
    on_two = {"before": on_these, "given": (PROGRAMS / "of-two-cores", two)}
    on_one = {"before": on_these, "given": (PROGRAMS / "of-one-core", {min(two)})}
    warm.run(place, "start", "tiny.py", "--name", "whole", *ROWS, *SHORT, **on_two)
    begun = ("--name", "parts", "--max-time", "0.001s")
    warm.run(place, "start", "tiny.py", *begun, *ROWS, *SHORT, code=8, **on_two)
    warm.run(place, "resume", "parts", **on_one)
    assert tiny.differences(tiny.contents(place, "whole"), tiny.contents(place, "parts")) == []


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """A place with a sweep `s` of which one trial is trained."""
    place = tiny.make_place(tmp_path_factory.mktemp("left"))
    warm.run(place, *tiny.start("s", "fused", "--max-trials", "1"), code=8)
    return place


@pytest.fixture
def begun(left, tmp_path):
    """A copy of that place."""
    return shutil.copytree(left, tmp_path / "begun")


def rewrite(place: Path, column: str, change) -> None:
    """Have the sweep say that it began under others."""
    with closing(sqlite3.connect(place / "results" / "s" / "sweep.db")) as db:
        values = json.loads(db.execute(f"SELECT {column} FROM sweep").fetchone()[0])
        change(values)
        db.execute(f"UPDATE sweep SET {column} = ?", (json.dumps(values),))
        db.commit()


def test_another_processor_is_refused_by_name_or_accepted_and_said(begun):
    rewrite(begun, "settings", lambda values: values["numerics"].update(processor="a Cray"))
    said = warm.run(begun, "resume", "s", code=6).stderr
    assert "processor a Cray → " in said and "--other-numerics" in said
    assert "Traceback" not in said
    assert "a Cray" in warm.run(begun, "resume", "s", "--other-numerics").stderr
    assert "also trained under others: processor a Cray" in warm.run(begun, "report", "s").stdout
    found = json.loads(warm.run(begun, "report", "s", "-o", "json", "--no-charts").stdout)
    assert "a Cray" in found["sweep"]["settings"]["numerics"]["accepted"][0]
    warm.run(begun, "confirm", "s", "--top", "1", "--seeds", "2")  # accepted once and for all
    warm.run(begun, "extend", "s", "--add-brackets", "1")
    rewrite(begun, "versions", lambda versions: versions.update(numpy="0.1"))
    for words in ("test s", "extend s --add-brackets 1", "confirm s --seeds 3"):
        assert "numpy 0.1 → " in warm.run(begun, *words.split(), code=6).stderr
    exported = warm.run(begun, "export", "s", "model.keras")  # nothing is trained for it
    assert "warning: numbers may differ in their last digits: numpy 0.1" in exported.stderr


def test_a_slight_difference_and_a_sweep_of_an_older_version_are_warned_of(begun):
    rewrite(begun, "versions", lambda versions: versions.update({"keras-sweep": "0.0.1"}))
    said = warm.run(begun, "resume", "s", "--max-trials", "2", code=8).stderr
    assert "warning: numbers may differ in their last digits: keras-sweep 0.0.1" in said
    rewrite(begun, "settings", lambda values: values.pop("numerics"))
    rewrite(begun, "versions", lambda versions: versions.update(numpy="0.1"))
    assert "numpy 0.1 → " in warm.run(begun, "resume", "s").stderr


def without_home() -> None:
    """As in a container whose user no file knows."""
    import pwd

    def nobody(number: int) -> None:
        raise KeyError(number)

    pwd.getpwuid = nobody  # type: ignore[assignment]
    for name in ("HOME", "XDG_CACHE_HOME", "SWEEP_CACHE"):
        os.environ.pop(name, None)


def test_without_a_home_commands_work_or_say_so_in_a_line(begun):
    warm.run(begun, "ls", before=without_home)
    warm.run(begun, "report", "s", "--no-charts", before=without_home)
    warm.run(begun, "resume", "s", "--cache", "cache", before=without_home)
    words = [*tiny.start("t", "fused"), "--data", "builtin"]
    said = warm.run(begun, *words, before=without_home, code=6)
    assert said.stderr.strip() == (
        "error: there is no home folder to keep data in; set HOME, or choose a folder with --cache"
    )


def no_memory() -> None:
    from sweep.data import split

    def full(*given: object, **options: object) -> None:
        raise MemoryError

    split.load_split = full  # type: ignore[assignment]


def test_too_little_memory_is_said_in_a_line(begun):
    said = warm.run(begun, "resume", "s", before=no_memory, code=6).stderr.strip()
    assert said.startswith("error: there is too little memory") and "\n" not in said
