"""Each figure that a report promises beside its promise, by simulation with known truth.

    python benchmarks/trust.py [--check] [--repetitions N]

With --check it ends with 1 if a figure is outside its promise, and names the first that is. Chance
is allowed for: a share fails where a method that just keeps the promise would give it less than
once in a thousand runs.
"""

import argparse
import functools
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from benchmarks.curves import share_found
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


def figures(n: int) -> Iterator[Figure]:
    """Yield each figure, of about `n` simulations each; fewer where trials are many."""
    yield from _ties(n)
    yield from _seeds(n)
    yield from _onsets(n)


def _ties(n: int) -> Iterator[Figure]:
    for rows in (200, 1000):
        for trials in (5, 20, 100):
            runs = max(n // (1 + trials // 20), 20)
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


def _onsets(n: int) -> Iterator[Figure]:
    for epochs in (9, 27, 81, 243):
        for spread in (0.004, 0.016):
            for correlation in (0.0, 0.5):
                where = f"{epochs} epochs, jitter {spread}, correlation {correlation}"
                found = share_found(2 * n, epochs, 0.0, spread, correlation)
                yield Figure(f"onset in a level curve: {where}", found, 2 * n, at_most=0.05)
    for epochs, most in ((27, 0.001), (41, 0.002), (81, 0.005), (243, 0.012), (600, 0.016)):
        found = share_found(n, epochs, 0.02, most, 0.0)
        name = f"rise of 0.02 found: {epochs} epochs, jitter {most}"
        yield Figure(name, found, n, at_least=0.9)
    for epochs, spread in ((81, 0.016), (81, 0.008), (243, 0.016)):
        found = share_found(n, epochs, 0.02, spread, 0.0)
        yield Figure(f"rise of 0.02 found: {epochs} epochs, jitter {spread}", found, n)


def draw_once() -> None:
    """Keep the drawn rows: their seed is fixed, and they are most of a set's time."""
    draw = implementation._weights

    @functools.lru_cache(maxsize=4)
    def drawn(n_rows: int, draws: int) -> np.ndarray:
        return draw(np.random.default_rng(0), n_rows, draws)

    implementation._weights = lambda _, n_rows, draws: drawn(n_rows, draws)


def main() -> int:
    """Print the table; return 1 if a figure is asked to hold and does not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--repetitions", type=int, default=300)
    asked = parser.parse_args()
    draw_once()  # sets of up to 4,000 rows are drawn at a time
    print("| figure | found | promised |\n|---|---:|---:|")
    for one in figures(asked.repetitions):
        print(f"| {one.name} | {one.found:.1%} | {one.promise} |", flush=True)
        if asked.check and not one.holds:
            print(f"outside its promise: {one.name}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
