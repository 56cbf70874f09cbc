"""Whether trials overfit, and from which capacity on."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sweep.statistics.onset import TOLERANCE, too_jittery

RISE = 4 * TOLERANCE
"""Nats of a BCE: a rise over the second half of a curve that matters."""
LEAST_EPOCHS = 5
"""Epochs below which a trial cannot show its onset: the window that smooths the curve."""


@dataclass(frozen=True)
class Overfitting:
    """How many trials overfit, and which. Trials below `LEAST_EPOCHS` epochs are not counted."""

    judged: int
    """Trials long enough."""
    too_jittery: int
    """Of those where none was seen, the ones in whose jitter a rise of `rise` could be lost."""
    rise: float
    """In the score's unit: 0.02 nats of a BCE."""
    seen: int
    """Those whose validation score rose for good."""
    from_params: int | None
    """The smallest trial from which on at least half of the trials judged overfit."""
    smallest_params: int | None
    """The smallest trial that overfits."""
    earliest_onset: int | None


def overfitting(trials: pd.DataFrame, epochs: pd.DataFrame, scale: float = 1.0) -> Overfitting:
    """Return how many of `trials` (those with a score) overfit, and from which capacity on.

    `epochs` has their curves, sorted; `scale` is what counts as a nat.
    """
    judged = trials[(trials["epochs"] >= LEAST_EPOCHS) & trials["params"].notna()]
    judged = judged.sort_values(["params", "trial"], ascending=False)
    seen, rise = judged["onset_epoch"].notna().to_numpy(), RISE * scale
    level = judged.loc[~seen, "trial"]
    of_level = epochs[epochs["trial"].isin(level)]
    names, numbers = np.unique(of_level["trial"].to_numpy(), return_inverse=True)
    lost = too_jittery(numbers, of_level["val_score"].to_numpy(dtype=float), len(names), rise)
    params = judged["params"].to_numpy(dtype="int64")
    share = np.cumsum(seen) / np.arange(1, len(seen) + 1)
    last_of_size = np.r_[params[:-1] != params[1:], True] if len(params) else params.astype(bool)
    half = np.flatnonzero((share >= 0.5) & last_of_size)
    from_half = params[: half[-1] + 1][seen[: half[-1] + 1]] if len(half) else params[:0]
    return Overfitting(
        judged=len(judged),
        too_jittery=int(lost.sum()),
        rise=rise,
        seen=int(seen.sum()),
        from_params=int(from_half.min()) if len(from_half) else None,
        smallest_params=int(params[seen].min()) if seen.any() else None,
        earliest_onset=int(judged["onset_epoch"].min()) if seen.any() else None,
    )
