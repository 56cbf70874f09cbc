"""Trials repeated under other seeds: the mean that each configuration reaches.

A searched trial's own run is not part of its mean, because it was chosen for its score. A
baseline's own run is, because it was not chosen, and so is that of a trial of which the search had
several runs (see `runs`). The validation rows are those of the search, so
repeats do not remove selection bias that comes from these rows; only the sealed test rows do.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweep.analysis.frames.expected import by_expectation
from sweep.analysis.frames.trial_status import TrialStatus
from sweep.special_functions import stdtrit
from sweep.statistics.confidence import CONFIDENCE
from sweep.statistics.seeds_and_rows import mean
from sweep.store import Losses

COLUMNS = {
    "rank": "place by the expected score, or by the mean over seeds where one is unknown",
    "trial": "number of the trial that was repeated",
    "baseline": "name of the baseline, none for a searched trial",
    "params": "trainable parameters",
    "seeds": "runs that the mean is over",
    "val_score": "mean over the seeds of the lowest validation score",
    "val_score_se": "its standard error, over seeds and validation rows",
    "choice_of_epoch": "mean over the seeds of what the choice of the epoch makes the score too "
    "good by, none if unknown",
    "expected_score": "val_score plus choice_of_epoch: the score to expect on new rows",
    "val_score_low": "lower end of the 95 % confidence interval of expected_score, or of val_score "
    "if that is unknown",
    "val_score_high": "upper end",
    "search_val_score": "score of the trial's own run",
    "bias": "search_val_score - val_score, below 0 if the score in the search was better than the "
    "repeats; none for a baseline, and for a trial whose own run was cut",
    "train_score": "mean over the seeds, at the best epochs",
    "gap": "val_score - train_score",
    "overfit": "runs in which the validation score rose for good",
    "onset_epoch": "median of the onsets; a run without one counts as later than all",
    "onset_first": "the earliest onset, none without one",
    "onset_last": "the latest onset, none when a run has none",
    "epochs": "mean number of epochs trained",
    "seconds": "wall time of all these runs",
}
"""Columns of `SweepFrames.confirmed` in order: the data dictionary."""

_ENDED = (TrialStatus.FINISHED, TrialStatus.STOPPED)
_INTEGERS = ("params", "onset_epoch", "onset_first", "onset_last")

SeedLosses = Mapping[int, NDArray[np.float32]]
"""By confirmed trial: validation losses of its runs at their best epochs, (seeds, rows)."""


def runs(trials: pd.DataFrame, confirmations: pd.DataFrame, executions: int = 1) -> pd.DataFrame:
    """Return the runs that count, with their onsets; column `confirms` says of which trial.

    They are the repeats that ended, and the own runs of baselines that are repeated. A search
    that had several `executions` of each trial chose by their mean: they and the trial's own run
    count until it is repeated under seeds that the search did not know, and no longer.
    """
    ended = confirmations[confirmations["status"].isin(_ENDED)]
    counts = trials["baseline"].notna()
    if executions > 1:
        searched = ended["confirms"].isin(trials.loc[~counts, "trial"])
        later = searched & (ended["seed_number"] > executions)
        again = trials["trial"].isin(ended.loc[later, "confirms"])
        ended = ended[later | ~ended["confirms"].isin(trials.loc[again & ~counts, "trial"])]
        counts |= ~again
    own = counts & trials["status"].isin(_ENDED)
    own &= trials["trial"].isin(ended["confirms"])
    baselines = trials[own].assign(confirms=trials.loc[own, "trial"])
    if ended.empty:
        return baselines
    return pd.concat([baselines, ended]) if len(baselines) else ended


def seed_losses(runs: pd.DataFrame, losses: Losses) -> SeedLosses:
    """Return the losses by seed and row of each repeated trial that has them for every run."""
    row = {int(trial): number for number, trial in enumerate(losses.trials)}
    return {
        trial: losses.values[[row[int(one)] for one in group["trial"]]]
        for trial, group in _by_trial(runs)
        if all(int(one) in row for one in group["trial"])
    }


def confirmed(trials: pd.DataFrame, runs: pd.DataFrame, losses: SeedLosses) -> pd.DataFrame:
    """Return one row per repeated trial, the lowest mean first; columns as `COLUMNS`.

    The mean is that of the expected scores, if they are known of all.
    """
    own = {
        int(row["trial"]): row
        for _, row in trials[trials["trial"].isin(runs["confirms"])].iterrows()
    }
    rows = [_row(trial, own[trial], group, losses.get(trial)) for trial, group in _by_trial(runs)]
    found = pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "rank"])
    by = "expected_score" if is_by_expected(found) else "val_score"
    found = found.sort_values([by, "val_score", "trial"]).reset_index(drop=True)
    names = found["baseline"].astype(object)
    found["baseline"] = names.where(names.notna(), None)
    found.insert(0, "rank", np.arange(1, len(found) + 1))
    return found.astype(dict.fromkeys(_INTEGERS, "Int64"))


def is_by_expected(found: pd.DataFrame) -> bool:
    """Return whether the order of the repeated trials is that of their expected scores."""
    return bool(found["expected_score"].notna().all())


def _by_trial(runs: pd.DataFrame) -> list[tuple[int, pd.DataFrame]]:
    confirms = runs["confirms"].to_numpy(dtype="int64")
    return [(int(trial), runs[confirms == trial]) for trial in np.unique(confirms)]


def _row(
    trial: int, own: "pd.Series[float]", runs: pd.DataFrame, losses: NDArray[np.float32] | None
) -> dict[str, object]:
    value, error, ends = float(runs["val_score"].mean()), np.nan, (np.nan, np.nan)
    adds = float(runs["choice_of_epoch"].astype("float64").mean(skipna=False))
    if losses is not None:
        estimate = mean(losses)
        error = estimate.error
        ends = estimate.interval if np.isnan(adds) else estimate.corrected(adds, adds).interval
    onsets = runs["onset_epoch"].astype("float64").fillna(np.inf)
    middle = float(np.sort(onsets)[(len(onsets) - 1) // 2])  # an epoch that there was
    train, is_own = float(runs["train_score"].mean()), (runs["trial"] == trial).any()
    return {
        "trial": trial,
        "baseline": own["baseline"],
        "params": own["params"],
        "seeds": len(runs),
        "val_score": value,
        "val_score_se": error,
        "choice_of_epoch": adds,
        "expected_score": value + adds,
        "val_score_low": ends[0],
        "val_score_high": ends[1],
        "search_val_score": own["val_score"],
        "bias": np.nan
        if is_own or own["baseline"] is not None or own["status"] not in _ENDED
        else own["val_score"] - value,  # a run that was cut had fewer epochs to find its best in
        "train_score": train,
        "gap": value - train,
        "overfit": int(np.isfinite(onsets).sum()),
        "onset_epoch": _epoch(middle),
        "onset_first": _epoch(float(onsets.min())),
        "onset_last": _epoch(float(onsets.max())),
        "epochs": float(runs["epochs"].astype("float64").mean()),
        "seconds": float(runs["seconds"].sum()),
    }


def _epoch(onset: float) -> float:
    return onset if np.isfinite(onset) else np.nan


def decisive(trials: pd.DataFrame, confirmed: pd.DataFrame) -> pd.DataFrame:
    """Return the repeated trials whose means have errors, if these decide which is the best.

    They do when the best by expected score is among them; none otherwise, as where only baselines
    have other seeds and a trial of the search is ahead of them. `trials` has a score each.
    """
    known = confirmed[confirmed["val_score_se"].notna()]
    return (
        known
        if by_expectation(trials)["trial"].head(1).isin(known["trial"]).any()
        else known.head(0)
    )


@dataclass(frozen=True)
class Bias:
    """Mean difference between scores in the search and means of repeats."""

    value: float
    """Below 0 if the scores in the search were better than the repeats."""
    error: float
    """Standard error over the trials; NaN for a single one."""
    trials: int

    @property
    def is_sure(self) -> bool:
        """Whether it differs from 0 at the 95 % level: Student's t over the trials."""
        if self.trials < 2 or not np.isfinite(self.error):
            return False
        reach = float(stdtrit(self.trials - 1, (1 + CONFIDENCE) / 2))
        return abs(self.value) > reach * self.error


def bias(confirmed: pd.DataFrame) -> Bias | None:
    """Return the mean difference over the searched trials that were repeated; None without any.

    Those whose own run was cut are left out: like is compared with like.
    """
    values = confirmed["bias"].dropna().to_numpy(dtype=float)
    if len(values) == 0:
        return None
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan
    return Bias(float(values.mean()), error, len(values))
