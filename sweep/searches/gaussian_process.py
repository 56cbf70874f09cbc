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

_RESTARTS = 5
"""Of the search for the kernel's only parameter, its length scale."""
_CANDIDATES = 1024
"""Points among which the lowest bound is looked for first."""
_RADII = (0.1, 0.03, 0.01, 0.003)
"""How far around the best points it is looked for then: standard deviations."""
_REFINED, _AROUND_EACH = 5, 50


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
        self._model.fit(points, scores)

    def suppose(self, point: Points) -> None:
        """Take the score at `point` (dimensions,) as known: one deviation above its mean.

        So a point whose training goes on is neither proposed again nor taken for a success. The
        kernel stays as it was fitted.
        """
        from sklearn.gaussian_process import GaussianProcessRegressor

        mean, deviation = self._model.predict(point.reshape(1, -1), return_std=True)
        self._points = np.vstack([self._points, point])
        self._scores = np.append(self._scores, mean[0] + deviation[0])
        self._model = GaussianProcessRegressor(
            kernel=self._model.kernel_, optimizer=None, normalize_y=True, alpha=self._alpha
        ).fit(self._points, self._scores)

    def promising(self, beta: float, seed: int) -> Points:
        """Return points (candidates, dimensions), that with the lowest lower bound first.

        The bound is the mean minus `beta` standard deviations. It is looked for among random
        points, then ever closer around the best of them.
        """
        random = np.random.default_rng(seed)
        found = self._sorted(random.uniform(size=(_CANDIDATES, self._points.shape[1])), beta)
        for radius in _RADII:
            centres = np.repeat(found[:_REFINED], _AROUND_EACH, axis=0)
            near = centres + random.normal(scale=radius, size=centres.shape)
            found = self._sorted(np.vstack([found, near.clip(0.0, 1.0)]), beta)
        return found

    def _sorted(self, points: Points, beta: float) -> Points:
        mean, deviation = self._model.predict(points, return_std=True)
        order = np.argsort(mean - beta * deviation, kind="stable")
        found: Points = points[order]
        return found


@contextmanager
def alone() -> Iterator[None]:
    """Within it processes are fitted by one thread, so that sums have one order.

    Nor is there a warning of what a fit copes with: a length scale at the end of its range.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
