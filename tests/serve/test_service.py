"""The whole service as people run it: a process of its own, killed, ended, asked over HTTP."""

import signal
import sqlite3
import stat
import subprocess
import time
from contextlib import closing

import httpx
import pytest

from sweep.errors import PlatformError
from sweep.serve.options import ServeOptions
from sweep.serve.queue.database import QueueDatabase, QueueFolder
from sweep.serve.server import listen
from tests.support import service as served
from tests.support.quick_sweep import EPOCHS
from tests.support.service import SPACE


@pytest.fixture
def quick(forks):
    """Options of a service whose jobs train nothing."""
    return ("--spaces", "spaces", "--run-with", forks.quick())


@pytest.fixture
def place(memory_path):
    (memory_path / "spaces").mkdir()
    (memory_path / "spaces" / "mine.py").write_text(SPACE)
    return memory_path


def epochs_of(place, name):
    with closing(sqlite3.connect(place / "results" / name / "sweep.db")) as db:
        return [row[0] for row in db.execute("SELECT epoch FROM epoch ORDER BY epoch")]


def run(forks, place, *arguments):
    return subprocess.run(
        [*forks.client, "-m", "sweep", "serve", *arguments], cwd=place,
        env=served.environment(place), capture_output=True, text=True,
    )  # fmt: skip


def test_a_killed_service_loses_no_job_and_runs_none_twice(place, forks, quick):
    token, jobs = None, {}
    for round_ in range(2):
        with served.served(place, *quick, token=token, forks=forks) as one:
            token = token or one.token
            with one.client() as client:
                for name in ("a", "b") if round_ == 0 else ():
                    asked = {"kind": "start", "space": {"name": "mine"}, "sweep": name}
                    answer = client.post(
                        "/api/v1/jobs", json=asked, headers={"Idempotency-Key": name}
                    )
                    jobs[name] = answer.json()["job"]
                if round_ == 0:
                    time.sleep(1.5)
                    one.kill()
                    continue
                for name, job in jobs.items():
                    assert served.until(client, job)["state"] == "finished"
                    assert epochs_of(place, name) == list(range(1, EPOCHS + 1))
                assert len(client.get("/api/v1/jobs").json()["items"]) == 2


def test_sigterm_stops_the_jobs_and_the_streams_and_ends_in_time(place, forks):
    slow = ("--spaces", "spaces", "--run-with", forks.quick(SECONDS_AN_EPOCH="0.5"))
    with served.served(place, *slow, forks=forks) as one, one.client() as client:
        asked = {"kind": "start", "space": {"name": "mine"}, "sweep": "a"}
        job = client.post("/api/v1/jobs", json=asked).json()["job"]
        served.until(client, job, "running")
        with client.stream("GET", "/api/v1/events") as stream:
            began = time.monotonic()
            one.process.send_signal(signal.SIGTERM)
            assert "event: bye" in "".join(stream.iter_text())
        assert one.process.wait(30) == 0
        assert time.monotonic() - began < 15
    with QueueDatabase(QueueFolder(place / "results").database) as database:
        row = database.row("SELECT state, reason FROM job")
    assert tuple(row) == ("preempted", "stopped for the service's end")


def test_the_address_is_printed_and_a_second_service_is_refused(place, forks):
    with served.served(place, forks=forks) as one:
        assert httpx.get(f"{one.url}/livez").text == "ok\n"
        second = run(forks, place, "--port", "0")
        assert second.returncode == 9
        assert "serves" in second.stderr
        assert "Traceback" not in second.stderr


def test_tokens_are_made_and_listed_from_a_terminal(place, forks):
    made = run(forks, place, "token", "add", "ci", "--scope", "run", "--days", "30")
    assert made.stdout.startswith("swp_")
    listed = run(forks, place, "token", "ls").stdout
    assert "read, run" in listed
    assert made.stdout.strip() not in listed
    assert run(forks, place, "token", "rm", "none").returncode == 3
    database = place / "results" / "queue.db"
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


def test_a_unix_socket_is_its_owners_alone(place, forks):
    path = place / "s.sock"
    process = subprocess.Popen(
        [*forks.client, "-m", "sweep", "serve", "--socket", path, "--behind-proxy", "unix"],
        cwd=place, env=served.environment(place),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        secret = process.stdout.readline().partition("token=")[2].strip()
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path))) as client:
            headers = {"Authorization": f"Bearer {secret}"}
            assert client.get("http://localhost/api/v1/queue", headers=headers).status_code == 200
            assert client.get("http://localhost/api/v1/queue").status_code == 401
            behind = {"X-Forwarded-Proto": "https", "Sec-Fetch-Site": "same-origin"}
            shown = {"token": secret}
            answer = client.post("http://localhost/session", json=shown, headers=behind)
            assert "Secure" in answer.headers["set-cookie"]
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_the_socket_of_a_dead_service_is_taken_that_of_a_living_one_is_not(place):
    options = ServeOptions(results=place / "results", socket=place / "s.sock")
    with listen(options) as living:
        living.listen()
        with pytest.raises(PlatformError, match="listens on"):
            listen(options)
    listen(options).close()


def test_without_its_extra_the_service_says_in_one_line_what_to_install(monkeypatch):
    from typer.testing import CliRunner

    from sweep.cli.app import app
    from sweep.cli.commands import serve

    monkeypatch.setattr(serve, "find_spec", lambda name: None)
    done = CliRunner().invoke(app, ["serve"])
    assert isinstance(done.exception, PlatformError)
    assert 'pip install "keras-sweep[serve]"' in str(done.exception)
