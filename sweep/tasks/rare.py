"""A class that few rows are of: which it is, and how well models find it among the others.

Of two classes only that of 1 counts, which average precision and AUC are measured for; of more, the
rarest against all others.
"""

import numpy as np
from numpy.typing import NDArray

from sweep.metrics import auc
from sweep.tasks.objectives import ObjectiveName, row_values
from sweep.tasks.task import Task, TaskKind

_RARE = 0.4
"""Part of the share that a class of K has if all are alike, 1/K, below which it is rare."""
AVERAGE_PRECISION = str(ObjectiveName.AVERAGE_PRECISION)
AUC = str(ObjectiveName.AUC)


def rare_class(counts: tuple[int, ...]) -> int | None:
    """Return the number of the class that is rare, by the rows of each class; None if none is."""
    if len(counts) < 2:
        return None
    found = 1 if len(counts) == 2 else int(np.argmin(counts))
    is_rare = 0 < counts[found] < _RARE / len(counts) * sum(counts)
    return found if is_rare else None


def measures_of_a_rare_class(
    predicted: NDArray[np.floating], y: NDArray[np.floating], task: Task
) -> dict[str, float]:
    """Return the average precision of a rare class; of several classes, also its AUC.

    `predicted` are logits (rows,) of two classes, log-probabilities (rows, classes) of several.
    Nothing if no class is rare among these rows, or if there are no classes.
    """
    if task.kind not in (TaskKind.BINARY, TaskKind.CLASSES) or y.ndim != 1:
        return {}
    counts = np.bincount(y.astype(np.int64), minlength=max(2, task.n_classes))
    found = rare_class(tuple(int(one) for one in counts))
    if found is None:
        return {}
    z = predicted if predicted.ndim == 1 else predicted[:, found]
    own = (y == found).astype(np.float64)
    missed = row_values(ObjectiveName.AVERAGE_PRECISION, z.astype(np.float64), own)
    measures = {AVERAGE_PRECISION: 1 - float(missed.mean())}
    if predicted.ndim > 1:
        measures[AUC] = auc(z, own)
    return {name: value for name, value in measures.items() if value == value}
