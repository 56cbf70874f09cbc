"""Simulated trials whose scores are lucky: by their epochs, seeds and rows, with known truth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.curves import Curves, expected, jitter
from benchmarks.ties import losses
from sweep.statistics.choice_of_epoch import FOLDS, too_good
from sweep.statistics.confidence import Z
from sweep.statistics.deciding import decide
from sweep.statistics.seeds_and_rows import mean
from sweep.statistics.simplest import behind, simplest

SEEDS = 0.003
"""Spread between seeds that the choice of the simplest reckons with: the prior of networks."""
ROW_SPREAD = 0.5
"""Standard deviation of the losses of single rows."""


@dataclass(frozen=True)
class Trials:
    """Trials with known truth: what is kept of each epoch, and what it gives on new rows."""

    folds: NDArray[np.float64]
    """Scores over each fold of the validation rows: (trials, epochs, folds)."""
    true: Curves
    """The score on new rows: (trials, epochs)."""

    @property
    def chosen(self) -> NDArray[np.intp]:
        """Position of each trial's lowest epoch on the validation rows: (trials,)."""
        lowest: NDArray[np.intp] = self.folds.mean(axis=2).argmin(axis=1)
        return lowest

    @property
    def scores(self) -> NDArray[np.float64]:
        """The lowest score of each trial: (trials,)."""
        lowest: NDArray[np.float64] = self.folds.mean(axis=2).min(axis=1)
        return lowest

    @property
    def true_scores(self) -> NDArray[np.float64]:
        """What the chosen epochs give on new rows: (trials,)."""
        found: NDArray[np.float64] = self.true[np.arange(len(self.true)), self.chosen]
        return found


def trials_with_luck(
    level: Curves, rows: int, held: float, luck: float, random: np.random.Generator,
    common: Curves | None = None,
) -> Trials:  # fmt: skip
    """Return trials whose expected curves are `level` (trials, epochs), on `rows` rows.

    Their curves jitter by `held`, which is in the score on new rows too, and by `luck`, which is
    in that on 1,000 validation rows alone: slow, with a correlation of 0.95 from epoch to epoch,
    as in the networks of `epochs.py`. What all epochs share of the rows' luck is `common`
    (trials, folds), or else drawn.
    """
    n, epochs = level.shape
    true = level + jitter(n, epochs, held, 0.3, random)
    of_fold = np.sqrt(FOLDS * 1000 / rows)
    if common is None:
        common = common_luck(n, rows, random)
    own = jitter(n * FOLDS, epochs, luck * of_fold, 0.95, random)
    own = own.reshape(n, FOLDS, epochs).transpose(0, 2, 1)
    return Trials(true[..., None] + common[:, None, :] + own, true)


def common_luck(n: int, rows: int, random: np.random.Generator) -> Curves:
    """Return how much easier than others each fold of the rows is: (n, folds)."""
    return ROW_SPREAD * np.sqrt(FOLDS / rows) * random.normal(size=(n, FOLDS))


JITTERS = ((0.0005, 0.003), (0.002, 0.005), (0.003, 0.01))
"""Spreads of what holds and of luck: of calm networks, of larger ones, of such that overfit; as in
`epochs.py` about the best epoch."""
WILD = (0.02, 0.02)
"""The same long after it."""


def held_by_intervals(n: int, epochs: int, rows: int, held: float, luck: float) -> tuple[int, int]:
    """Return in how many of `n` trials the 95 % interval holds the score on new rows.

    First with the choice of the epoch, then without it.
    """
    random = np.random.default_rng(epochs + rows)
    trials = trials_with_luck(np.tile(expected(epochs, 0.02), (n, 1)), rows, held, luck, random)
    adds = too_good(trials.folds, rows)
    error = np.hypot(ROW_SPREAD, luck * np.sqrt(1000)) / np.sqrt(rows)
    off = trials.true_scores - trials.scores
    corrected = np.abs(off - adds) <= Z * np.hypot(error, adds)
    return int(corrected.sum()), int((np.abs(off) <= Z * error).sum())


def held_by_confirmed(
    n: int, seeds: int, rows: int, held: float, luck: float, spread: float = 0.004
) -> tuple[int, int]:
    """Return the same of the interval of one configuration's mean over `seeds` seeds."""
    random, epochs = np.random.default_rng(seeds), 41
    true, intervals = np.empty(n), np.empty((2, n, 2))
    for one in range(n):
        level = expected(epochs, 0.02) + spread * random.normal(size=(seeds, 1))
        level = level + jitter(seeds, epochs, held, 0.3, random)
        own = jitter(seeds * rows, epochs, luck * np.sqrt(1000), 0.95, random)
        own = own.reshape(seeds, rows, epochs).transpose(0, 2, 1)
        table = level[..., None] + ROW_SPREAD * random.normal(size=rows) + own
        chosen = np.arange(seeds), table.mean(axis=2).argmin(axis=1)
        folds = table.reshape(seeds, epochs, rows // FOLDS, FOLDS).mean(axis=2)
        adds = float(too_good(folds, rows).mean())
        plain = mean(table[chosen])
        true[one] = level[chosen].mean()
        intervals[:, one] = plain.corrected(adds, adds).interval, plain.interval
    held_by = (intervals[..., 0] <= true.mean()) & (true.mean() <= intervals[..., 1])
    with_choice, without = held_by.sum(axis=1)
    return int(with_choice), int(without)


@dataclass(frozen=True)
class Regret:
    """What a choice among trials loses on new rows against the best of them, on average."""

    lowest: float
    """Of the lowest score."""
    best: float
    """Of the lowest expected score."""
    simplest: float
    """Of the simplest."""
    given_up: float
    """What the simplest says that it gives up against the best."""
    error: float
    """Standard error of the loss of the simplest against the lowest, less what it gives up."""


def regret(n: int, n_trials: int, rows: int) -> Regret:
    """Return the regret of choices, over `n` sweeps of trials of unlike sizes, levels and luck."""
    random = np.random.default_rng(n_trials + rows)
    found = np.empty((n, 4))
    for one in range(n):
        curve = expected(41, 0.02)
        level = curve + 0.01 * random.exponential(size=(n_trials, 1))
        which = random.integers(len(JITTERS), size=n_trials)
        common, trials = common_luck(1, rows, random), []
        for trial in range(n_trials):
            held, luck = JITTERS[which[trial]]
            trials.append(trials_with_luck(level[trial, None], rows, held, luck, random, common))
        scores = np.array([float(one.scores[0]) for one in trials])
        true = np.array([float(one.true_scores[0]) for one in trials])
        adds = too_good(np.concatenate([one.folds for one in trials]), rows)
        table = losses(n_trials, rows, random)
        table = table - table.mean(axis=1, keepdims=True) + (scores + adds)[:, None]
        values, errors = behind(table, np.hypot(SEEDS, adds))
        choice = simplest(values, errors, random.random(n_trials))
        position = 0 if choice is None else choice
        chosen = scores.argmin(), (scores + adds).argmin(), position
        found[one] = *(true[list(chosen)] - true.min()), values[position]
    error = (found[:, 2] - found[:, 0] - found[:, 3]).std(ddof=1) / np.sqrt(n)
    return Regret(*found.mean(axis=0).tolist(), error=float(error))


@dataclass(frozen=True)
class Decided:
    """How `confirm --until decided` ends."""

    wrong: int
    """Times that one is called worse which is not worse than the leader."""
    right: int
    """Times that all that are worse are called so."""
    runs: float
    """Mean number of runs that were trained."""


def decided(n: int, behind_by: NDArray[np.float64], rows: int, spread: float) -> Decided:
    """Return how it ends in `n` sweeps whose leaders are truly `behind_by` (leaders,) the best.

    What every run of a configuration shares on these rows has a spread of 0.1 a row, what each seed
    has of its own one of 0.1 a row too, and `spread` in its mean on new rows.
    """
    random, wrong, right, runs = np.random.default_rng(1), 0, 0, 0
    for _ in range(n):
        shared = behind_by[:, None] + 0.1 * random.normal(size=(len(behind_by), rows))
        tables = [np.empty((0, rows))] * len(behind_by)
        wanted = np.full(len(behind_by), 2)
        while wanted.any():
            for one in np.flatnonzero(wanted):
                new = spread * random.normal(size=(wanted[one], 1))
                new = shared[one] + new + 0.1 * random.normal(size=(wanted[one], rows))
                tables[one] = np.concatenate((tables[one], new))
            found = decide(tables, np.zeros(len(tables)), np.full(len(tables), spread))
            wanted = found.next_seeds
        worse = behind_by > behind_by[found.leader]
        wrong += bool((found.told_apart & ~worse).any())
        right += bool((found.told_apart == (behind_by > behind_by.min())).all())
        runs += int(sum(found.seeds))
    return Decided(wrong, right, runs / n)
