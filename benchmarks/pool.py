"""Pools: what they cost an assignment, how busy workers are, and whether anything is lost by kills.

    python benchmarks/pool.py --cost --busy --simulation
    python benchmarks/pool.py --chaos 100 --idle
    python benchmarks/pool.py --chaos 100 --minutes 60

The cost is that of a trainer that does nothing, with states of 10 KB and of 13 MB: there and back,
and with the database and the checkpoint files behind it, each end a commit of its own or those that
come together in one. For chaos see
`benchmarks/chaos.py`.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chaos import chaos

from sweep.pool.face import Pool
from sweep.pool.places import Place, PoolAsked, places
from sweep.pool.processes import ProcessPool
from sweep.pool.team import Team
from sweep.pool.trainer import PooledTrainer
from sweep.records import Assignment, Proposal
from sweep.runner.journal import StoreJournal
from sweep.runner.simulate import simulated
from sweep.store import NewTrial, Planned
from sweep.testing import MemoryJournal, small_split, train_all
from sweep.testing.idle_briefing import IdleBriefing
from tests.support.runs import new_store

SPLIT = small_split(20, 10)
SIZES = {"10 KB": (2_500, 2_000), "13 MB": (3_250_000, 60)}
"""Numbers in a state, and assignments."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cost", action="store_true", help="Milliseconds an assignment.")
    parser.add_argument("--busy", action="store_true", help="Seconds beside those simulated.")
    parser.add_argument("--simulation", action="store_true", help="Up to 1,000 workers.")
    parser.add_argument("--chaos", type=int, default=0, help="Kills.")
    parser.add_argument("--idle", action="store_true", help="Chaos with trainers that do nothing.")
    parser.add_argument("--pools", nargs="+", default=["2", "ray:2"], help="Of the chaos.")
    parser.add_argument("--minutes", type=float, default=10, help="The chaos ends after so long.")
    parser.add_argument("--seed", type=int, default=0, help="Of the chaos.")
    options = parser.parse_args()
    if options.cost:
        cost()
    if options.busy:
        busy()
    if options.simulation:
        simulation()
    if not options.chaos:
        return 0
    return chaos(options.chaos, options.pools, options.minutes, options.seed, idle=options.idle)


@contextmanager
def opened(kind: str, briefing: IdleBriefing, n_workers: int) -> Iterator[Pool]:
    if kind == "Ray":
        from sweep.pool.ray_pool import RayPool

        pool: Pool = RayPool(briefing, SPLIT, n_workers)
    else:
        asked = PoolAsked("processes", n_workers)
        pool = ProcessPool(briefing, SPLIT, [Place(one.cores) for one in places(asked, {})])
    try:
        yield pool
    finally:
        pool.close()


def some(n: int) -> list[Assignment]:
    return [Assignment(number, number, 0, 0, 1, {}, 1) for number in range(n)]


class Counting(MemoryJournal):
    """Keeps nothing."""

    def finish(self, ended: object) -> None:
        return


class Single:
    """A journal that keeps each end at once."""

    def __init__(self, journal: StoreJournal) -> None:
        self.load, self.checkpoint = journal.load, journal.checkpoint
        self.epoch, self.finish = journal.epoch, journal.finish


def cost() -> None:
    print(
        "| pool of 2 | state | there and back, ms | each kept, ms | kept together, ms | a second |"
    )
    print("|---|---|---:|---:|---:|---:|")
    for kind in ("processes", "Ray"):
        for size, (floats, n) in SIZES.items():
            with opened(kind, IdleBriefing(floats=floats, capacity=8), 2) as pool:
                trainer = PooledTrainer(Team(pool))
                train_all(trainer, some(4), MemoryJournal())  # all have started
                train_all(trainer, some(20), MemoryJournal())
                bare = seconds(lambda t=trainer, k=n: train_all(t, some(k), Counting())) / n
                single, together = (kept(trainer, n, Single), kept(trainer, n, lambda one: one))
            times = " | ".join(f"{1e3 * one:.2f}" for one in (bare, single, together))
            print(f"| {kind} | {size} | {times} | {1 / together:,.0f} |", flush=True)


def kept(trainer: PooledTrainer, n: int, journal_of: Callable[[Any], Any]) -> float:
    """Seconds an assignment, with a database and checkpoint files on this disk."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as root:
        folder, store = new_store(Path(root))
        trials = [Planned(NewTrial(None, 0, 0, seed, {}), 1) for seed in range(n)]
        store.add_wave({}, trials)
        journal: Any = journal_of(StoreJournal(folder, store, "id"))
        with store:
            return seconds(lambda: train_all(trainer, store.pending(), journal)) / n


def seconds(do: Callable[[], object]) -> float:
    started = time.perf_counter()
    do()
    return time.perf_counter() - started


def ladder(iterations: int, max_epochs: int) -> list[Proposal]:
    """Hyperband's proposals with a factor of 3: brackets, rungs, epochs."""
    found: list[Proposal] = []
    top = 0
    while 3 ** (top + 1) <= max_epochs:
        top += 1
    for iteration in range(iterations):
        for bracket in range(top, -1, -1):
            size = -(-(top + 1) * 3**bracket // (bracket + 1))
            reached = 0
            for rung in range(bracket + 1):
                last = max_epochs // 3 ** (bracket - rung)
                for k in range(max(1, size // 3**rung)):
                    name = f"{iteration}-{bracket}-{rung}-{k}"
                    values: dict[str, Any] = {"cost": cost_of(iteration, bracket, k)}
                    found.append(
                        Proposal(name, name, iteration, bracket, rung, reached, last, values)
                    )
                reached = last
    return found


def cost_of(*trial: int) -> float:
    """Seconds an epoch: of sizes spread evenly over two decades."""
    return 0.18 * 10 ** -(2 * random.Random(repr(trial)).random())


def seconds_of(one: Proposal) -> float:
    return 0.05 + float(one.hyperparameters["cost"]) * (one.last_epoch - one.first_epoch)


def simulation() -> None:
    print("| iterations | " + " | ".join(f"{n:,}" for n in WORKERS) + " |")
    print("|---:|" + "---:|" * len(WORKERS))
    for iterations in (1, 4, 16):
        proposals = ladder(iterations, 81)
        found = (simulated(proposals, seconds_of, (), n) for n in WORKERS)
        print(
            f"| {iterations} | "
            + " | ".join(f"{s.seconds:,.1f} ({s.busy:.0%})" for s in found)
            + " |"
        )


WORKERS = (1, 2, 4, 8, 16, 64, 256, 1000)


def busy() -> None:
    """A pool whose workers wait as long as training would take, beside its simulation."""
    print("| workers | simulated, s | processes, s |")
    print("|---:|---:|---:|")
    each, n = 0.05, 120
    for n_workers in (1, 2, 4):
        expected = simulated((), lambda one: 0.0, [each] * n, n_workers).seconds
        with opened("processes", IdleBriefing(seconds=each), n_workers) as pool:
            trainer = PooledTrainer(Team(pool))
            train_all(trainer, some(8 * n_workers), MemoryJournal())
            wall = seconds(lambda t=trainer: train_all(t, some(n), Counting()))
        print(f"| {n_workers} | {expected:.1f} | {wall:.1f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
