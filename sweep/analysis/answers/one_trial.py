"""All that the store knows about one trial: its row, its epochs, its rungs, its checkpoint."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweep.analysis.answers.two_trials import as_json, trial_row
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.trial_class import ERRORS, TrialClass
from sweep.records import Json
from sweep.store import Store
from sweep.tasks.score_words import ScoreWords

SCHEMA = "sweep.trial/1"
_BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Details:
    """One trial: its row, its epochs, its rungs, its checkpoint, the error of its gap."""

    sweep: str
    row: "pd.Series[Any]"
    """Its row of `SweepFrames.trials`."""
    n_trials: int
    epochs: pd.DataFrame
    """Its epoch records, in order."""
    rungs: list[Json]
    """Its assignments in order, with status, score, trainer, seconds, error and traceback."""
    checkpoint: str | None
    no_skill: float
    """Training rows' score without skill; NaN if it is unknown."""
    gap_se: float
    """NaN when errors are unknown."""
    names: list[str]
    """Hyperparameters, in the order of the search space."""
    shown: ScoreWords
    """How scores are shown to people."""

    @property
    def best(self) -> "pd.Series[Any] | None":
        """The epoch record of the trial's best epoch; None if no epoch was evaluated."""
        found = self.epochs[self.epochs["epoch"] == self.row["best_epoch"]]
        return None if pd.isna(self.row["best_epoch"]) or found.empty else found.iloc[0]

    def to_json(self) -> Json:
        best, records = self.best, self.epochs.drop(columns="trial").to_dict("records")
        return {
            "schema": SCHEMA,
            "sweep": self.sweep,
            "trial": as_json(self.row),
            "gap_se": self.gap_se,
            "reason": reason(self),
            "best": None if best is None else records[int(best["epoch"]) - 1],
            "rungs": self.rungs,
            "checkpoint": self.checkpoint,
            "epochs": records,
        }


def details(store: Store, frames: SweepFrames, trial: int) -> Details:
    """Return all about trial number `trial`. Raises NotFoundError if there is no such trial."""
    row = trial_row(frames, trial)
    columns, rows = store.table("assignment")
    left_out = {"oracle_id", "root_id", "trial"}
    assignments = [dict(zip(columns, values, strict=True)) for values in rows]
    found = store.checkpoint(trial)
    return Details(
        sweep=frames.sweep.name,
        row=row,
        n_trials=len(frames.trials),
        epochs=frames.epochs[frames.epochs["trial"] == trial].reset_index(drop=True),
        rungs=[
            {name: value for name, value in one.items() if name not in left_out}
            for one in assignments
            if one["trial"] == trial
        ],
        checkpoint=None if found is None else found[0],
        no_skill=frames.no_skill.floor,
        gap_se=frames.gap_se(row["val_score_se"]),
        names=frames.hyperparameter_names,
        shown=frames.score_words,
    )


def reason(found: Details) -> str | None:
    """Return why the trial has its class, with the numbers of the rule; None without a class."""
    row, epochs, shown = found.row, found.epochs, found.shown
    if row["class"] is None:
        return None
    if row["class"] == TrialClass.DIVERGED:
        measured = epochs[["fit_loss", "train_score", "val_score"]].to_numpy()
        lost = np.flatnonzero(~np.isfinite(measured).all(axis=1))
        if len(lost):
            return f"a loss was not finite in epoch {epochs['epoch'].iloc[lost[0]]}"
        first, last = (shown.score(float(epochs["train_score"].iloc[at])) for at in (0, -1))
        guessing = f"{shown.score(found.no_skill)} (guessing) and "
        return (
            f"{shown.train} ended at {last}, {shown.above} "
            f"{'' if math.isnan(found.no_skill) else guessing}the {first} of its first epoch"
        )
    limit = f"2 of its errors ({_size(found, ERRORS * found.gap_se)})"
    last_gap = float((epochs["val_score"] - epochs["train_score"]).iloc[-1])
    rose = not pd.isna(row["onset_epoch"])
    if row["class"] == TrialClass.BALANCED:
        if rose:
            return f"tied with the best; the gap ended at {_size(found, last_gap)}, within {limit}"
        return f"tied with the best, and {shown.val} did not {shown.rise} for good"
    behind, gap = _size(found, row["difference"]), _size(found, row["gap"])
    if row["class"] == TrialClass.OVERFIT and rose and last_gap > ERRORS * found.gap_se:
        return (
            f"{shown.val} {shown.rose} for good after epoch {row['onset_epoch']}, and the gap "
            f"ended at {_size(found, last_gap)}, beyond {limit}"
        )
    if row["class"] == TrialClass.OVERFIT:
        return f"{behind} worse than the best, and most of that is its gap of {gap}, beyond {limit}"
    if float(row["gap"]) <= ERRORS * found.gap_se:
        return f"{behind} worse than the best, and its gap of {gap} is within {limit}"
    return f"{behind} worse than the best, and its gap of {gap} is the smaller part of that"


def _size(found: Details, value: Any) -> str:
    """The text of a difference of scores."""
    return found.shown.gap(float(value))


def sparkline(values: NDArray[np.floating], width: int) -> str:
    """Return the curve of `values` as at most `width` characters, each the mean of its part.

    The lowest value has the lowest block.
    """
    parts = np.array_split(np.asarray(values, dtype=float), min(width, len(values)) or 1)
    means = [float(part[np.isfinite(part)].mean()) if np.isfinite(part).any() else np.nan
             for part in parts]  # fmt: skip
    known = [mean for mean in means if np.isfinite(mean)]
    if not known:
        return ""
    low, span = min(known), max(known) - min(known) or 1.0
    return "".join(
        " " if np.isnan(mean) else _BLOCKS[int((mean - low) / span * (len(_BLOCKS) - 1) + 0.5)]
        for mean in means
    )
