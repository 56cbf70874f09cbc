"""How sure the ranking is: errors, ties, the simplest good trial and classes, trial by trial."""

import numpy as np
import pandas as pd

from sweep.analysis.frames.no_skill import NoSkill
from sweep.analysis.frames.other_seeds import SeedLosses
from sweep.analysis.frames.ranking import is_scored
from sweep.analysis.frames.trial_class import classes, gap_errors
from sweep.statistics.confidence_set import confidence_set
from sweep.statistics.paired import differences, standard_errors
from sweep.statistics.seed_spread import SeedSpread, seed_spread
from sweep.statistics.selection_bias import Optimism, optimism
from sweep.store import Losses
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.scoring import BINARY_CROSSENTROPY, Scoring

_CHOSEN_AMONG = 500
"""Best trials among which the choice is played again: one further behind is hardly ever chosen."""

_LEAST_ROWS = 2
"""Validation rows that a standard error takes."""


def why_errors_are_unknown(validation_rows: int, scoring: Scoring = BINARY_CROSSENTROPY) -> str:
    """Return why a sweep with so many validation rows has scores without errors."""
    if scoring.objective is ObjectiveName.METRIC:
        return f"{scoring.metric} is a metric of the models, and no mean over rows"
    if validation_rows < _LEAST_ROWS:
        return f"too few validation rows for an error: {validation_rows}"
    return "this sweep was made by an older version, which did not keep per-row losses"


def evidence(
    trials: pd.DataFrame,
    epochs: pd.DataFrame,
    losses: Losses,
    train_rows: int,
    level: NoSkill,
    spread: SeedSpread,
) -> pd.DataFrame:
    """Return val_score_se, difference, difference_se, tied, simplest and class of each trial.

    `trials` is ranked, with the columns of the report; `losses` may lack some trials or all, as
    in a sweep that an older version wrote: their errors are unknown. Ties are unknown for all
    when the best trial's losses are. The standard errors are over the rows alone; ties are over
    rows and seeds, with the trials' `spread` from seed to seed.
    """
    trials = trials.reset_index(drop=True)
    found = pd.DataFrame(index=trials.index)
    for name in ("val_score_se", "difference", "difference_se"):
        found[name] = np.nan
    found["tied"] = pd.Series([None] * len(trials), index=found.index, dtype=object)
    rows = _rows_of(trials, losses)  # each trial's row of losses, -1 for none
    has = np.flatnonzero(rows >= 0)
    n_rows = losses.values.shape[1]
    if n_rows >= _LEAST_ROWS:
        found.loc[has, "val_score_se"] = standard_errors(losses.values[rows[has]])
        compared = has[is_scored(trials).to_numpy(dtype=bool)[has]]
        if len(compared) and compared[0] == 0:
            values = losses.values[rows[compared]]
            found.loc[compared, ["difference", "difference_se"]] = np.column_stack(
                differences(values, values[0])
            )
            found.loc[compared, "tied"] = confidence_set(values, spread.values[compared]).tolist()
    found["simplest"] = _simplest(trials, found)
    gap_se = gap_errors(found["val_score_se"].to_numpy(), n_rows, max(train_rows, 1))
    named = classes(trials.join(found[["difference", "tied"]]), epochs, gap_se, level)
    found["class"] = pd.Series([name or None for name in named], index=found.index, dtype=object)
    return found


def spread_of_seeds(trials: pd.DataFrame, by_seed: SeedLosses, level: NoSkill) -> SeedSpread:
    """Return how far each trial's score spreads from seed to seed: measured, else the prior.

    `by_seed` has the losses of the repeated ones, baselines and trials of several runs included.
    """
    params = trials["params"].to_numpy(dtype=float, na_value=np.nan)
    sizes = dict(zip(trials["trial"].astype(int), params, strict=True))
    repeated = [(sizes[trial], table) for trial, table in sorted(by_seed.items())]
    return seed_spread(params, repeated, level.scale)


def optimism_of_best(trials: pd.DataFrame, losses: Losses) -> Optimism | None:
    """Return the selection bias of the score of the first trial.

    `trials` as in `evidence`. None when its losses are unknown, or too few trials have any.
    """
    rows = _rows_of(trials, losses)
    compared = rows[is_scored(trials).to_numpy(dtype=bool)][:_CHOSEN_AMONG]
    if len(compared) == 0 or compared[0] < 0:
        return None
    return optimism(losses.values[compared[compared >= 0]])


def _rows_of(trials: pd.DataFrame, losses: Losses) -> np.ndarray:
    """Row of each trial in `losses`, -1 where there is none of its best epoch."""
    rows = {
        (int(trial), int(epoch)): row
        for row, (trial, epoch) in enumerate(zip(losses.trials, losses.epochs, strict=True))
    }
    best = trials["best_epoch"].fillna(0).astype("int64")
    pairs = zip(trials["trial"], best, strict=True)
    return np.array([rows.get((int(trial), int(epoch)), -1) for trial, epoch in pairs], dtype=int)


def _simplest(trials: pd.DataFrame, found: pd.DataFrame) -> "pd.Series[bool]":
    """The one-standard-error rule in paired form: True for the trial with the fewest parameters
    whose difference to the best is within one paired standard error; of equal ones the first in
    rank. Missing for all when errors are unknown.

    Breiman, Friedman, Olshen and Stone, "Classification and Regression Trees" (1984), section
    3.4.3; there with the error of the score instead of the difference.
    """
    marked = pd.Series([None] * len(found), index=found.index, dtype=object)
    within = (found["difference"] <= found["difference_se"]) & trials["params"].notna()
    if within.any():
        simplest = trials.loc[within, "params"].astype("int64").idxmin()
        marked[:] = [position == simplest for position in found.index]
    return marked
