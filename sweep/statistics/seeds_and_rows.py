"""Means over seeds and validation rows, with an error that holds both sources of noise.

The losses of one configuration under K seeds on n rows are a crossed table: seeds and rows are
both drawn at random, and every seed meets every row. With the mean squares of the two-way
layout,

    variance of the mean = (MS_seeds + MS_rows - MS_rest) / (K n),

where a component of variance that comes out negative counts as 0: S. R. Searle, G. Casella,
C. E. McCulloch, "Variance Components" (1992), chapter 4. For the difference of two configurations
the rows are the same and pair up, the seeds are not. Degrees of freedom: F. E. Satterthwaite,
Biometrics Bulletin 2 (1946) 110.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sweep.special_functions import stdtr, stdtrit
from sweep.statistics.confidence import CONFIDENCE


@dataclass(frozen=True)
class Mean:
    """A mean score with its standard error; NaN where there is a single seed or row."""

    value: float
    error: float
    freedom: float
    """Degrees of freedom of the error."""

    def corrected(self, by: float, error: float) -> "Mean":
        """Return the mean with `by` added to it, which has a standard error of its own."""
        return Mean(self.value + by, math.hypot(self.error, error), self.freedom)

    @property
    def interval(self) -> tuple[float, float]:
        """The ends of the 95 % confidence interval."""
        half = float(stdtrit(self.freedom, 0.5 + CONFIDENCE / 2)) * self.error
        return self.value - half, self.value + half

    @property
    def p_value(self) -> float:
        """The two-sided p-value of the hypothesis that the mean is 0."""
        if not self.error > 0:
            return math.nan if math.isnan(self.error) or self.value == 0 else 0.0
        return float(2 * stdtr(self.freedom, -abs(self.value) / self.error))


def mean(losses: NDArray[np.floating]) -> Mean:
    """Return the mean of one configuration's losses (seeds, rows), with its error."""
    table = losses.astype(np.float64)
    return _combined(table.mean(axis=0), [table])


def difference(losses: NDArray[np.floating], other: NDArray[np.floating]) -> Mean:
    """Return the mean of `losses` minus that of `other`: (seeds, rows) each, on the same rows."""
    one, two = losses.astype(np.float64), other.astype(np.float64)
    return _combined(one.mean(axis=0) - two.mean(axis=0), [one, two])


def _combined(by_row: NDArray[np.float64], tables: list[NDArray[np.float64]]) -> Mean:
    """`by_row` holds the means over seeds, or their difference: (rows,)."""
    value, n_rows = float(by_row.mean()), len(by_row)
    if n_rows < 2 or any(len(table) < 2 for table in tables):
        return Mean(value, math.nan, math.nan)
    of_rows = float(by_row.var(ddof=1)) / n_rows
    variance, squares = of_rows, of_rows**2 / (n_rows - 1)
    for table in tables:
        of_seeds, square = _of_seeds(table)
        variance, squares = variance + of_seeds, squares + square
    freedom = variance**2 / squares if squares > 0 else math.inf
    return Mean(value, math.sqrt(variance), freedom)


def _of_seeds(table: NDArray[np.float64]) -> tuple[float, float]:
    """What the seeds add to the mean's variance, and its square by its degrees of freedom."""
    n_seeds, n_rows = table.shape
    by_seed, by_row = table.mean(axis=1), table.mean(axis=0)
    rest = table - by_seed[:, None] - by_row[None, :] + table.mean()  # (seeds, rows)
    free = n_seeds - 1, (n_seeds - 1) * (n_rows - 1)
    ms_seeds = n_rows * float(by_seed.var(ddof=1))
    ms_rest = float((rest**2).sum()) / free[1]
    if ms_seeds <= ms_rest:
        return 0.0, 0.0
    scale = n_seeds * n_rows
    square = (ms_seeds**2 / free[0] + ms_rest**2 / free[1]) / scale**2
    return (ms_seeds - ms_rest) / scale, square
