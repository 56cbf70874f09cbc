"""The service under load: kills, listeners, many sweeps, a sweep of 10,000 trials.

    python benchmarks/service.py overview     200 sweeps: seconds for the overview, first and later
    python benchmarks/service.py listeners    50 listeners, a sweep of 10,000 trials: CPU and memory
    python benchmarks/service.py kills [N [MINUTES [SEED]]]    N kills of service and jobs while
        models are trained: the same tables as unkilled, no job lost, none run twice

Real processes, real HTTP on loopback, real training. Services and jobs are forked from a process
that has imported what they need, so that a kill costs two seconds instead of eight.
"""

import os
import random
import re
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from sweep.records import SweepState
from sweep.store import Store
from tests.support import service as served
from tests.support import tiny
from tests.support.forks import Forks
from tests.support.sweeps import record, store_sweep, trained

SPACE = '"""A space for measuring."""\n\n\ndef build(hp):\n    return None\n'


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
    """Ask for the overview of 200 sweeps: as soon as the service listens, and once it is warm."""
    for number in range(200):
        _store(place, f"s{number}", 20)
    with served.served(place) as one, one.client(Accept="text/html") as client:
        process = psutil.Process(one.process.pid)
        print(f"it listens after {_used(process):.2f} s of processor time")
        for turn in ("at once", "warm", "again"):
            before, began = _used(process), time.perf_counter()
            answer = client.get("/")
            took, used = time.perf_counter() - began, _used(process) - before
            words = f"{1000 * took:.0f} ms, {1000 * used:.0f} ms of processor time"
            print(f"{turn}: {words}, {len(answer.text):,} bytes")
            _until_idle(process)


def _used(process: psutil.Process) -> float:
    """Seconds of processor time that a process has used."""
    found = process.cpu_times()
    return float(found.user + found.system)


def _until_idle(process: psutil.Process) -> None:
    """Return once a process has used next to nothing for two seconds."""
    before = -1.0
    while _used(process) - before > 0.1:
        before = _used(process)
        time.sleep(2)


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
    """Kill the service, a job, or both, at random instants of real training; then compare.

    The instants fall into anything: a start, a request, a commit, an adoption. Each sweep searches
    and is confirmed. At the end each must hold the same as one that was never killed: every table,
    every array of every checkpoint; and the jobs are those that were asked for, each once.
    `kills 200 10 1`: 200 kills or 10 minutes, the instants drawn from seed 1.
    """
    given = sys.argv[2:5]
    n, minutes, seed = (int(one) for one in (*given, *("200", "10", "0")[len(given) :]))
    tiny.make_place(place)
    (place / "tiny.py").rename(place / "spaces" / "tiny.py")
    forks = Forks(
        place / "forks", "tests.support.warm_imports", "sweep.serve.server",
        environment=served.environment(place),
    )  # fmt: skip
    asked = _Asked()
    with _serving(place, forks, None) as one:
        token = one.token
        for trainer in ("keras", "fused"):
            asked.ask(one, f"whole-{trainer}", _start(f"whole-{trainer}"))
        _until_all_confirmed(one, asked)
        wholes = {kind: tiny.contents(place, f"whole-{kind}") for kind in ("keras", "fused")}
    chance, ends = random.Random(seed), time.monotonic() + 60 * minutes
    counts = _killed(place, forks, token, asked, chance, n, ends)
    with _serving(place, forks, token) as one:
        asked.again(one)
        _until_all_confirmed(one, asked)
        jobs = _jobs(one)
        for job in jobs:
            if job["error"] and "was killed" not in job["error"]["detail"]:
                with one.client() as client:
                    said = client.get(f"/api/v1/jobs/{job['job']}/log").json()["text"]
                print(f"job {job['job']} has failed by itself:\n{said[-3000:]}")
    forks.close()
    names = [f"s{number + 1}" for number in range(counts["sweeps"])]
    for name in names:
        differing = tiny.differences(wholes[_trainer(name)], tiny.contents(place, name))
        counts["sweeps that differ"] += bool(differing)
        print(f"{name} differs: {differing}\n" if differing else "", end="")
    found = sorted(job["job"] for job in jobs)
    counts["jobs lost or made twice"] = len({*found} ^ {*asked.jobs.values()})
    kinds = Counter(f"{job['kind']} {job['state']}" for job in jobs)
    errors = Counter(
        re.sub(r"\d+", "N", job["error"]["detail"][:60]) for job in jobs if job["error"]
    )
    print(f"\n{dict(counts)}\njobs: {dict(kinds)}\nerrors: {dict(errors)}")
    sys.exit(counts["sweeps that differ"] + counts["jobs lost or made twice"] > 0)


def _killed(
    place: Path,
    forks: Forks,
    token: str,
    asked: "_Asked",
    chance: random.Random,
    n: int,
    ends: float,
) -> Counter[str]:
    """Ask for sweeps, two at a time, while a thread kills; return what was done, counted."""
    counts = Counter[str]()
    while counts["kills"] < n and time.monotonic() < ends:
        with _serving(place, forks, token) as one:
            is_alone, seconds = chance.random() < 0.5, 3 * chance.random() ** 2
            killer = threading.Timer(seconds, _kill, (one, place, is_alone, chance, counts))
            killer.start()
            with suppress(httpx.TransportError):
                while one.process.poll() is None:
                    asked.again(one)
                    if _n_open(one) < 2:
                        counts["sweeps"] += 1
                        name = f"s{counts['sweeps']}"
                        asked.ask(one, name, _start(name))
                    _go_on(one, asked)
            killer.join()
            one.process.wait()
        counts["kills"] = counts["jobs killed"] + counts["services killed"]
        print(f"{counts['kills']} kills, {counts['sweeps']} sweeps", flush=True)
    return counts


def _kill(
    one: served.Served, place: Path, is_alone: bool, chance: random.Random, counts: Counter[str]
) -> None:
    """SIGKILL to the service, and before it to a job unless it is to be alone."""
    if not is_alone:
        counts["jobs killed"] += _kill_a_job(place, chance)
        time.sleep(0.7 * chance.random())
    one.kill()
    counts["services killed"] += 1


def _serving(place: Path, forks: Forks, token: str | None) -> AbstractContextManager[served.Served]:
    options = ("--spaces", "spaces", "--data", ".", "--run-with", forks.wrapper)
    return served.served(
        place, *options, token=token, module="tests.support.eager_serve", forks=forks
    )


def _trainer(name: str) -> str:
    """Sweeps whose name ends in an odd number are fused."""
    return "fused" if name.endswith(("fused", "1", "3", "5", "7", "9")) else "keras"


def _start(name: str) -> dict[str, Any]:
    settings = {
        "data": "rows.csv", "validation_rows": 60, "train_rows": 240, "test_rows": 20,
        "batch_size": 120, "max_epochs": 2, "factor": 2, "trainer": _trainer(name),
    }  # fmt: skip
    return {"kind": "start", "space": {"name": "tiny"}, "sweep": name, "settings": settings}


@dataclass
class _Asked:
    """What was asked for, by its key; the job that was answered, None until that was heard."""

    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[str, int | None] = field(default_factory=dict)

    def ask(self, one: served.Served, key: str, body: dict[str, Any]) -> None:
        """Ask for a job; what is not heard of is asked for again, under the same key."""
        self.bodies[key] = body
        self.jobs.setdefault(key, None)
        with one.client() as client:
            answer = client.post("/api/v1/jobs", json=body, headers={"Idempotency-Key": key})
        assert answer.status_code == 202, answer.text
        self.jobs[key] = answer.json()["job"]

    def again(self, one: served.Served) -> None:
        """Ask again for what was not heard of."""
        for key in [key for key, job in self.jobs.items() if job is None]:
            self.ask(one, key, self.bodies[key])


def _jobs(one: served.Served) -> list[dict[str, Any]]:
    with one.client() as client:
        found: list[dict[str, Any]] = client.get("/api/v1/jobs?page_size=1000").json()["items"]
    return found


def _n_open(one: served.Served) -> int:
    return sum(job["state"] not in served.OVER for job in _jobs(one))


def _go_on(one: served.Served, asked: _Asked) -> int:
    """Let each search that is over be confirmed, and each that was killed too often resumed."""
    latest = {job["sweep"]: job for job in reversed(_jobs(one))}
    bodies: dict[str, dict[str, Any]] = {}
    with one.client() as client:
        for name, job in latest.items():
            body = _next(client, name, job)
            if body is not None:
                bodies[f"{name}-{job['job']}"] = body | {"sweep": name}
    for key, body in bodies.items():
        asked.ask(one, key, body)
    return len(bodies)


def _next(client: httpx.Client, name: str, job: dict[str, Any]) -> dict[str, Any] | None:
    """What is to be asked for a sweep whose latest job this is; None for nothing."""
    if job["state"] not in served.OVER:
        return None
    found = client.get(f"/api/v1/sweeps/{name}")
    if found.status_code == 404:  # killed before it was stored, again and again
        return _start(name)
    progress, state = found.json()["progress"], found.json()["state"]
    over = state == "finished"
    if over and not progress["confirmations"]:
        return {"kind": "confirm", "top": 2, "seeds": 2}
    if over and progress["confirmations"] == progress["confirmations_done"]:
        return None
    return {"kind": "resume"}


def _until_all_confirmed(one: served.Served, asked: _Asked, seconds: float = 600) -> None:
    deadline = time.monotonic() + seconds
    while _go_on(one, asked) or _n_open(one):
        assert time.monotonic() < deadline, _jobs(one)
        time.sleep(0.3)


def _kill_a_job(place: Path, chance: random.Random) -> bool:
    """SIGKILL to a process at work, whatever it does; whether there was one."""
    with closing(sqlite3.connect(place / "results" / "queue.db")) as db:
        pids = [row[0] for row in db.execute("SELECT pid FROM job WHERE pid IS NOT NULL")]
    if not pids:
        return False
    with suppress(ProcessLookupError):
        os.kill(chance.choice(pids), signal.SIGKILL)
        return True
    return False


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
