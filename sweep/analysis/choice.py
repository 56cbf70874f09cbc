"""Which trial to take, by a rule."""

from sweep.analysis.frames import SweepFrames
from sweep.analysis.ranking import is_scored


def chosen(frames: SweepFrames, rule: str) -> int | None:
    """The trial that is `best`, the first in rank; None when there is none."""
    trials = frames.trials[is_scored(frames.trials)]
    return None if trials.empty else int(trials["trial"].iloc[0])
