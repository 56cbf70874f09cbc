"""Errors of validation scores, and the paired difference of two trials on the same rows.

All trials are scored on the same validation rows, so most of a row's difficulty cancels in the
difference of two trials: its error is that of the mean of the rows' differences, and far smaller
than the error of either score.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sweep.special_functions import stdtrit
from sweep.statistics.confidence import CONFIDENCE

_AT_ONCE = 100
"""Trials in double precision at a time: all of 10,000 would take 80 MB."""


@dataclass(frozen=True)
class Difference:
    """Validation score of one trial minus that of another; below 0, the first is better."""

    value: float
    se: float
    """Standard error over the validation rows; NaN for a single row."""
    low: float
    high: float
    """Ends of the 95 % confidence interval."""


def standard_errors(losses: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return SD/√n of each trial's mean loss: (trials, rows) → (trials,); NaN for a single row."""
    n_rows = losses.shape[-1]
    if n_rows < 2:
        return np.full(losses.shape[:-1], np.nan)
    spread: NDArray[np.float64] = losses.std(axis=-1, ddof=1, dtype=np.float64)
    return spread / math.sqrt(n_rows)


def differences(
    losses: NDArray[np.floating], other: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each trial's paired difference to `other`, and the standard errors.

    (trials, rows) and (rows,) → (trials,) twice; a trial's difference to itself is 0 ± 0.
    """
    values, errors = np.empty(len(losses)), np.empty(len(losses))
    rows = other.astype(np.float64)
    for start in range(0, len(losses), _AT_ONCE):
        chosen = slice(start, start + _AT_ONCE)
        d = losses[chosen] - rows
        values[chosen], errors[chosen] = d.mean(axis=-1), standard_errors(d)
    return values, errors


def difference(one: NDArray[np.floating], other: NDArray[np.floating]) -> Difference:
    """Return the paired difference of two trials' losses (rows,), with Student's t interval."""
    values, errors = differences(one[None, :], other)
    value, se = float(values[0]), float(errors[0])
    reach = float(stdtrit(max(len(one) - 1, 1), (1 + CONFIDENCE) / 2)) * se
    return Difference(value, se, value - reach, value + reach)
