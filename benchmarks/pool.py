"""Pools: what they cost an assignment, how busy workers are, and whether anything is lost by kills.

    python benchmarks/pool.py --cost --busy --beside --simulation
    python benchmarks/pool.py --chaos 100 --idle
    python benchmarks/pool.py --chaos 100 --minutes 60

The first takes under three minutes on a quiet machine with two cores. The cost is that of a trainer
that does nothing, with states of 10 KB and of 13 MB: there and back, and with the database and the
checkpoint files behind it, on the disk and in memory. For `--busy` and `--beside` see
`benchmarks/utilisation.py`, for chaos `benchmarks/chaos.py`.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chaos import chaos
from utilisation import beside, busy

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
SIZES = (("10 KB", 2_500, 8, 2_000), ("10 KB", 2_500, 64, 3_000), ("13 MB", 3_250_000, 8, 60))
"""A state, its numbers; assignments that each of two workers holds, and all."""
DISKS = {"disk": Path.cwd() / "results", "memory": Path("/dev/shm")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cost", action="store_true", help="Milliseconds an assignment.")
    parser.add_argument("--kinds", nargs="+", default=["processes", "Ray"], help="Of the cost.")
    parser.add_argument("--busy", action="store_true", help="Seconds beside those simulated.")
    parser.add_argument("--beside", action="store_true", help="A pool of 2 beside none.")
    parser.add_argument("--simulation", action="store_true", help="Up to 1,000 workers.")
    parser.add_argument("--chaos", type=int, default=0, help="Kills.")
    parser.add_argument("--idle", action="store_true", help="Chaos with trainers that do nothing.")
    parser.add_argument("--pools", nargs="+", default=["2", "ray:2"], help="Of the chaos.")
    parser.add_argument("--minutes", type=float, default=10, help="The chaos ends after so long.")
    parser.add_argument("--seed", type=int, default=0, help="Of the chaos.")
    options = parser.parse_args()
    if options.cost:
        flushes()
        cost(options.kinds)
    for is_asked, measure in (
        (options.busy, busy),
        (options.beside, beside),
        (options.simulation, simulation),
    ):
        if is_asked:
            measure()
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


def flushes() -> None:
    """What disk and memory can do: files written and flushed in a second, one or 16 at a time."""
    print("| files flushed a second | 10 KB | 10 KB, 16 at once | 13 MB, 16 at once |")
    print("|---|---:|---:|---:|")
    for name, place in DISKS.items():
        rates = [flushed(place, *one) for one in ((10_000, 1), (10_000, 16), (13_000_000, 16))]
        print(f"| {name} | " + " | ".join(f"{rate:,.0f}" for rate in rates) + " |", flush=True)


def flushed(place: Path, n_bytes: int, n_threads: int) -> float:
    content, n = os.urandom(n_bytes), 300 if n_bytes < 1e6 else 30
    with tempfile.TemporaryDirectory(dir=place) as folder:

        def write(number: int) -> None:
            with Path(folder, str(number)).open("wb") as file:
                file.write(content)
                os.fsync(file.fileno())

        with ThreadPoolExecutor(n_threads) as threads:
            return n / seconds(lambda: [*threads.map(write, range(n))])


def cost(kinds: list[str]) -> None:
    print(
        "\n| pool of 2 | state | in flight | there and back, ms | kept, ms of the head's processor "
        "| a second, each by itself | a second | a second, in memory |"
    )
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for kind in kinds:
        for size, floats, ahead, n in SIZES:
            with opened(kind, IdleBriefing(floats=floats, capacity=ahead), 2) as pool:
                trainer = PooledTrainer(Team(pool))
                train_all(trainer, some(4), MemoryJournal())  # all have started
                train_all(trainer, some(20), MemoryJournal())
                bare = seconds(lambda t=trainer, k=n: train_all(t, some(k), Counting())) / n
                single, _ = kept(trainer, n // 4, DISKS["disk"], Single)
                together, processor = kept(trainer, n, DISKS["disk"])
                memory, _ = kept(trainer, n, DISKS["memory"])
            rates = " | ".join(f"{1 / one:,.0f}" for one in (single, together, memory))
            times = f"{1e3 * bare:.2f} | {1e3 * processor:.2f}"
            print(f"| {kind} | {size} | {2 * ahead} | {times} | {rates} |", flush=True)


def kept(
    trainer: PooledTrainer, n: int, place: Path, journal_of: Callable[[Any], Any] | None = None
) -> tuple[float, float]:
    """Seconds an assignment, and of the head's processor, with database and checkpoint files."""
    with tempfile.TemporaryDirectory(dir=place) as root:
        folder, store = new_store(Path(root))
        trials = [Planned(NewTrial(None, 0, 0, seed, {}), 1) for seed in range(n)]
        store.add_wave({}, trials)
        journal: Any = StoreJournal(folder, store, "id")
        used = journal_of(journal) if journal_of is not None else journal
        with store:
            before = time.process_time()
            wall = seconds(lambda: train_all(trainer, store.pending(), used))
            return wall / n, (time.process_time() - before) / n


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
    print("\n| iterations | " + " | ".join(f"{n:,}" for n in WORKERS) + " |")
    print("|---:|" + "---:|" * len(WORKERS))
    for iterations in (1, 4, 16, 64):
        proposals = ladder(iterations, 81)
        found = (simulated(proposals, seconds_of, (), n) for n in WORKERS)
        print(
            f"| {iterations} | "
            + " | ".join(f"{s.seconds:,.1f} ({s.busy:.0%})" for s in found)
            + " |"
        )


WORKERS = (1, 2, 4, 8, 16, 64, 256, 1000)


if __name__ == "__main__":
    sys.exit(main())
