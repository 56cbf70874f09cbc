"""Which trials to test and which to repeat, by a rule."""

from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.other_seeds import decisive
from sweep.analysis.frames.ranking import is_scored

RULES = ("best", "simplest")


def chosen(frames: SweepFrames, rule: str) -> int | None:
    """Return the trial that `rule` (best or simplest) names; None if it names none.

    The best is the first by its mean over other seeds when the first in rank has such a mean
    with an error, else the first in rank. The simplest has the fewest parameters within one
    paired standard error of the first in rank (see `frames.ties`).
    """
    trials = frames.trials[is_scored(frames.trials)]
    if rule == "simplest":
        trials = trials[trials["simplest"].fillna(False).astype(bool)]
    elif len(means := decisive(trials, frames.confirmed)):
        trials = means
    return None if trials.empty else int(trials["trial"].iloc[0])


def to_confirm(frames: SweepFrames, top: int) -> list[int]:
    """Return the `top` trials by score in the search, the simplest tied one and the baselines."""
    trials = frames.trials[is_scored(frames.trials)]
    wanted = list(trials["trial"].iloc[:top])
    wanted += list(trials.loc[trials["simplest"].fillna(False).astype(bool), "trial"])
    wanted += list(trials.loc[trials["baseline"].notna(), "trial"].sort_values())
    return [int(trial) for trial in dict.fromkeys(wanted)]
