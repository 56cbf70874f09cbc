"""How busy a pool's workers are beside the simulation, and what a pool of 2 brings beside none.

`busy`: searches by the real loop, with a database and files, whose workers sleep as long as
training would take: 1, 2 and 4 workers, 1 and 4 iterations. The share is that of the workers' time
in which they slept. `beside`: the tiny sweep of the tests, larger, by the command line: what Keras
trains one trial at a time, and what is trained together; the tables must be the same. Both are
called by `benchmarks/pool.py`.
"""

import os
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

from sweep.pool.face import Ready
from sweep.pool.places import Place
from sweep.pool.processes import ProcessPool
from sweep.pool.team import Team
from sweep.pool.trainer import PooledTrainer
from sweep.records import Assignment, Proposal
from sweep.runner.simulate import simulated
from sweep.testing import small_split
from sweep.testing.idle_briefing import IdleBriefing
from tests.support import tiny, warm
from tests.support.runs import new_runner, new_store, search

_EACH, _EPOCH = 0.02, 0.008
"""Seconds of an assignment, and of each of its epochs but the last."""
_EPOCHS = 27


def busy() -> None:
    print("\n| iterations | workers | simulated, s | busy | processes, s | busy |")
    print("|---:|---:|---:|---:|---:|---:|")
    cores = tuple(sorted(os.sched_getaffinity(0)))
    for iterations in (1, 4):
        for n_workers in (1, 2, 4):
            briefing = IdleBriefing(_EACH, epoch_seconds=_EPOCH)
            pool = ProcessPool(briefing, small_split(20, 10), [Place(cores)] * n_workers)
            team = Team(pool)
            while len(team.members) < n_workers:  # without the start
                for worker, event in pool.events(1.0):
                    if isinstance(event, Ready):
                        team.join(worker, event)
            wall, done = _searched(PooledTrainer(team), iterations)
            pool.close()
            expected = simulated(*_as_planned(done), n_workers)
            share = sum(map(_seconds, done)) / (n_workers * wall)
            print(
                f"| {iterations} | {n_workers} | {expected.seconds:.1f} | {expected.busy:.0%} "
                f"| {wall:.1f} | {share:.0%} |",
                flush=True,
            )


def _searched(trainer: PooledTrainer, iterations: int) -> tuple[float, list[Assignment]]:
    """Return the seconds of a search, and its assignments."""
    with tempfile.TemporaryDirectory() as root:
        folder, store = new_store(Path(root))
        runner = new_runner(
            folder, store, trainer, search=search(_EPOCHS, iterations), baselines={}
        )
        started = time.perf_counter()
        runner.run()
        wall = time.perf_counter() - started
        return wall, store.stored_after(-1)


def _seconds(one: Assignment) -> float:
    return _EACH + _EPOCH * (one.last_epoch - one.first_epoch - 1)


def _as_planned(done: list[Assignment]) -> tuple[list[Proposal], object, tuple[float, ...]]:
    """The arguments of a simulation of what was done."""
    proposals = [
        Proposal(str(n), str(n), one.iteration or 0, one.bracket or 0, one.rung,
                 one.first_epoch, one.last_epoch, {})
        for n, one in enumerate(done)
    ]  # fmt: skip
    return proposals, _seconds, ()


_MORE = ("--max-epochs", "9", "--iterations", "3", "--patience", "0", "--batch-size", "40")


def beside() -> None:
    print(
        "\n| trainer | without a pool, s | with 2 processes, s | until both had joined, s | same |"
    )
    print("|---|---:|---:|---:|---|")
    with tempfile.TemporaryDirectory() as root:
        place = tiny.make_place(Path(root) / "here")
        for trainer in ("keras", "auto"):
            warm.run(place, *tiny.start(f"first-{trainer}", trainer))  # programs are kept now
            alone = _command(place, *tiny.start(f"alone-{trainer}", trainer, *_MORE))
            begun = time.time()
            name = f"pool-{trainer}"
            pooled = _command(place, *tiny.start(name, trainer, *_MORE, "--pool", "2"))
            differing = tiny.differences(
                tiny.contents(place, f"alone-{trainer}"), tiny.contents(place, name)
            )
            joined = _joined(place, name) - begun
            print(
                f"| {trainer} | {alone:.1f} | {pooled:.1f} | {joined:.1f} "
                f"| {'no: ' + ', '.join(differing[:3]) if differing else 'yes'} |",
                flush=True,
            )


def _command(place: Path, *arguments: str) -> float:
    started = time.perf_counter()
    warm.begin(place, *arguments).wait(600)
    return time.perf_counter() - started


def _joined(place: Path, name: str) -> float:
    with closing(sqlite3.connect(place / "results" / name / "sweep.db")) as db:
        ((at,),) = db.execute("SELECT MAX(joined_at) FROM worker").fetchall()
    return float(at)
