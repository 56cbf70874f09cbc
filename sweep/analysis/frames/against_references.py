"""Whether a network is worth it: the best trial against the reference models, row by row.

If repeats decide which trial is the best, their mean is compared, with an error over seeds and
rows (see `seeds_and_rows`); a reference model is taken as it is. Otherwise the best trial's own run
is compared, with the paired error of the rows and the spread from seed to seed. No reference model
has epochs, so what the choice of the epoch adds is taken off. And that run was chosen for its
score, so it must be better by more than the selection bias (see `optimism`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweep.analysis.frames.expected import by_expectation
from sweep.analysis.frames.no_skill import NoSkill
from sweep.analysis.frames.other_seeds import SeedLosses, decisive
from sweep.analysis.frames.ranking import is_scored
from sweep.metrics import NO_SKILL_NAME
from sweep.statistics.paired import difference
from sweep.statistics.seed_spread import SeedSpread
from sweep.statistics.seeds_and_rows import Mean, mean
from sweep.statistics.selection_bias import Optimism
from sweep.store import Losses, Reference


@dataclass(frozen=True)
class Advantage:
    """Validation score of a trial minus that of a reference model; below 0, the trial is better."""

    reference: str
    trial: int
    baseline: str | None
    seeds: int
    """Runs of the trial that the mean is over; 1 for the own run of one that was chosen."""
    value: float
    """By expected score, if the choice of the epoch is known."""
    se: float
    """Standard error over rows, seeds and, if it is known, the choice of the epoch."""
    low: float
    high: float
    """Ends of the 95 % confidence interval."""
    too_good: float
    """What choosing the trial adds to its advantage; 0 for a mean over other seeds."""

    @property
    def is_better(self) -> bool | None:
        """Whether the trial is better than the reference model; None if it cannot be told."""
        if self.high + self.too_good < 0:
            return True
        return False if self.low > 0 else None


def advantages(
    trials: pd.DataFrame,
    losses: Losses,
    confirmed: pd.DataFrame,
    by_seed: SeedLosses,
    references: Sequence[Reference],
    optimism: Optimism | None,
    spread: SeedSpread,
) -> tuple[Advantage, ...]:
    """Return the advantage of the best trial over each reference model that has skill.

    The best is the first by the mean of repeats, if there is one, or else by expected score.
    `spread` is that from seed to seed of each of `trials`.

    Empty when the rows' losses of either side are not known.
    """
    by_trial = dict(zip(trials["trial"].astype(int), spread.values, strict=True))
    trials = trials[is_scored(trials)]
    known = decisive(trials, confirmed)
    own = not len(known)
    trials = by_expectation(trials)
    chosen = (trials if own else known).head(1)[["trial", "baseline", "choice_of_epoch"]]
    found = []
    for trial, baseline, adds in chosen.itertuples(index=False):
        rows = _own_losses(losses, trial) if own else by_seed[trial]
        adds = 0.0 if np.isnan(adds) else float(adds)
        for one in references:
            if one.name != NO_SKILL_NAME and rows.shape[1:] == one.losses.shape and len(rows):
                over = _difference(rows, one.losses, by_trial[trial]).corrected(adds, adds)
                added = optimism.bias if own and optimism is not None else 0.0
                ends = over.value, over.error, *over.interval
                found.append(
                    Advantage(one.name, int(trial), baseline, len(rows), *ends, too_good=added)
                )
    return tuple(found)


def beats_guessing(
    trials: pd.DataFrame,
    losses: Losses,
    references: Sequence[Reference],
    level: NoSkill,
    optimism: Optimism | None,
) -> bool | None:
    """Return whether the best trial by expected score is better than no skill, beyond chance.

    By the paired difference to the reference model, or else by the error of the trial's own score;
    less the selection bias and what the choice of the epoch adds. None if neither is known.
    """
    first = by_expectation(trials[is_scored(trials)]).head(1)
    if first.empty or not level.is_known or first["val_score_se"].isna().all():
        return None
    rows = _own_losses(losses, int(first["trial"].iloc[0]))
    stored = [one.losses for one in references if one.name == NO_SKILL_NAME]
    level_rows = np.full(rows.shape[1], level.validation)
    if stored and rows.shape[1:] == stored[0].shape:
        level_rows = stored[0]
    if not len(rows):
        return None
    bias = 0.0 if optimism is None else optimism.bias
    adds = float(np.nan_to_num(first["choice_of_epoch"].iloc[0]))
    return bool(difference(rows[0], level_rows).high + bias + adds < 0)


def _own_losses(losses: Losses, trial: int) -> NDArray[np.float32]:
    """Shape (1, rows), or (0, rows) when they are unknown."""
    found: NDArray[np.float32] = losses.values[losses.trials == trial]
    return found


def _difference(rows: NDArray[np.float32], reference: NDArray[np.float32], spread: float) -> Mean:
    """The mean difference over rows and seeds; `rows` has the shape (seeds, rows).

    Of a single seed, `spread` is the standard deviation from seed to seed.
    """
    if len(rows) > 1:
        return mean(rows.astype(np.float64) - reference.astype(np.float64))
    one = difference(rows[0], reference)
    return Mean(one.value, one.se, max(rows.shape[1] - 1, 1)).corrected(0.0, spread)


def is_worth(found: Sequence[Advantage]) -> bool | None:
    """Return True if the network beats every reference, False if one beats it, else None."""
    better = [one.is_better for one in found]
    if False in better:
        return False
    return True if better and all(better) else None
