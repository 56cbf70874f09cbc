"""How far scores spread that differ in nothing but the seed: measured in the sweep, else a prior.

Two runs of one configuration share its expected loss, not their own: each seed ends in another
model. The paired error over the rows knows nothing of that, as it takes both models as given. So
the comparison of two configurations takes twice the variance between seeds on top of it.

The prior is a spread by number of parameters (`PRIOR`). A configuration that the sweep repeated
under K seeds measures its own: the component of variance (MS_seeds − MS_rest) / rows of the crossed
table of seeds and rows (Searle, Casella, McCulloch, "Variance Components", 1992, chapter 4), with
K − 1 degrees of freedom. All configurations' measured over prior variances are averaged, the prior
counting as `PRIOR_FREEDOM` degrees more (a scaled inverse χ² prior: A. Gelman and others, "Bayesian
Data Analysis", 3rd edition, section 2.6), and every prior variance is multiplied by that average.
So few repeats move the spread a little, and many decide it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PRIOR = ((1_000, 0.003), (100_000, 0.004), (np.inf, 0.007))
"""Parameters below which, and the spread between seeds of a score in nats of a BCE; of other
scores, in parts of what counts as a nat there."""
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
    """Return the spread for models of these sizes; NaN, of an unknown size, is taken as large."""
    found = np.full(len(params), PRIOR[-1][1])
    for below, spread in reversed(PRIOR):
        found[params < below] = spread
    return found * scale


def seed_spread(
    params: NDArray[np.floating],
    repeated: Iterable[tuple[float, NDArray[np.floating]]],
    scale: float = 1.0,
) -> SeedSpread:
    """Return the spread between seeds of models with `params` parameters (trials,).

    `repeated` has the parameters and the losses (seeds, rows) of each repeated configuration;
    `scale` is what counts as a nat.
    """
    freedom, total = 0, 0.0
    for size, losses in repeated:
        n_seeds, n_rows = losses.shape
        if n_seeds > 1 and n_rows > 1:
            (expected,) = prior(np.array([size], float), scale)
            total += (n_seeds - 1) * _between(losses.astype(np.float64)) / expected**2
            freedom += n_seeds - 1
    factor = max(PRIOR_FREEDOM + total, 0.0) / (PRIOR_FREEDOM + freedom)
    return SeedSpread(prior(params, scale) * np.sqrt(factor), freedom)


def _between(table: Floats) -> float:
    """The variance of the seeds' expected losses, below 0 where rows alone explain more."""
    n_seeds, n_rows = table.shape
    by_seed = table.mean(axis=1)
    rest = table - by_seed[:, None] - table.mean(axis=0) + table.mean()
    ms_rest = float((rest**2).sum()) / ((n_seeds - 1) * (n_rows - 1))
    return float(by_seed.var(ddof=1)) - ms_rest / n_rows
