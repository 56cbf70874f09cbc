"""What a Bayesian search believes of scores that it has not seen: a Gaussian process.

Points are in the unit cube, float64 (points, dimensions); scores are in any unit, the lower the
better. The model is that of Keras Tuner's BayesianOptimization: scikit-learn's regressor with a
Matérn kernel (ν = 5/2), over standardised scores.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

_RESTARTS = 20
"""Of the search for the kernel's length scale, as in Keras Tuner."""
_CANDIDATES = 2048
"""Points at which a lower bound is looked for before the best are refined."""
_REFINED = 5


class GaussianProcess:
    """Scores as a Gaussian process over the points that are known."""

    def __init__(self, points: Points, scores: Points, alpha: float, seed: int) -> None:
        """Fit the process. `alpha` is the variance of the noise of standardised scores."""
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import Matern

        self._points, self._scores, self._alpha = points, scores, alpha
        self._model: Any = GaussianProcessRegressor(
            kernel=Matern(nu=2.5),
            n_restarts_optimizer=_RESTARTS,
            normalize_y=True,
            alpha=alpha,
            random_state=seed,
        )
        with _alone():
            self._model.fit(points, scores)

    def suppose(self, point: Points) -> None:
        """Take the score at `point` (dimensions,) as known: one deviation above its mean.

        So a point whose training goes on is neither proposed again nor taken for a success. The
        kernel stays as it was fitted.
        """
        from sklearn.gaussian_process import GaussianProcessRegressor

        with _alone():
            mean, deviation = self._model.predict(point.reshape(1, -1), return_std=True)
            self._points = np.vstack([self._points, point])
            self._scores = np.append(self._scores, mean[0] + deviation[0])
            self._model = GaussianProcessRegressor(
                kernel=self._model.kernel_, optimizer=None, normalize_y=True, alpha=self._alpha
            ).fit(self._points, self._scores)

    def promising(self, beta: float, seed: int) -> Points:
        """Return points (candidates, dimensions), that with the lowest lower bound first.

        The bound is the mean minus `beta` standard deviations.
        """
        from scipy.optimize import minimize

        dimensions = self._points.shape[1]
        drawn = np.random.default_rng(seed).uniform(size=(_CANDIDATES, dimensions))

        def bound(points: Points) -> Points:
            mean, deviation = self._model.predict(points.reshape(-1, dimensions), return_std=True)
            found: Points = mean - beta * deviation
            return found

        def one(point: Points) -> float:
            return float(bound(point)[0])

        with _alone():
            drawn = drawn[np.argsort(bound(drawn), kind="stable")]
            ends = [(0.0, 1.0)] * dimensions
            refined = [
                minimize(one, start, bounds=ends, method="L-BFGS-B").x for start in drawn[:_REFINED]
            ]
            found = np.vstack([*refined, drawn])
            return found[np.argsort(bound(found), kind="stable")]


@contextmanager
def _alone() -> Iterator[None]:
    """One thread, so that sums have one order; and no warnings of what the fit copes with."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
