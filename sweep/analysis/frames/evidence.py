"""How sure the ranking is: errors, ties, the simplest good trial and classes, trial by trial."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweep.analysis.frames.expected import by_expectation, is_known
from sweep.analysis.frames.no_skill import NoSkill
from sweep.analysis.frames.other_seeds import SeedLosses
from sweep.analysis.frames.ranking import is_scored
from sweep.analysis.frames.trial_class import classes, gap_errors
from sweep.statistics.confidence_set import confidence_set
from sweep.statistics.paired import differences, standard_errors
from sweep.statistics.seed_spread import SeedSpread, seed_spread
from sweep.statistics.selection_bias import Optimism, optimism
from sweep.statistics.simplest import behind, simplest
from sweep.store import Losses
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.scoring import BINARY_CROSSENTROPY, Scoring

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]

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
    """Return val_score_se, difference, difference_se, behind, behind_se, tied, simplest and class.

    `trials` is ranked, with the columns of the report; `losses` may lack some trials or all, as
    in a sweep that an older version wrote: their errors are unknown. Ties are unknown for all
    when the best trial's losses are. The standard errors are over the rows alone. Ties and the
    simplest are by expected score, over rows, seeds (the trials' `spread` from seed to seed) and
    the choice of the epoch, if it is known.
    """
    trials = trials.reset_index(drop=True)
    found = pd.DataFrame(index=trials.index)
    for name in ("val_score_se", "difference", "difference_se", "behind", "behind_se"):
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
            values, own = expected_losses(trials, values, compared), spread.values[compared]
            own = np.hypot(own, _of_choice(trials, compared))
            found.loc[compared, "tied"] = confidence_set(values, own).tolist()
            found.loc[compared, ["behind", "behind_se"]] = np.column_stack(behind(values, own))
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
    """Return the selection bias of the best score, by expectation.

    `trials` as in `evidence`. None when its losses are unknown, or too few trials have any.
    """
    rows = _rows_of(trials, losses)
    ranked = by_expectation(trials[is_scored(trials)]).index.to_numpy()[:_CHOSEN_AMONG]
    if len(ranked) == 0 or rows[ranked[0]] < 0:
        return None
    known = ranked[rows[ranked] >= 0]
    return optimism(expected_losses(trials, losses.values[rows[known]], known))


def _rows_of(trials: pd.DataFrame, losses: Losses) -> np.ndarray:
    """Row of each trial in `losses`, -1 where there is none of its best epoch."""
    rows = {
        (int(trial), int(epoch)): row
        for row, (trial, epoch) in enumerate(zip(losses.trials, losses.epochs, strict=True))
    }
    best = trials["best_epoch"].fillna(0).astype("int64")
    pairs = zip(trials["trial"], best, strict=True)
    return np.array([rows.get((int(trial), int(epoch)), -1) for trial, epoch in pairs], dtype=int)


def _of_choice(trials: pd.DataFrame, positions: Positions) -> Floats:
    """What the choice of the epoch adds to each trial's score; 0 where it is not known for all."""
    if not is_known(trials):
        return np.zeros(len(positions))
    found: Floats = trials["choice_of_epoch"].to_numpy(dtype=float)[positions]
    return found


def expected_losses(
    trials: pd.DataFrame, losses: NDArray[np.float32], positions: Positions
) -> NDArray[np.floating]:
    """Return losses whose means are the expected scores: (trials, rows), as `losses`."""
    adds = _of_choice(trials, positions)
    return losses + adds[:, None] if adds.any() else losses


def _simplest(trials: pd.DataFrame, found: pd.DataFrame) -> "pd.Series[bool]":
    """Which trial is the simplest, by number of parameters; missing for all if errors are.

    Of trials with equally many it is the one with the lowest expected score.
    """
    marked = pd.Series([None] * len(found), index=found.index, dtype=object)
    ranked = by_expectation(trials[is_scored(trials)]).index.to_numpy()
    params = trials["params"].to_numpy(dtype=float, na_value=np.nan)[ranked]
    values, errors = (found[name].to_numpy()[ranked] for name in ("behind", "behind_se"))
    position = simplest(values, errors, params)
    if position is not None:
        marked[:] = found.index == ranked[position]
    return marked
