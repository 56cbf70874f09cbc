"""A sweep with a pool, its workers and its head killed, ends as one without a pool."""

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support import tiny, warm
from tests.support.warm import WarmForks

MORE = ("--max-epochs", "9", "--patience", "0")
"""Long enough that something is left to do when somebody is killed."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny sweep run without a pool."""
    place = tiny.make_place(tmp_path_factory.mktemp("pool") / "here")
    warm.run(place, *tiny.start("plain", "auto", *MORE))
    return place


@pytest.fixture
def forks(place: Path) -> Iterator[WarmForks]:
    """Forks the head and its workers."""
    found = WarmForks(place / "forks")
    yield found
    found.close()


def begun(place: Path, forks: WarmForks, *arguments: str) -> subprocess.Popen[bytes]:
    command = [*forks.client, "-m", "tests.support.forked_pool", *arguments]
    environment = {**os.environ, "FORKS": str(forks.path), "SWEEP_CACHE": str(place / "cache")}
    with (place / "log").open("ab") as log:
        return subprocess.Popen(command, cwd=place, stdout=log, stderr=log, env=environment)


def asked(place: Path, query: str) -> list[Any]:
    path = place / "results" / "pooled" / "sweep.db"
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return db.execute(query).fetchall()


def when(place: Path, query: str, number: int) -> None:
    """Return as soon as a count has reached a number."""
    deadline = time.monotonic() + 120
    while not ((found := asked(place, query)) and found[0][0] >= number):
        assert time.monotonic() < deadline, (place / "log").read_text()
        time.sleep(0.02)


def test_workers_and_head_killed_and_resumed_without_a_pool(place, forks):
    head = begun(place, forks, *tiny.start("pooled", "auto", *MORE, "--pool", "2"))
    n_ended = "SELECT COUNT(*) FROM assignment WHERE status != 'pending'"
    when(place, n_ended, 1)
    ((worker,),) = asked(place, "SELECT process FROM worker ORDER BY worker LIMIT 1")
    os.kill(worker, signal.SIGKILL)
    when(place, "SELECT COUNT(*) FROM worker WHERE why = 'killed by SIGKILL'", 1)
    when(place, n_ended, 3)
    head.kill()
    assert head.wait() == -signal.SIGKILL, "the head was to be killed before its end"
    for (process,) in asked(place, "SELECT process FROM worker"):
        ends(process)
    warm.run(place, "resume", "pooled")
    differing = tiny.differences(tiny.contents(place, "plain"), tiny.contents(place, "pooled"))
    assert not differing


def ends(process: int) -> None:
    """Return when a process is gone."""
    for _ in range(200):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError(f"process {process} outlives its head")
