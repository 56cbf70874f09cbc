"""Models are trained, a job and the service are killed meanwhile: the same tables as unkilled."""

import os
import signal
import sqlite3
import time
from contextlib import closing

import pytest

from tests.support import service as served
from tests.support import tiny
from tests.support.warm import WarmForks

SETTINGS = {
    "data": "rows.csv", "validation_rows": 60, "train_rows": 240, "test_rows": 20,
    "batch_size": 120, "max_epochs": 2, "factor": 2, "trainer": "keras", "baselines": False,
}  # fmt: skip


@pytest.fixture
def place(memory_path):
    tiny.make_place(memory_path)
    (memory_path / "spaces").mkdir()
    (memory_path / "tiny.py").rename(memory_path / "spaces" / "tiny.py")
    return memory_path


@pytest.fixture
def trainers(place):
    """Forks services and jobs from a process that has imported TensorFlow."""
    found = WarmForks(place / "forks")
    yield found
    found.close()


def start(client, name):
    asked = {"kind": "start", "space": {"name": "tiny"}, "sweep": name, "settings": SETTINGS}
    answer = client.post("/api/v1/jobs", json=asked, headers={"Idempotency-Key": name})
    assert answer.status_code == 202, answer.text
    return answer.json()["job"]


def wait_for_epochs(client, name, n):
    """Wait until a sweep has so many epochs."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = client.get(f"/api/v1/sweeps/{name}")
        if found.status_code == 200 and found.json()["progress"]["epochs"] >= n:
            return
        time.sleep(0.02)
    raise AssertionError(f"{name} has not come to {n} epochs")


def process_of(place, job):
    with closing(sqlite3.connect(place / "results" / "queue.db")) as db:
        return db.execute("SELECT pid FROM job WHERE job = ?", (job,)).fetchone()[0]


def test_what_is_killed_comes_to_the_same_tables(place, trainers):
    options = ("--spaces", "spaces", "--data", ".", "--run-with", trainers.wrapper)
    more = {"module": "tests.support.eager_serve", "forks": trainers}
    with served.served(place, *options, **more) as one, one.client() as client:
        assert served.until(client, start(client, "whole"))["state"] == "finished"
        job = start(client, "killed")
        wait_for_epochs(client, "killed", 1)
        os.kill(process_of(place, job), signal.SIGKILL)
        wait_for_epochs(client, "killed", 4)
        one.kill()
    with served.served(place, *options, token=one.token, **more) as one, one.client() as client:
        assert served.until(client, job)["state"] == "finished"
        assert len(client.get("/api/v1/jobs").json()["items"]) == 2
    differing = tiny.differences(tiny.contents(place, "whole"), tiny.contents(place, "killed"))
    assert differing == []
