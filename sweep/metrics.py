"""Metrics of binary classification from logits, in double precision with NumPy.

One definition for every trainer and for the export's verification, so that a score means the
same wherever it is computed.
"""

import math

import numpy as np

NO_SKILL = math.log(2)
"""BCE in nats of giving both classes probability 1/2: no skill if classes are as frequent."""
NO_SKILL_NAME = "no skill"
"""What the reference model is called that knows the share of the classes alone."""


def no_skill_logit(n_signal: int, n_rows: int) -> float:
    """Return the logit of the share of class 1 among rows, kept off 0 and 1 by half a row."""
    share = (n_signal + 0.5) / (n_rows + 1)
    return math.log(share / (1 - share))


def logits_from_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """log(p / (1 − p)), with p kept 1e-7 away from 0 and 1 as Keras does."""
    p = np.clip(probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
    return np.log(p) - np.log1p(-p)


def example_losses(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Binary cross-entropy of each row in nats; both arguments of shape (rows,).

    max(z, 0) − z·y + log(1 + exp(−|z|)), the form that cannot overflow
    (tf.nn.sigmoid_cross_entropy_with_logits).
    """
    z = logits.astype(np.float64)
    losses: np.ndarray = np.maximum(z, 0) - z * labels + np.log1p(np.exp(-np.abs(z)))
    return losses


def kept_losses(losses: np.ndarray) -> np.ndarray:
    """Example losses as they are kept: float32, so that 1,000 rows take 4 kB.

    Their mean is the BCE to float32's rounding (6e-8 of it).
    """
    return losses.astype(np.float32)


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Share of rows whose probability lies on the label's side of 1/2."""
    return float(np.mean((logits > 0) == (labels > 0.5)))


def auc(logits: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve: the Mann–Whitney statistic, ties counted half.

    NaN when only one class is present or a logit is not a number.
    """
    positive = labels > 0.5
    n_positive = int(positive.sum())
    n_negative = len(labels) - n_positive
    if n_positive == 0 or n_negative == 0 or np.isnan(logits).any():
        return float("nan")
    ordered = np.sort(logits[~positive])
    below = np.searchsorted(ordered, logits[positive], side="left")
    not_above = np.searchsorted(ordered, logits[positive], side="right")
    return float((below + not_above).sum() / (2 * n_positive * n_negative))
