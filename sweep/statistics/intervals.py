"""95 % confidence intervals of a model's metrics on rows it has never seen.

The rows are independent; the model is taken as given, so what another seed would have given is
not in these intervals.
"""

import math

import numpy as np

from sweep.records import Estimate
from sweep.special_functions import expit, logit
from sweep.statistics.confidence import CONFIDENCE, Z


def mean_interval(losses: np.ndarray) -> Estimate:
    """Return the mean of the losses (rows,) ± Z standard errors. It takes at least two rows."""
    mean = float(losses.mean())
    if len(losses) < 2:
        return Estimate(mean, math.nan, math.nan)
    half = Z * float(losses.std(ddof=1)) / math.sqrt(len(losses))
    return Estimate(mean, mean - half, mean + half)


def accuracy_interval(n_right: int, n_rows: int) -> Estimate:
    """Return the share of right answers, with Wilson's score interval.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    J. Am. Stat. Assoc. 22 (1927) 209.
    """
    from scipy.stats import binomtest  # takes a second to import

    found = binomtest(n_right, n_rows).proportion_ci(CONFIDENCE, method="wilson")
    return Estimate(n_right / n_rows, float(found.low), float(found.high))


def auc_interval(logits: np.ndarray, labels: np.ndarray) -> Estimate:
    """Return the area under the ROC curve, with DeLong's variance; both arguments are (rows,).

    The interval is symmetric in the logit of the area, so it stays within 0 and 1. NaN where it
    cannot be told: fewer than two rows of a class, or classes that are separated perfectly.
    E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Biometrics 44 (1988) 837; the logit form:
    M. S. Pepe, "The Statistical Evaluation of Medical Tests" (2003), section 5.2.
    """
    signal = np.sort(logits[labels > 0.5].astype(np.float64))
    background = np.sort(logits[labels <= 0.5].astype(np.float64))
    if len(signal) == 0 or len(background) == 0:
        return Estimate(math.nan, math.nan, math.nan)
    above = _share_below(background, signal)  # (signal rows,): share of background below each
    area = float(above.mean())
    if min(len(signal), len(background)) < 2 or not 0 < area < 1:
        return Estimate(area, math.nan, math.nan)
    below = 1 - _share_below(signal, background)  # (background rows,)
    variance = above.var(ddof=1) / len(signal) + below.var(ddof=1) / len(background)
    half = Z * math.sqrt(variance) / (area * (1 - area))
    low, high = expit(logit(area) - half), expit(logit(area) + half)
    return Estimate(area, float(low), float(high))


def auc_error(area: float, n_positive: int, n_negative: int) -> float:
    """Return the standard error of an area under the ROC curve, from the numbers of rows alone.

    J. A. Hanley, B. J. McNeil, Radiology 143 (1982) 29: for scores spread exponentially, which
    errs on the large side for most others.
    """
    one, two = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (n_positive - 1) * (one - area**2)
    spread += (n_negative - 1) * (two - area**2)
    return math.sqrt(max(spread, 0.0) / (n_positive * n_negative))


def average_precision_error(precision: float, n_positive: int) -> float:
    """Return the standard error of an average precision, from the number of rows of the class.

    As if it were a share of these rows: K. Boyd, K. H. Eng, C. D. Page, ECML PKDD (2013) 451.
    """
    return math.sqrt(max(precision * (1 - precision), 0.0) / n_positive)


def _share_below(ordered: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return for each value the share of `ordered` below, equal numbers counted half."""
    left = np.searchsorted(ordered, values, side="left")
    right = np.searchsorted(ordered, values, side="right")
    return (left + right) / (2 * len(ordered))
