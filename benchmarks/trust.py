"""Each figure that a report promises beside its promise, by simulation with known truth.

    python benchmarks/trust.py [--check] [--write] [--simulations N] [--processes N]

With --check it ends with 1 if a figure is outside its promise, and names each that is. Chance is
allowed for: a share fails where a method that just keeps the promise would give it less than once
in a thousand runs. With --write the tables of README.md, docs/statistics.md and
benchmarks/README.md are written anew. Seeds are fixed: the same number of simulations gives the
same figures. What is promised stands in `promised.py`.
"""

import argparse
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks import fresh
from benchmarks import promised as law
from benchmarks.curves import most_found, share_found
from benchmarks.luck import JITTERS, WILD, decided, held_by_confirmed, held_by_intervals, regret
from benchmarks.promised import Amount, Figure, Share, missed
from benchmarks.shown import write
from benchmarks.ties import losses, paired_error, rates
from sweep.statistics import confidence_set as implementation
from sweep.statistics.confidence_set import confidence_set

ROWS = (200, 1_000, 10_000)
TRIALS = (5, 20, 100)
SEEDS = 0.01
"""Spread between seeds of the simulated trials, in nats."""
SIMULATIONS = 2_000

Part = tuple[Callable[..., list[Figure]], tuple[int, ...]]


def parts(n: int) -> list[Part]:
    """Return what is simulated, in the order of the table, with about `n` simulations a figure."""
    tables = [(rows, trials) for rows in ROWS for trials in TRIALS]
    found: list[Part] = [(networks, (max(n * fresh.SWEEPS // SIMULATIONS, 2),))]
    found += [(ties, (_runs(n, trials, rows), trials, rows)) for rows, trials in tables]
    found += [(seeds, (_runs(n, trials, 1_000), trials)) for trials in (2, 20)]
    found += [(intervals, (2 * n, rows)) for rows in ROWS]
    found += [(intervals_of_means, (n // 2, runs)) for runs in (2, 5)]
    found += [(choices, (_runs(n, trials, rows), trials, rows)) for rows, trials in tables]
    found += [(decisions, (_runs(n, 8, rows), rows)) for rows in ROWS]
    found += [(level_curves, (2 * n, epochs)) for epochs in (9, 12, 27, 81, 243)]
    return [*found, (rises, (n,))]


def _runs(n: int, trials: int, rows: int) -> int:
    """Simulations that take about as long as `n` of few trials on few rows."""
    return max(int(n / (1 + trials / 100) / (1 + rows / 5_000)), 20)


def networks(sweeps: int) -> list[Figure]:
    """Real searches, whose truth is 500,000 fresh events."""
    return fresh.figures(sweeps)


def ties(n: int, trials: int, rows: int) -> list[Figure]:
    """Equal trials; one that is worse, and one that is better, than equals."""
    where = f"{trials} trials, {rows:,} rows"
    wrong, _ = rates(trials, rows, 0, 0.0, n)
    _, found = rates(trials, rows, 1, 3.0, n)
    return [
        Share(law.EQUAL_TOLD_APART, where, wrong, n),
        Share(law.WORSE_OF_MANY_FOUND if trials == 100 else law.WORSE_FOUND, where, found, n),
        Share(law.BETTER_ALONE, where, one_better(trials, rows, n), n),
    ]


def one_better(trials: int, rows: int, n: int) -> float:
    """Return how often one trial that is better than all others is left alone."""
    random, alone = np.random.default_rng(trials), 0
    for _ in range(n):
        found = losses(trials, rows, random)
        found[0] -= 3 * paired_error(rows)
        alone += int(confidence_set(found).sum() == 1)
    return alone / n


def seeds(n: int, trials: int) -> list[Figure]:
    """Runs that differ in nothing but the seed."""
    random, wrong = np.random.default_rng(trials), {0.0: 0, SEEDS: 0}
    for _ in range(n):
        found = losses(trials, 1000, random) + SEEDS * random.normal(size=(trials, 1))
        for known in wrong:
            wrong[known] += not confidence_set(found, np.full(trials, known)).all()
    where = f"{trials} trials, 1,000 rows"
    return [
        Share(law.ROWS_ALONE, where, wrong[0.0] / n, n),
        Share(law.ROWS_AND_SEEDS, where, wrong[SEEDS] / n, n),
    ]


def intervals(n: int, rows: int) -> list[Figure]:
    """The interval of a trial's score, with the choice of its epoch and without."""
    found: list[Figure] = []
    for held, luck in (*JITTERS, WILD):
        with_choice, without = held_by_intervals(n, 81, rows, held, luck)
        where = f"{rows:,} rows, 81 epochs, luck {luck}"
        found.append(Share(law.INTERVAL_HOLDS, where, with_choice / n, n))
        found.append(Share(law.WITHOUT_CHOICE, where, without / n, n))
    return found


def intervals_of_means(n: int, runs: int) -> list[Figure]:
    """The interval of a configuration's mean over its runs under other seeds."""
    found: list[Figure] = []
    for held, luck in (JITTERS[1], WILD):
        with_choice, without = held_by_confirmed(n, runs, 1_000, held, luck)
        where = f"{runs} seeds, 1,000 rows, luck {luck}"
        found.append(Share(law.MEAN_INTERVAL_HOLDS, where, with_choice / n, n))
        found.append(Share(law.MEAN_WITHOUT_CHOICE, where, without / n, n))
    return found


def choices(n: int, trials: int, rows: int) -> list[Figure]:
    """What choices among trials lose on new rows."""
    found, where = regret(n, trials, rows), f"{trials} trials, {rows:,} rows"
    behind = found.simplest - found.lowest
    return [
        Amount(law.LOWEST, where, found.lowest, n),
        Amount(law.EXPECTED, where, found.best, n),
        Amount(law.SIMPLEST, where, behind, n, found.given_up, found.error),
    ]


def decisions(n: int, rows: int) -> list[Figure]:
    """How `sweep confirm --until decided` ends: leaders that are equal, and such that are not."""
    found: list[Figure] = []
    for leaders in (2, 8):
        wrong = decided(n, np.zeros(leaders), rows, 0.004).wrong
        where = f"{leaders} equal leaders, {rows:,} rows"
        found.append(Share(law.DECIDED_WRONGLY, where, wrong / n, n))
    ended = decided(n, np.array([0.0, 0.02, 0.02, 0.03, 0.04]), rows, 0.004)
    where = f"4 leaders 0.02 or more behind, {rows:,} rows"
    found.append(Share(law.ALL_DECIDED, where, ended.right / n, n))
    return [*found, Amount(law.DECIDING_RUNS, where, ended.runs, n, digits=1)]


def level_curves(n: int, epochs: int) -> list[Figure]:
    """Onsets that are seen in curves that do not rise."""
    return [
        Share(law.FALSE_ONSET, f"{epochs} epochs, jitter {spread}, correlation {correlation}",
              share_found(n, epochs, 0.0, spread, correlation), n)
        for spread in (0.004, 0.016)
        for correlation in (0.0, 0.5, 0.9)
    ]  # fmt: skip


LIMITS = ((27, 0.0018), (41, 0.0035), (81, 0.0075), (243, 0.017), (600, 0.026))
"""Epochs, and the jitter up to which a rise of 0.02 is to be found; half of it if correlated."""


def rises(n: int) -> list[Figure]:
    """Onsets that are seen in curves that rise by 0.02, beside the most that any test can see."""
    found: list[Figure] = []
    for epochs, most in LIMITS:
        for correlation, spread in ((0.0, most), (0.5, round(most / 2.5, 5))):
            where = f"{epochs} epochs, jitter {spread}, correlation {correlation}"
            share = share_found(n, epochs, 0.02, spread, correlation)
            found.append(Share(law.RISE_FOUND, where, share, n))
    for epochs in (27, 41, 81, 243):
        for spread in (0.008, 0.016):
            where = f"{epochs} epochs, jitter {spread}"
            share = share_found(n, epochs, 0.02, spread, 0.0)
            found.append(Share(law.RISE_SMALL, where, share, n))
            found.append(Share(law.RISE_MOST, where, most_found(epochs, 0.02, spread), 0))
    return found


def ready() -> None:
    """Prepare a process for its parts, which run side by side: one thread, rows drawn once."""
    threadpool_limits(1)
    draw_once()


def draw_once() -> None:
    """Keep the drawn rows: their seed is fixed, and they are most of a set's time."""
    draw, kept = implementation._weights, {}

    def drawn(random: np.random.Generator, n_rows: int, draws: int) -> np.ndarray:
        before = random.bit_generator.state["state"]["state"], n_rows, draws
        if before not in kept:
            if len(kept) > _KEPT:
                kept.clear()
            kept[before] = draw(random, n_rows, draws), random.bit_generator.state
        weights, random.bit_generator.state = kept[before]
        return weights

    implementation._weights = drawn


_KEPT = 8
"""Blocks of drawn rows in memory, of 32 MB at most."""


def simulated(part: Part) -> list[Figure]:
    """Return the figures of a part."""
    function, given = part
    return function(*given)


def main() -> int:
    """Print the table; return 1 if a figure is asked to hold and does not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="end with 1 if a promise is broken")
    parser.add_argument("--write", action="store_true", help="write the tables of the pages")
    parser.add_argument("--simulations", type=int, default=SIMULATIONS, help="of a quick figure")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    began, figures = time.monotonic(), []
    with ProcessPoolExecutor(asked.processes, initializer=ready) as pool:
        for found in pool.map(simulated, parts(asked.simulations)):
            for one in found:
                figures.append(one)
                print(f"{one.law}: {one.where}: {one.shown} ({one.promise})", flush=True)
    if asked.write:
        took = (time.monotonic() - began) / 60
        write(figures, f"`--simulations {asked.simulations}`, {took:.0f} minutes.")
    failed = missed(figures)
    print("\n".join(failed) or "every figure is within its promise", file=sys.stderr)
    return 1 if asked.check and failed else 0


if __name__ == "__main__":
    sys.exit(main())
