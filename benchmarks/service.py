"""The service under load: kills, listeners, many sweeps, a sweep of 10,000 trials.

    python benchmarks/service.py overview     200 sweeps: seconds for the overview, first and later
    python benchmarks/service.py listeners    50 listeners, a sweep of 10,000 trials: CPU and memory
    python benchmarks/service.py kills [N]    N kills of service and jobs: nothing lost, none twice

Real processes and real HTTP on loopback. `kills` starts a stand-in for the command `sweep`, which
keeps the same files, locks and exit codes and trains nothing: 200 kills take some minutes.
"""

import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import httpx
import psutil

from sweep.records import SweepState
from sweep.store import Store
from tests.support import service as served
from tests.support.quick_sweep import EPOCHS
from tests.support.sweeps import record, store_sweep, trained

SPACE = '"""A space for measuring."""\n\n\ndef build(hp):\n    return None\n'
QUICK = ("--run-with", f"{sys.executable} -m tests.support.quick_sweep {{}}")


def main() -> None:
    """Run the measurement that the first argument names."""
    kinds: dict[str, Callable[[Path], None]] = {
        "overview": overview, "listeners": listeners, "kills": kills,
    }  # fmt: skip
    place = Path(tempfile.mkdtemp(prefix="sweep-service-"))
    (place / "spaces").mkdir()
    (place / "spaces" / "mine.py").write_text(SPACE)
    try:
        kinds[sys.argv[1]](place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def overview(place: Path) -> None:
    """Ask for the overview of 200 sweeps."""
    for number in range(200):
        _store(place, f"s{number}", 20)
    with served.served(place) as one, one.client(Accept="text/html") as client:
        for turn in ("first", "second", "third"):
            began = time.perf_counter()
            answer = client.get("/")
            print(
                f"{turn}: {1000 * (time.perf_counter() - began):.0f} ms, {len(answer.text):,} bytes"
            )


def listeners(place: Path, n: int = 50, trials: int = 10_000, seconds: float = 20.0) -> None:
    """Listen to a sweep of 10,000 trials that commits 20 times a second."""
    path = _store(place, "large", trials)
    ends = time.monotonic() + seconds
    with served.served(place) as one:
        heard = [0] * n
        threads = [threading.Thread(target=_listen, args=(one, heard, i, ends)) for i in range(n)]
        for thread in threads:
            thread.start()
        time.sleep(3)
        process = psutil.Process(one.process.pid)
        before, began = process.cpu_times(), time.monotonic()
        written = _write(path, ends - 3)
        after, took = process.cpu_times(), time.monotonic() - began
        used = after.user + after.system - before.user - before.system
        memory = process.memory_info().rss / 2**20
        time.sleep(1)
        print(f"{n} listeners, {written / took:.0f} events/s: {100 * used / took:.1f} % of a core")
        print(f"{memory:.0f} MiB; heard {min(heard)} to {max(heard)} of {written} events")
        for thread in threads:
            thread.join()


def kills(place: Path) -> None:
    """Kill the service, a job, or both, at random instants; then compare with what should be."""
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    chance, token, done, started = random.Random(0), None, 0, 0
    while done < n:
        with served.served(place, "--spaces", "spaces", *QUICK, token=token) as one:
            token = token or one.token
            with one.client() as client, suppress(httpx.HTTPError):
                while started - done < 3 and started < n:
                    asked = {"kind": "start", "space": {"name": "mine"}, "sweep": f"s{started}"}
                    key = {"Idempotency-Key": f"s{started}"}
                    client.post("/api/v1/jobs", json=asked, headers=key).raise_for_status()
                    started += 1
                time.sleep(chance.uniform(0.0, 2.0))
                for job in client.get("/api/v1/jobs?state=running").json()["items"]:
                    if chance.random() < 0.3:
                        _kill_job(place, job["sweep"])
            one.kill()
            done += 1
        print(f"\r{done} kills", end="", flush=True)
    _settle(place, token, started)


def _settle(place: Path, token: str | None, started: int) -> None:
    """Let all go on to their end, and compare."""
    service = served.served(place, "--spaces", "spaces", *QUICK, token=token)
    with service as one, one.client() as client:
        for job in range(1, started + 1):
            found = served.until(client, job, seconds=120)
            if found["state"] == "failed":  # killed too often without getting further
                asked = {"kind": "resume", "sweep": found["sweep"]}
                again = client.post("/api/v1/jobs", json=asked).json()["job"]
                found = served.until(client, again, seconds=120)
            assert found["state"] == "finished", found
    for number in range(started):
        with closing(sqlite3.connect(place / "results" / f"s{number}" / "sweep.db")) as db:
            epochs = [row[0] for row in db.execute("SELECT epoch FROM epoch ORDER BY epoch")]
        assert epochs == list(range(1, EPOCHS + 1)), (number, epochs)
    print(f"\n{started} jobs: all finished, no epoch missing and none twice")


def _kill_job(place: Path, sweep: str) -> None:
    with suppress(OSError, ValueError):
        pid = int((place / "results" / sweep / "lock").read_text().split()[0])
        os.killpg(os.getpgid(pid), signal.SIGKILL)


def _store(place: Path, name: str, trials: int) -> Path:
    folder = place / "results" / name
    folder.mkdir(parents=True)
    some = [trained(0.7, 0.6 + 0.0001 * (i % 100)) for i in range(trials)]
    waiting = trained(last_epoch=10_000, ended=None)
    store_sweep(folder / "sweep.db", [*some, waiting], name=name, state="interrupted").close()
    return folder / "sweep.db"


def _write(path: Path, ends: float) -> int:
    with Store(path) as store:
        (assignment,) = store.pending()
        store.set_state(SweepState.RUNNING)
        epoch = 0
        while time.monotonic() < ends:
            epoch += 1
            store.save_progress(assignment, "file", epoch, [record(epoch, 0.6)])
            time.sleep(0.05)
    return epoch + 1


def _listen(one: served.Served, heard: list[int], place: int, ends: float) -> None:
    with one.client() as client, client.stream("GET", "/api/v1/events?sweep=large") as stream:
        for line in stream.iter_lines():
            heard[place] += line.startswith(("event: epochs", "event: sweep"))
            if time.monotonic() > ends:
                return


if __name__ == "__main__":
    main()
