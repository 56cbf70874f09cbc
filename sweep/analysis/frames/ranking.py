"""Which trial is better, and which are the best for their size.

The rule: lowest validation score first, whatever number of epochs it took (equal ones in the
order they were proposed); then trials without a score; failed trials last. A trial cut at a low
rung is ranked by the score it had there, and its status says so.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweep.analysis.frames.trial_status import TrialStatus


def order(
    val_score: NDArray[np.floating], failed: NDArray[np.bool_], trial: NDArray[np.integer]
) -> NDArray[np.intp]:
    """Return the positions of the trials from the best to the worst."""
    score = np.where(np.isfinite(val_score), val_score, np.inf)
    return np.lexsort((trial, score, failed))


def is_scored(trials: pd.DataFrame) -> "pd.Series[bool]":
    """Whether each trial may stand in a comparison: evaluated and not failed."""
    return trials["val_score"].notna() & (trials["status"] != TrialStatus.FAILED)


def frontier(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the trials with the lowest validation score reachable at each capacity.

    Columns params, val_score, trial and train_score, by increasing params. Each has a strictly
    lower validation score than all with no more parameters. Failed trials and those without a score
    or a parameter count are left out.
    """
    columns = ["params", "val_score", "trial", "train_score"]
    known = trials.loc[is_scored(trials) & trials["params"].notna(), columns]
    known = known.astype({"params": "int64"}).sort_values(columns)
    lowest_before = known["val_score"].cummin().shift(fill_value=np.inf)
    return known[known["val_score"] < lowest_before].reset_index(drop=True)
