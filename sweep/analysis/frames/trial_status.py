"""What became of each trial, derived from its assignments in one place."""

from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray


class TrialStatus(StrEnum):
    """A trial's state in the report."""

    FINISHED = "finished"
    """Trained to `max_epochs`."""
    STOPPED = "stopped"
    """Early stopping ended it."""
    CUT = "cut"
    """Not promoted, and the sweep is over: its score is that of a short run."""
    WAITING = "waiting"
    """Trained its rung; may still be promoted."""
    RUNNING = "running"
    """Has an assignment to do and has trained some epochs."""
    PENDING = "pending"
    """Has an assignment to do and has not trained yet."""
    FAILED = "failed"


def statuses(
    *,
    failed: "pd.Series[bool]",
    pending: "pd.Series[bool]",
    stopped: "pd.Series[bool]",
    epochs: "pd.Series[int]",
    max_epochs: int,
    sweep_finished: bool,
) -> NDArray[np.object_]:
    """Return the status of each trial; the first condition that holds decides.

    `failed`, `pending` and `stopped` say whether any of the trial's assignments is so.
    """
    conditions = [
        (failed, TrialStatus.FAILED),
        (pending & (epochs == 0), TrialStatus.PENDING),
        (pending, TrialStatus.RUNNING),
        (stopped, TrialStatus.STOPPED),
        (epochs >= max_epochs, TrialStatus.FINISHED),
    ]
    rest = TrialStatus.CUT if sweep_finished else TrialStatus.WAITING
    result = np.full(len(failed), rest.value, dtype=object)
    for condition, status in reversed(conditions):
        result[condition.to_numpy(dtype=bool)] = status.value
    return result


def standing(status: str, epochs: int) -> str:
    """Return a trial's status in words that cannot be mistaken: "cut at epoch 3"."""
    if status in (TrialStatus.FINISHED, TrialStatus.PENDING):
        return status
    return f"{status} at epoch {epochs}" if epochs else status
