"""No skill: the one prediction, the same for every row, that suits the training rows best."""

from collections.abc import Callable

import numpy as np

from sweep.data.split import Split
from sweep.metrics import no_skill_logit
from sweep.tasks.losses import Array, LossName, row_losses
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.scoring import Scoring
from sweep.tasks.task import TaskKind

RowScores = Callable[[Array, np.ndarray], Array]
"""From predictions and targets to a number for each row, whose mean is the score."""

_MEDIAN = (LossName.ABSOLUTE_ERROR,)
_MEAN = (LossName.SQUARED_ERROR, LossName.POISSON, LossName.BINARY_CROSSENTROPY)


def constant(split: Split, scoring: Scoring, scores: RowScores) -> Array:
    """Return the prediction without its rows: a number, or (classes,) or (targets,).

    Of classes their shares of the training rows, kept off 0 by half a row, as logit or logarithm;
    of amounts what has the lowest loss: the mean under a squared error, the median under an
    absolute one. `scores` says so for a loss of the user's own.
    """
    y, kind = split.train.y, split.task.kind
    if kind is TaskKind.BINARY:
        return np.array(no_skill_logit(int(y.sum(dtype=np.int64)), len(y)))
    if kind is TaskKind.CLASSES:
        counts = np.bincount(y.astype(np.int64), minlength=split.task.n_classes)
        found: Array = np.log((counts + 0.5) / (len(y) + len(counts) / 2))
        return found
    columns = y.reshape(len(y), -1).astype(np.float64).T  # (targets, rows)
    if kind is TaskKind.LABELS:
        return np.array([no_skill_logit(int(column.sum()), len(y)) for column in columns])
    best = np.array([_best_amount(column, scoring, scores) for column in columns])
    return best if y.ndim > 1 else best[0]


def for_rows(prediction: Array, n_rows: int) -> Array:
    """Return the prediction of each row, shape (rows,) or (rows, …)."""
    found: Array = np.broadcast_to(prediction, (n_rows, *prediction.shape)).copy()
    return found


def no_skill_scores(split: Split, scoring: Scoring, scores: RowScores) -> tuple[float, float]:
    """Return the scores of no skill on the training and on the validation rows."""
    prediction = constant(split, scoring, scores)
    train, validation = (
        float(scores(for_rows(prediction, len(rows)), rows.y).mean())
        for rows in (split.train, split.validation)
    )
    return train, validation


def _best_amount(y: Array, scoring: Scoring, scores: RowScores) -> float:
    """The constant with the lowest score on `y`, shape (rows,)."""
    loss, objective = scoring.loss, scoring.objective
    if objective is ObjectiveName.MAE or (_by_loss(scoring) and loss.name in _MEDIAN):
        return float(np.median(y))
    if not _by_loss(scoring) or loss.name in _MEAN:
        return _logit(y.mean()) if loss.name is LossName.BINARY_CROSSENTROPY else float(y.mean())
    if loss.name is LossName.SQUARED_LOG_ERROR:
        return float(np.expm1(np.log1p(y).mean()))
    own = loss.name is LossName.OWN

    def mean_loss(value: float) -> float:
        rows = np.full(len(y), value)
        return float((scores(rows, y) if own else row_losses(loss, rows, y)).mean())

    low, high = float(y.min()), float(y.max())
    if own and scoring_of_columns(scores, y) is None:
        return float(y.mean())
    from scipy.optimize import minimize_scalar  # a tenth of a second to import

    return float(minimize_scalar(mean_loss, bounds=(low, high), method="bounded").x)


def scoring_of_columns(scores: RowScores, y: Array) -> Array | None:
    """Return the scores of a single column; None if the user's loss takes several at once only."""
    try:
        return scores(y[:2].copy(), y[:2])
    except Exception:
        return None


def _by_loss(scoring: Scoring) -> bool:
    return scoring.objective is ObjectiveName.LOSS


def _logit(share: float) -> float:
    share = float(np.clip(share, 1e-7, 1 - 1e-7))
    return float(np.log(share) - np.log1p(-share))
