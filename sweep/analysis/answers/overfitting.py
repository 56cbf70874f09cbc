"""Whether trials overfit, and from which capacity on."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

LEAST_EPOCHS = 5
"""Epochs below which a trial cannot show its onset: the window that smooths the curve."""


@dataclass(frozen=True)
class Overfitting:
    """How many trials overfit, and which. Trials below `LEAST_EPOCHS` epochs are not counted."""

    judged: int
    """Trials long enough."""
    seen: int
    """Those whose validation score rose for good."""
    from_params: int | None
    """The smallest trial from which on at least half of the trials judged overfit."""
    smallest_params: int | None
    """The smallest trial that overfits."""
    earliest_onset: int | None


def overfitting(trials: pd.DataFrame) -> Overfitting:
    """Return how many of `trials` (those with a score) overfit, and from which capacity on."""
    judged = trials[(trials["epochs"] >= LEAST_EPOCHS) & trials["params"].notna()]
    judged = judged.sort_values(["params", "trial"], ascending=False)
    seen = judged["onset_epoch"].notna().to_numpy()
    params = judged["params"].to_numpy(dtype="int64")
    share = np.cumsum(seen) / np.arange(1, len(seen) + 1)
    last_of_size = np.r_[params[:-1] != params[1:], True] if len(params) else params.astype(bool)
    half = np.flatnonzero((share >= 0.5) & last_of_size)
    from_half = params[: half[-1] + 1][seen[: half[-1] + 1]] if len(half) else params[:0]
    return Overfitting(
        judged=len(judged),
        seen=int(seen.sum()),
        from_params=int(from_half.min()) if len(from_half) else None,
        smallest_params=int(params[seen].min()) if seen.any() else None,
        earliest_onset=int(judged["onset_epoch"].min()) if seen.any() else None,
    )
