"""Each figure that a report promises beside its promise, by simulation with known truth.

    python benchmarks/trust.py [--check] [--repetitions N]

With --check it ends with 1 if a figure is outside its promise, and names the first that is. Chance
is allowed for: a share fails where a method that just keeps the promise would give it less than
once in a thousand runs.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from benchmarks.curves import share_found
from benchmarks.luck import JITTERS, WILD, decided, held_by_confirmed, held_by_intervals, regret
from benchmarks.ties import losses, paired_error, rates
from sweep.statistics import confidence_set as implementation
from sweep.statistics.confidence_set import confidence_set

SURELY = 1e-3
SEEDS = 0.01
"""Spread between seeds of the simulated trials, in nats."""


@dataclass(frozen=True)
class Figure:
    """A share that was simulated, and what is promised of it; no promise where both are None."""

    name: str
    found: float
    of: int
    """Simulations that it is a share of."""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def holds(self) -> bool:
        count = round(self.found * self.of)
        if self.at_most is not None:
            return count <= stats.binom.isf(SURELY, self.of, self.at_most)
        return self.at_least is None or count >= stats.binom.ppf(SURELY, self.of, self.at_least)

    @property
    def promise(self) -> str:
        if self.at_most is not None:
            return f"at most {self.at_most:.0%}"
        return "–" if self.at_least is None else f"at least {self.at_least:.0%}"

    @property
    def shown(self) -> str:
        return f"{self.found:.1%}"


@dataclass(frozen=True)
class Amount:
    """A mean in nats that was simulated, and the most that it is promised to be, if anything is."""

    name: str
    found: float
    of: int
    at_most: float | None = None
    """What is promised; None for no promise."""
    error: float = 0.0
    """Standard error of the amount less its promise."""

    @property
    def holds(self) -> bool:
        sure = stats.norm.isf(SURELY) * self.error
        return self.at_most is None or self.found <= self.at_most + sure

    @property
    def promise(self) -> str:
        return "–" if self.at_most is None else f"at most {self.at_most:.4f}"

    @property
    def shown(self) -> str:
        return f"{self.found:.4f}"


def figures(n: int) -> Iterator[Figure | Amount]:
    """Yield each figure, of about `n` simulations each; fewer where trials are many."""
    yield from _ties(n)
    yield from _seeds(n)
    yield from _epochs(n)
    yield from _choices(n)
    yield from _decisions(n)
    yield from _onsets(n)


ROWS = (200, 1_000, 10_000)
TRIALS = (5, 20, 100)


def _runs(n: int, trials: int, rows: int) -> int:
    """Simulations that take about as long as `n` of few trials on few rows."""
    return max(int(n / (1 + trials / 20) / (1 + rows / 2_000)), 20)


def _ties(n: int) -> Iterator[Figure]:
    for rows in ROWS:
        for trials in TRIALS[: 2 if rows > 1_000 else 3]:  # 100 on 10,000 rows take seconds each
            runs = _runs(n, trials, rows)
            where = f"{trials} trials, {rows:,} rows"
            wrong, _ = rates(trials, rows, 0, 0.0, runs)
            yield Figure(f"equal trials told apart: {where}", wrong, runs, at_most=0.05)
            _, found = rates(trials, rows, 1, 3.0, runs)
            yield Figure(
                f"one worse by 3 paired SE found: {where}",
                found,
                runs,
                at_least=0.75 if trials == 100 else 0.8,
            )
            left = one_better(trials, rows, runs)
            yield Figure(f"one better by 3 paired SE, all others ruled out: {where}", left, runs)


def one_better(trials: int, rows: int, runs: int) -> float:
    """Return how often one trial that is better than all others is left alone."""
    random, alone = np.random.default_rng(trials), 0
    for _ in range(runs):
        found = losses(trials, rows, random)
        found[0] -= 3 * paired_error_of(rows)
        alone += int(confidence_set(found).sum() == 1)
    return alone / runs


def paired_error_of(rows: int) -> float:
    return _ERRORS.setdefault(rows, paired_error(rows))


_ERRORS: dict[int, float] = {}


def _seeds(n: int) -> Iterator[Figure]:
    for trials in (2, 20):
        runs = max(n // (1 + trials // 20), 20)
        random = np.random.default_rng(trials)
        wrong = {0.0: 0, SEEDS: 0}
        for _ in range(runs):
            found = losses(trials, 1000, random) + SEEDS * random.normal(size=(trials, 1))
            for known in wrong:
                wrong[known] += not confidence_set(found, np.full(trials, known)).all()
        where = f"{trials} trials, 1,000 rows"
        name = "runs that differ in the seed alone told apart"
        yield Figure(f"{name}, over rows alone: {where}", wrong[0.0] / runs, runs)
        yield Figure(f"{name}, over rows and seeds: {where}", wrong[SEEDS] / runs, runs, 0.05)


def _epochs(n: int) -> Iterator[Figure]:
    """The choice of the epoch: intervals of a trial's score, and of a mean over seeds."""
    runs, name = 4 * n, "95 % interval holds the score on new rows"
    for rows in ROWS:
        for held, luck in (*JITTERS, WILD):
            found, before = held_by_intervals(runs, 81, rows, held, luck)
            where = f"{rows:,} rows, 81 epochs, luck {luck}"
            yield Figure(f"{name}: {where}", found / runs, runs, at_least=0.93)
            yield Figure(f"… without the choice of the epoch: {where}", before / runs, runs)
    runs = max(n // 3, 20)
    for seeds in (2, 5):
        for held, luck in (JITTERS[1], WILD):
            found, before = held_by_confirmed(runs, seeds, 1_000, held, luck)
            where = f"mean of {seeds} seeds, 1,000 rows, luck {luck}"
            yield Figure(f"{name}: {where}", found / runs, runs, at_least=0.93)
            yield Figure(f"… without the choice of the epoch: {where}", before / runs, runs)


def _choices(n: int) -> Iterator[Figure | Amount]:
    """What choices among trials lose on new rows."""
    for rows in ROWS:
        for trials in TRIALS:
            runs = max(_runs(n, trials, rows) // 2, 20)
            found = regret(runs, trials, rows)
            where = f"{trials} trials, {rows:,} rows"
            yield Amount(f"regret of the lowest score: {where}", found.lowest, runs)
            yield Amount(f"regret of the lowest expected score: {where}", found.best, runs)
            most = found.lowest + found.given_up
            name = "regret of the simplest (promised: the lowest's and what it gives up)"
            yield Amount(f"{name}: {where}", found.simplest, runs, most, found.error)


def _decisions(n: int) -> Iterator[Figure | Amount]:
    """How `sweep confirm --until decided` ends: leaders that are equal, and such that are not."""
    for rows in (200, 1_000, 10_000):
        runs = max(n // (1 + rows // 2_000), 20)
        for leaders in (2, 8):
            found = decided(runs, np.zeros(leaders), rows, 0.004)
            where = f"{leaders} equal leaders, {rows:,} rows"
            yield Figure(f"told apart by --until decided: {where}", found.wrong / runs, runs, 0.05)
        behind = np.array([0.0, 0.02, 0.02, 0.03, 0.04])
        found = decided(runs, behind, rows, 0.004)
        where = f"4 leaders 0.02 or more behind, {rows:,} rows"
        yield Figure(f"all ruled out by --until decided: {where}", found.right / runs, runs)
        yield Amount(f"runs that it takes: {where}", found.runs, runs)


def _onsets(n: int) -> Iterator[Figure]:
    for epochs in (9, 27, 81, 243):
        for spread in (0.004, 0.016):
            for correlation in (0.0, 0.5):
                where = f"{epochs} epochs, jitter {spread}, correlation {correlation}"
                found = share_found(2 * n, epochs, 0.0, spread, correlation)
                yield Figure(f"onset in a level curve: {where}", found, 2 * n, at_most=0.05)
    for epochs, most in ((27, 0.001), (41, 0.002), (81, 0.006), (243, 0.014), (600, 0.016)):
        found = share_found(n, epochs, 0.02, most, 0.0)
        name = f"rise of 0.02 found: {epochs} epochs, jitter {most}"
        yield Figure(name, found, n, at_least=0.9)
    for epochs, spread in ((81, 0.008), (81, 0.016), (243, 0.016)):
        found = share_found(n, epochs, 0.02, spread, 0.0)
        yield Figure(f"rise of 0.02 found: {epochs} epochs, jitter {spread}", found, n)


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


def main() -> int:
    """Print the table; return 1 if a figure is asked to hold and does not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--repetitions", type=int, default=300)
    asked = parser.parse_args()
    draw_once()
    print("| figure | found | of | promised |\n|---|---:|---:|---:|")
    for one in figures(asked.repetitions):
        print(f"| {one.name} | {one.shown} | {one.of:,} | {one.promise} |", flush=True)
        if asked.check and not one.holds:
            print(f"outside its promise: {one.name}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
