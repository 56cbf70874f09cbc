"""How far scores spread that differ in nothing but the seed: measured in the sweep, else a prior.

Two runs of one configuration share its expected loss, not their own: each seed ends in another
model. The paired error over the rows knows nothing of that, as it takes both models as given. So
the comparison of two configurations takes twice the variance between seeds on top of it.

The prior is a spread by number of parameters (`PRIOR`). A configuration that the sweep repeated
under K seeds measures its own: the component of variance (MS_seeds − MS_rest) / rows of the crossed
table of seeds and rows (Searle, Casella, McCulloch, "Variance Components", 1992, chapter 4), with
K − 1 degrees of freedom. Of each class of sizes the measured variances are averaged with the
prior's, which counts as `PRIOR_FREEDOM` degrees (a scaled inverse χ² prior: A. Gelman and others,
"Bayesian Data Analysis", 3rd edition, section 2.6); a class that was not measured keeps the prior.
So few repeats move the spread a little, and many decide it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PRIOR = ((1_000, 0.005), (np.inf, 0.003))
"""Parameters below which, and the spread between seeds of a score in nats of a BCE; of other
scores, in parts of what counts as a nat there.

Measured in three small sweeps: the seven baselines of the capacity space twice, four other
configurations once, under 2 to 4 seeds each, on the built-in data
(1,500 to 4,000 training rows, 1,000 and 2,000 validation rows, 20 to 60 epochs). The roots of the
mean components of variance were 0.006 below 1,000 parameters (0.003 without the largest of five)
and 0.002 above, where ten of thirteen were below 0.001 or negative; the prior is rounded by eye.
Small networks end in unlike models, and most of all where they are cut early.
"""
PRIOR_FREEDOM = 4

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SeedSpread:
    """The spread between seeds of each trial's score."""

    values: Floats
    """Standard deviations (trials,), in the score's unit."""
    freedom: int
    """Degrees of freedom that the sweep measured; 0 if the spread is the prior's alone."""


def prior(params: NDArray[np.floating], scale: float) -> Floats:
    """Return the spread for models of these sizes; NaN, of an unknown size, counts as large."""
    by_class = np.array([spread for _, spread in PRIOR])
    found: Floats = by_class[_size_class(params)] * scale
    return found


def seed_spread(
    params: NDArray[np.floating],
    repeated: Iterable[tuple[float, NDArray[np.floating]]],
    scale: float = 1.0,
) -> SeedSpread:
    """Return the spread between seeds of models with `params` parameters (trials,).

    `repeated` has the parameters and the losses (seeds, rows) of each repeated configuration;
    `scale` is what counts as a nat.
    """
    freedom, total = np.zeros(len(PRIOR)), np.zeros(len(PRIOR))
    for size, losses in repeated:
        n_seeds, n_rows = losses.shape
        if n_seeds > 1 and n_rows > 1:
            (of_size,) = _size_class(np.array([size], float))
            expected = PRIOR[of_size][1] * scale
            total[of_size] += (n_seeds - 1) * _between(losses.astype(np.float64)) / expected**2
            freedom[of_size] += n_seeds - 1
    factor = np.maximum(PRIOR_FREEDOM + total, 0.0) / (PRIOR_FREEDOM + freedom)
    values = prior(params, scale) * np.sqrt(factor[_size_class(params)])
    return SeedSpread(values, int(freedom.sum()))


def _size_class(params: NDArray[np.floating]) -> NDArray[np.intp]:
    """Position in `PRIOR` of each size; of an unknown one the last."""
    found: NDArray[np.intp] = np.searchsorted([below for below, _ in PRIOR], params, side="right")
    return np.minimum(found, len(PRIOR) - 1)


def _between(table: Floats) -> float:
    """The variance of the seeds' expected losses, below 0 where rows alone explain more."""
    n_seeds, n_rows = table.shape
    by_seed = table.mean(axis=1)
    rest = table - by_seed[:, None] - table.mean(axis=0) + table.mean()
    ms_rest = float((rest**2).sum()) / ((n_seeds - 1) * (n_rows - 1))
    between: float = float(by_seed.var(ddof=1)) - ms_rest / n_rows
    return between
