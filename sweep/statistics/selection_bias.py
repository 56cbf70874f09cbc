"""The selection bias of the best score: how optimistic it is, as it was picked as the best.

The validation rows are drawn again with replacement; the trial that is best on the rows drawn is
judged by the rows that were not drawn. How far that, averaged over the draws, lies above the
score of the best trial is what the choice adds: the bootstrap bias correction of Tsamardinos,
Greasidou and Borboudakis, "Bootstrapping the out-of-sample predictions for efficient and accurate
cross-validation", Machine Learning 107 (2018), 1895–1922. The choice of each trial's epoch is
not in it, so it is a lower estimate.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 400
_AT_ONCE = 50
_SEED = 20_180_501


@dataclass(frozen=True)
class Optimism:
    """The selection bias of the best of several trials, in the score's unit."""

    bias: float


def optimism(losses: NDArray[np.floating]) -> Optimism | None:
    """Return the selection bias of the best trial; None below two trials or ten rows.

    `losses` has the shape (trials, rows). The same losses give the same estimate.
    """
    n_trials, n_rows = losses.shape
    if n_trials < 2 or n_rows < 10:
        return None
    random = np.random.default_rng(_SEED)
    values = losses.astype(np.float64).T  # (rows, trials)
    # less the best one's row by row: what all trials find hard in the rows of a draw cancels, and
    # where a draw chooses the best one itself, it adds exactly nothing
    behind = values - values[:, [int(values.mean(axis=0).argmin())]]
    found = []
    for _ in range(0, DRAWS, _AT_ONCE):
        counts = random.multinomial(n_rows, np.full(n_rows, 1 / n_rows), _AT_ONCE)
        out = (counts == 0).astype(np.float64)  # (draws, rows)
        best = (counts @ behind).argmin(axis=1)
        found.append(np.einsum("dr,rd->d", out, behind[:, best]) / out.sum(axis=1))
    return Optimism(max(float(np.concatenate(found).mean()), 0.0))
