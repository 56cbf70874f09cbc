"""Which trials to take, by a rule."""

from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.other_seeds import decisive
from sweep.analysis.frames.ranking import is_scored

RULES = ("best", "simplest")


def chosen(frames: SweepFrames, rule: str) -> int | None:
    """The trial that is `best` or `simplest`; None when there is none or it cannot be told.

    The best is the first by its mean over other seeds when the first in rank has such a mean
    with an error, else the first in rank. The simplest has the fewest parameters within one
    paired standard error of the first in rank (see `evidence`).
    """
    trials = frames.trials[is_scored(frames.trials)]
    if rule == "simplest":
        trials = trials[trials["simplest"].fillna(False).astype(bool)]
    elif len(means := decisive(trials, frames.confirmed)):
        trials = means
    return None if trials.empty else int(trials["trial"].iloc[0])


def to_confirm(frames: SweepFrames, top: int) -> list[int]:
    """The `top` trials by their scores in the search, the simplest tied one, the baselines."""
    trials = frames.trials[is_scored(frames.trials)]
    wanted = list(trials["trial"].iloc[:top])
    wanted += list(trials.loc[trials["simplest"].fillna(False).astype(bool), "trial"])
    wanted += list(trials.loc[trials["baseline"].notna(), "trial"].sort_values())
    return [int(trial) for trial in dict.fromkeys(wanted)]
