"""What each trial's score is expected to be on new rows: the score less the luck of its epoch.

The ranking is by the score as it was measured. What is said of trials (ties, the best, the
simplest, the advantage over reference models) is by the expected score, if the choice of the epoch
is known for all of them: see `statistics.choice_of_epoch`.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweep.analysis.frames.ranking import is_scored
from sweep.statistics.choice_of_epoch import FOLDS, too_good
from sweep.store import Folds

COLUMNS = {
    "choice_of_epoch": "what val_score is too good by because its epoch was chosen, on average; "
    "its standard error is about as large; none if unknown",
    "expected_score": "val_score plus choice_of_epoch: the score to expect on new rows",
}
"""Columns that are added here to trials and to repeats."""


def with_expectation(
    trials: pd.DataFrame, epochs: pd.DataFrame, folds: Folds, n_rows: int
) -> pd.DataFrame:
    """Return the trials with the columns `COLUMNS`; `epochs` are their epoch records."""
    finite = epochs.loc[np.isfinite(epochs["val_score"].to_numpy(dtype=float)), ["trial"]]
    counts = finite.groupby("trial").size().reindex(trials["trial"], fill_value=0)
    adds = _choice_of_epoch(trials["trial"].to_numpy(dtype=int), counts.to_numpy(), folds, n_rows)
    scores = trials["val_score"].to_numpy(dtype=float)
    adds = np.where(np.isfinite(scores), adds, np.nan)
    return trials.assign(choice_of_epoch=adds, expected_score=scores + adds)


def _choice_of_epoch(
    trials: NDArray[np.integer], counts: NDArray[np.integer], folds: Folds, n_rows: int
) -> NDArray[np.float64]:
    """(trials,); NaN for a trial of which an epoch has no folds. `counts` are its epochs."""
    found = np.full(len(trials), np.nan)
    if folds.values.shape[1:] != (FOLDS,):
        return found
    first, end = (np.searchsorted(folds.trials, trials, side) for side in ("left", "right"))
    for count in np.unique(counts[counts > 0]):
        chosen = np.flatnonzero((counts == count) & (end - first >= count))
        if count == 1:  # nothing was chosen
            found[chosen] = 0.0
        elif len(chosen):
            found[chosen] = too_good(folds.values[first[chosen, None] + np.arange(count)], n_rows)
    return found


def is_known(trials: pd.DataFrame) -> bool:
    """Whether the choice of the epoch is known for every trial that has a score."""
    scored = trials[is_scored(trials)]
    return len(scored) > 0 and bool(scored["expected_score"].notna().all())


def by_expectation(trials: pd.DataFrame) -> pd.DataFrame:
    """Return ranked trials with a score each, the lowest expected score first.

    As they are ranked where the choice of an epoch is not known.
    """
    if not is_known(trials):
        return trials
    return trials.sort_values(["expected_score", "rank"], kind="stable")
