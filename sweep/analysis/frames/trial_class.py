"""A class for each trial as it was trained: underfit, balanced, overfit or diverged.

Every rule and formula stands here. Scores are lower if they are better. SE(gap) is the error of the
gap between the validation and the training rows' score; that of training follows from the number of
its rows.

diverged   a loss was not finite, or training ended with a train score above both no skill (of the
           training rows, see `no_skill`; if it is known) and that of the first epoch, by more than
           the onset's tolerance
overfit    the validation score rose for good (the onset is known) and the gap was beyond 2 SE(gap)
           at the end; or the trial is worse than the best (not tied) and the gap, beyond 2 SE(gap),
           is the larger part of it
underfit   worse than the best otherwise: it is behind on its own training rows already
balanced   tied with the best, and not overfit

The parts: val − the best's val = (train − the best's val) + gap, what the trial failed to learn and
what it failed to generalise, all at its best epoch.
"""

import math
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweep.analysis.frames.no_skill import NoSkill
from sweep.statistics.onset import TOLERANCE

ERRORS = 2.0
"""Standard errors beyond which a gap is not chance."""


class TrialClass(StrEnum):
    """What became of a trial's fit."""

    UNDERFIT = "underfit"
    BALANCED = "balanced"
    OVERFIT = "overfit"
    DIVERGED = "diverged"


def gap_errors(
    val_score_se: NDArray[np.floating], validation_rows: int, train_rows: int
) -> NDArray[np.float64]:
    """Return SE(gap) = SE(val score) · √(1 + validation rows / train rows).

    `train_rows` are those that training scores are measured on. Takes their losses to spread as the
    validation rows' do; those of an overfit trial spread less, so this is on the safe side.
    """
    return np.asarray(val_score_se, dtype=float) * math.sqrt(1 + validation_rows / train_rows)


def classes(
    trials: pd.DataFrame, epochs: pd.DataFrame, gap_se: NDArray[np.floating], no_skill: NoSkill
) -> list[str]:
    """Return the class of each trial; "" if it was not evaluated or its error is unknown.

    `trials` has the columns trial, gap, onset_epoch, difference (to the best) and tied; `epochs`
    those of the epoch records, sorted; `gap_se` is in the order of `trials`.
    """
    curves = _curves(epochs, no_skill).reindex(trials["trial"].to_numpy())
    gap, last_gap = trials["gap"].to_numpy(dtype=float), curves["last_gap"].to_numpy(dtype=float)
    known = trials["tied"].notna().to_numpy()
    tied = trials["tied"].to_numpy(dtype=bool)  # None is False
    rose = trials["onset_epoch"].notna().to_numpy() & (last_gap > ERRORS * gap_se)
    larger_part = gap > trials["difference"].to_numpy(dtype=float) / 2
    found = np.select(
        [
            (curves["diverged"] == True).to_numpy(dtype=bool),  # noqa: E712  (missing: no epochs)
            ~known,
            rose | (~tied & larger_part & (gap > ERRORS * gap_se)),
            ~tied,
        ],
        [TrialClass.DIVERGED.value, "", TrialClass.OVERFIT.value, TrialClass.UNDERFIT.value],
        default=TrialClass.BALANCED.value,
    )
    return [str(one) for one in found]


def _curves(epochs: pd.DataFrame, no_skill: NoSkill) -> pd.DataFrame:
    """Return for each trial whether it diverged, and the gap after its last epoch."""
    # a script's own training tells nothing of its training rows, which is no loss that exploded
    told = [name for name in ("fit_loss", "train_score") if epochs[name].notna().any()]
    measured = epochs[["val_score", *told]]
    finite = pd.Series(np.isfinite(measured).all(axis=1), index=epochs.index)
    by_trial = epochs.groupby("trial", sort=True)
    first, last = by_trial.nth(0).set_index("trial"), by_trial.nth(-1).set_index("trial")
    level = np.fmax(first["train_score"], no_skill.floor)  # of an unknown level, the other
    floor = level + TOLERANCE * no_skill.scale
    return pd.DataFrame(
        {
            "diverged": ~finite.groupby(epochs["trial"]).all() | (last["train_score"] > floor),
            "last_gap": last["val_score"] - last["train_score"],
        }
    )
