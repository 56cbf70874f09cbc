"""Reference models: how well the same rows are told apart without a network.

Trained on the training rows alone, evaluated on the validation rows like a trial. The boosted
trees stop early on a part of the training rows, so the validation rows choose nothing here.
"""

import time
from collections.abc import Callable

import numpy as np

from sweep.data.split import Rows, Split
from sweep.metrics import NO_SKILL_NAME, example_losses, kept_losses, no_skill_logit
from sweep.seeds import derive
from sweep.store import Reference

LOGISTIC = "logistic regression"
TREES = "boosted trees"
_HELD_OUT = 0.1
_MOST_TREES = 500
_DECIMALS = 6
"""Decimals of a logit that are kept, as sums over threads differ in their last bits."""

Logits = np.ndarray  # (rows,)


def reference_models(split: Split, seed: int) -> list[Reference]:
    """Return no skill, logistic regression and boosted trees; the same for the same split and seed.

    Only no skill, if the training rows hold one class, or fewer than ten rows of one.
    """
    labels = split.train.y
    n_signal = int(labels.sum(dtype=np.int64))
    models: dict[str, Callable[[], Logits]] = {NO_SKILL_NAME: lambda: _no_skill(split)}
    if min(n_signal, len(labels) - n_signal) >= 10:
        models[LOGISTIC] = lambda: _logistic(split)
        models[TREES] = lambda: _trees(split, derive(seed, "references") % 2**31)
    return [_reference(name, fit, split.validation) for name, fit in models.items()]


def _reference(name: str, fit: Callable[[], Logits], rows: Rows) -> Reference:
    started = time.perf_counter()
    losses = example_losses(fit().round(_DECIMALS), rows.y)
    error = losses.std(ddof=1) / np.sqrt(len(losses)) if len(losses) > 1 else np.nan
    seconds = time.perf_counter() - started
    return Reference(name, float(losses.mean()), float(error), kept_losses(losses), seconds)


def _no_skill(split: Split) -> Logits:
    """The share of signal among the training rows, for every row; kept off 0 and 1 by one row."""
    labels = split.train.y
    logit = no_skill_logit(int(labels.sum(dtype=np.int64)), len(labels))
    return np.full(len(split.validation.y), logit)


def _logistic(split: Split) -> Logits:
    """On features standardised by the training rows; L2 with scikit-learn's default strength."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(split.train.array.astype(np.float64), split.train.y)
    logits: Logits = model.decision_function(split.validation.array.astype(np.float64))
    return logits


def _trees(split: Split, seed: int) -> Logits:
    """Histogram-based gradient boosting, ended by a tenth of the training rows."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=_MOST_TREES, early_stopping=True, validation_fraction=_HELD_OUT, random_state=seed
    )
    model.fit(split.train.array, split.train.y)
    logits: Logits = model.decision_function(split.validation.array)
    return logits
