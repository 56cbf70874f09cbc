"""How often the model confidence set errs, and what it finds: simulated trials on simulated rows.

The losses are binary cross-entropies of logits that share the row's signal and differ by noise
of their own, so they are skewed and correlated as those of real trials are. All trials have the
same expected loss but for those made worse by a given number of paired standard errors.

    python benchmarks/ties.py [REPETITIONS]
"""

import sys
from functools import cache

import numpy as np

from sweep.metrics import example_losses
from sweep.statistics.confidence_set import confidence_set

NOISE = 0.5
"""Of the trials' logits; the signal has spread 1. Two trials' losses then correlate by 0.75."""


def losses(n_trials: int, n_rows: int, random: np.random.Generator) -> np.ndarray:
    """Losses of trials with the same expectation, shape (trials, rows)."""
    signal = random.normal(size=n_rows)
    labels = random.random(n_rows) < 1 / (1 + np.exp(-signal))
    logits = signal + NOISE * random.normal(size=(n_trials, n_rows))
    return example_losses(logits, labels)


@cache
def paired_error(n_rows: int) -> float:
    """Standard error of the difference of two such trials over `n_rows` rows."""
    one, other = losses(2, 1_000_000, np.random.default_rng(0))
    return float((one - other).std() / np.sqrt(n_rows))


def rates(
    n_trials: int, n_rows: int, n_worse: int, errors_worse: float, repetitions: int
) -> tuple[float, float]:
    """Share of runs in which an equally good trial is left out; of worse trials found."""
    random = np.random.default_rng(n_trials * 1000 + n_worse)
    shift = np.zeros((n_trials, 1))
    if n_worse:
        shift[-n_worse:] = errors_worse * paired_error(n_rows)
    wrong, found = 0, 0
    for _ in range(repetitions):
        members = confidence_set(losses(n_trials, n_rows, random) + shift)
        good, worse = np.split(members, [n_trials - n_worse])
        wrong += not good.all()
        found += int((~worse).sum())
    return wrong / repetitions, found / repetitions / max(n_worse, 1)


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    print("| trials | rows | worse | by SE | equal ones told apart | worse ones found |")
    print("|---:|---:|---:|---:|---:|---:|")
    for n_rows in (1000, 100):
        for n_trials in (2, 10, 100):
            for n_worse, by in dict.fromkeys(((0, 0.0), (1, 3.0), (n_trials // 2, 3.0), (1, 3.5))):
                wrong, found = rates(n_trials, n_rows, n_worse, by, repetitions)
                power = f"{found:.1%}" if n_worse else "–"
                print(f"| {n_trials} | {n_rows:,} | {n_worse} | {by} | {wrong:.1%} | {power} |")


if __name__ == "__main__":
    main()
