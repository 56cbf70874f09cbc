"""Kills by SIGKILL at random moments, of workers and heads of pools: nothing is lost or doubled.

A sweep with a pool is disturbed until it has ended; whenever its head was killed it is resumed,
with another pool or none. Then every table and every array of every checkpoint must be those of a
sweep that nobody disturbed. Called by `benchmarks/pool.py --chaos N`.

`idle` has trainers that train nothing, so that kills come every second: the head, its database and
files, the processes and the Ray actors are the real ones. Otherwise it is the tiny sweep of the
tests with all that `sweep start` does, where a worker needs seconds to start. Heads are forked from
a process that has imported TensorFlow already. That an assignment fails whose workers died three
times before it got any further is switched off: so many kills look like its fault.
"""

import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from sweep.pool.crew import AnyCrew
from sweep.pool.face import Pool, Ready
from sweep.pool.places import PoolAsked, places
from sweep.pool.processes import ProcessPool
from sweep.pool.team import Team
from sweep.pool.trainer import PooledTrainer
from sweep.store import Store
from sweep.sweep_folder import SweepFolder
from sweep.testing import IdleTrainer, small_split
from sweep.testing.idle_briefing import IdleBriefing
from tests.support import tiny, warm
from tests.support.runs import new_runner, new_store

_MORE = ("--max-epochs", "9", "--patience", "0")
_NEVER = 10**6
_SECONDS = 0.15
"""That an idle assignment takes, besides its epochs."""


@dataclass
class Counts:
    """What was done, and what came of it."""

    sweeps: int = 0
    workers_killed: int = 0
    heads_killed: int = 0
    differing: int = 0
    pools: dict[str, int] = field(default_factory=dict)
    """Heads begun, by their pool."""

    @property
    def kills(self) -> int:
        return self.workers_killed + self.heads_killed

    def __str__(self) -> str:
        begun = ", ".join(f"{n} {pool or 'without'}" for pool, n in sorted(self.pools.items()))
        return (
            f"{self.sweeps} sweeps · {self.workers_killed} workers and {self.heads_killed} heads "
            f"killed · {self.differing} differing · heads: {begun}"
        )


@dataclass(frozen=True)
class Pace:
    """Seconds between what is done to a sweep."""

    life: tuple[float, float]
    """Of a head."""
    between: tuple[float, float]
    """Two looks at its workers."""


_IDLE, _REAL = Pace((1, 8), (0.1, 0.8)), Pace((5, 40), (0.2, 3))


def chaos(n_kills: int, pools: list[str], minutes: float, seed: int, *, idle: bool) -> int:
    """Kill until it was done so often, or the time is over; return 1 if a table differs."""
    deadline, chance, counts = time.monotonic() + 60 * minutes, random.Random(seed), Counts()
    begin, pace = (_begin_idle, _IDLE) if idle else (_begin_real, _REAL)
    with tempfile.TemporaryDirectory() as folder, _cluster(pools):
        place = tiny.make_place(Path(folder) / "here")
        plain = begin(place, "plain", "")
        plain.join()
        if plain.exitcode:
            print((place / "log").read_text())
            return 1
        whole = tiny.contents(place, "plain")
        while counts.kills < n_kills and time.monotonic() < deadline:
            counts.sweeps += 1
            name = f"sweep-{counts.sweeps}"
            _disturb(lambda pool, of=name: begin(place, of, pool), place / "results" / name,
                     pools, chance, pace, counts)  # fmt: skip
            if differing := tiny.differences(whole, tiny.contents(place, name)):
                counts.differing += 1
                print(f"{name} differs: {', '.join(differing[:5])}", flush=True)
            print(counts, flush=True)
    return 1 if counts.differing else 0


def _disturb(
    begin: Callable[[str], Any],
    folder: Path,
    pools: list[str],
    chance: random.Random,
    pace: Pace,
    counts: Counts,
) -> None:
    """Run a sweep to its end, killing its workers and its head on the way."""
    ended: int | None = None
    while ended != 0:
        is_begun = (folder / "sweep.db").exists()
        pool = chance.choice([*pools, *pools, ""] if is_begun else pools)
        counts.pools[pool] = counts.pools.get(pool, 0) + 1
        head = begin(pool)
        until = time.monotonic() + chance.uniform(*pace.life)
        while (ended := head.exitcode) is None and time.monotonic() < until:
            time.sleep(chance.uniform(*pace.between))
            working = _working(folder)
            if working and chance.random() < 0.5:
                with suppress(ProcessLookupError):
                    os.kill(chance.choice(working), signal.SIGKILL)
                    counts.workers_killed += 1
        if ended is None and chance.random() < 0.7:
            head.kill()
            counts.heads_killed += 1
        head.join()
        ended = head.exitcode


def _working(folder: Path) -> list[int]:
    """The workers at work, in processes of this host."""
    path = folder / "sweep.db"
    query = "SELECT process FROM worker WHERE left_at IS NULL"
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return [process for (process,) in db.execute(query) if _is_worker(process)]
    return []


def _is_worker(process: int) -> bool:
    """Whether a number that the database has is still that of a worker, and of no other process."""
    with suppress(OSError):
        command = Path(f"/proc/{process}/cmdline").read_bytes()
        return b"process_worker" in command or b"ray::" in command
    return False


def _begin_real(place: Path, name: str, pool: str) -> Any:
    is_begun = (place / "results" / name / "sweep.db").exists()
    command = ["resume", name] if is_begun else tiny.start(name, "auto", *_MORE)
    more = ["--pool", pool] if pool else []
    return warm.begin(place, *command, *more, before=_blame_nobody).process


def _blame_nobody() -> None:
    """In a head's process: no assignment fails because its workers were killed."""
    from sweep.runner import pooled

    pooled.PooledTrainer = partial(PooledTrainer, most_deaths=_NEVER)  # type: ignore[misc,assignment]


def _begin_idle(place: Path, name: str, pool: str) -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.warm_imports"])
    head = context.Process(target=idle_head, args=(place, name, pool))
    head.start()
    return head


@contextmanager
def _cluster(pools: list[str]) -> Iterator[None]:
    """A Ray cluster on this machine that heads join, if one of the pools needs it."""
    if not any(pool.startswith("ray") for pool in pools):
        yield
        return
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    os.environ["RAY_ADDRESS"] = cluster.address
    try:
        yield
    finally:
        cluster.shutdown()


@dataclass
class _Entered(AnyCrew):
    """Takes everybody, and enters them where the killer looks."""

    store: Store
    numbers: dict[int, int] = field(default_factory=dict)

    def joins(self, worker: int, ready: Ready) -> None:
        added = self.store.add_worker(ready.host, ready.process, ready.device)
        self.numbers[worker] = added

    def leaves(self, worker: int, why: str) -> None:
        if (number := self.numbers.pop(worker, None)) is not None:
            self.store.end_worker(number, why)


def idle_head(place: Path, name: str, asked: str) -> None:
    """Begin or resume a sweep of idle trainers, with a pool or without."""
    os.chdir(place)
    log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    folder = SweepFolder(Path("results"), name)
    exists = folder.database.exists()
    if not exists:  # its head was killed before there was anything
        shutil.rmtree(folder.path, ignore_errors=True)
    store = Store(folder.database) if exists else new_store(Path("results"), name)[1]
    with store:
        if not asked:
            new_runner(folder, store, IdleTrainer(keeps_each_epoch=True)).run()
            return
        pool = _pool(asked)
        trainer = PooledTrainer(Team(pool, _Entered(store)), most_deaths=_NEVER)
        new_runner(folder, store, trainer).run()
        pool.close()


def _pool(asked: str) -> Pool:
    briefing, split = IdleBriefing(_SECONDS, epoch_seconds=0.02), small_split(20, 10)
    if asked.startswith("ray"):
        from sweep.pool.ray_pool import RayPool

        return RayPool(briefing, split, 2)
    return ProcessPool(briefing, split, places(PoolAsked("processes", int(asked)), os.environ))
