"""What learns from the features: scikit-learn's regressions and boosted trees, as functions."""

from collections.abc import Callable

import numpy as np

from sweep.tasks.losses import Array, LossName
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.scoring import Scoring

_HELD_OUT = 0.1
_MOST_TREES = 500

Fit = Callable[[np.ndarray, np.ndarray], Callable[[np.ndarray], Array]]
"""From training rows to a function that predicts others."""


def logistic(x: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], Array]:
    """Fit a logistic regression on standardised features, with scikit-learn's default L2."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(copy=False), LogisticRegression(max_iter=1000))
    model.fit(_doubles(x), y)
    if len(model.classes_) == 2:
        return lambda others: np.asarray(model.decision_function(_doubles(others)))
    return lambda others: np.asarray(model.predict_log_proba(_doubles(others)))


def trees(x: np.ndarray, y: np.ndarray, seed: int) -> Callable[[np.ndarray], Array]:
    """Histogram-based gradient boosting, ended by a tenth of the training rows."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=_MOST_TREES, early_stopping=True, validation_fraction=_HELD_OUT, random_state=seed
    )
    model.fit(x, y)
    if len(model.classes_) == 2:
        return lambda others: np.asarray(model.decision_function(others))
    return lambda others: np.log(np.clip(model.predict_proba(others), 1e-7, 1))


def ridge(x: np.ndarray, y: np.ndarray, scoring: Scoring) -> Callable[[np.ndarray], Array]:
    """Fit a linear regression on standardised features, with scikit-learn's default L2."""
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(copy=False), Ridge())
    weights = _weights(y, scoring)
    squared = None if weights is None else weights**2
    model.fit(_doubles(x), y.astype(np.float64), ridge__sample_weight=squared)
    return lambda others: np.asarray(model.predict(_doubles(others)))


def poisson(x: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], Array]:
    """Fit a Poisson regression: the logarithm of the amount is linear in standardised features."""
    from sklearn.linear_model import PoissonRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(copy=False), PoissonRegressor(max_iter=1000))
    model.fit(_doubles(x), y.astype(np.float64))
    return lambda others: np.asarray(model.predict(_doubles(others)))


def tree_amounts(
    x: np.ndarray, y: np.ndarray, seed: int, scoring: Scoring
) -> Callable[[np.ndarray], Array]:
    """Histogram-based gradient boosting of amounts for the loss that comes nearest."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(
        loss=_tree_loss(scoring),
        max_iter=_MOST_TREES,
        early_stopping=True,
        validation_fraction=_HELD_OUT,
        random_state=seed,
    )
    model.fit(x, y, sample_weight=_weights(y, scoring))
    return lambda others: np.asarray(model.predict(others))


def _doubles(x: np.ndarray) -> np.ndarray:
    """A copy in double precision, which is standardised in place."""
    return x.astype(np.float64)


def _weights(y: np.ndarray, scoring: Scoring) -> np.ndarray | None:
    """Return the rows' weights under a loss that divides errors by the amount, else None."""
    by_loss = scoring.objective is ObjectiveName.LOSS
    if not by_loss or scoring.loss.name is not LossName.PERCENTAGE_ERROR:
        return None
    size = np.abs(y.astype(np.float64))
    found: np.ndarray = 1 / np.maximum(size, size.mean() * 1e-3)
    return found


def _tree_loss(scoring: Scoring) -> str:
    by_loss = scoring.objective is ObjectiveName.LOSS
    absolute = (LossName.ABSOLUTE_ERROR, LossName.PERCENTAGE_ERROR)
    if scoring.objective is ObjectiveName.MAE or (by_loss and scoring.loss.name in absolute):
        return "absolute_error"
    return "poisson" if by_loss and scoring.loss.name is LossName.POISSON else "squared_error"
