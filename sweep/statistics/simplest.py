"""The simplest of the trials that are as good as the best: the one-standard-error rule, paired.

Breiman, Friedman, Olshen and Stone, "Classification and Regression Trees" (1984), section 3.4.3;
there with the error of the score instead of the difference. The error is over rows and seeds: under
other seeds a difference that is sure over the rows may well turn round.
"""

import numpy as np
from numpy.typing import NDArray

from sweep.statistics.paired import differences

Floats = NDArray[np.float64]


def behind(losses: NDArray[np.floating], spread: Floats) -> tuple[Floats, Floats]:
    """Return how far each trial is behind the lowest mean, and the standard errors: (trials,).

    `losses` has the shape (trials, rows); `spread` (trials,) is what each mean is uncertain by
    beside the rows. The lowest is 0 ± 0 behind.
    """
    best = int(losses.mean(axis=1, dtype=np.float64).argmin())
    values, errors = differences(losses, losses[best])
    errors = np.hypot(errors, np.hypot(spread, spread[best]))
    errors[best] = 0.0
    return values, errors


def simplest(values: Floats, errors: Floats, params: Floats) -> int | None:
    """Return the position of the fewest `params` within one error of the best, the first of equals.

    NaN is unknown: such a trial is never the simplest. None if there is no other.
    """
    within = (values <= errors) & np.isfinite(params)
    return int(np.where(within, params, np.inf).argmin()) if within.any() else None
