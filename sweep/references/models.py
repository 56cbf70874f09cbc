"""Reference models: how well the same rows are predicted without a network.

Trained on the training rows alone, evaluated on the validation rows like a trial. The boosted
trees stop early on a part of the training rows, so the validation rows choose nothing here.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sweep.data.rows import evenly_apart
from sweep.data.split import Inputs, Split
from sweep.metrics import NO_SKILL_NAME, kept_losses
from sweep.references.learners import Fit, logistic, poisson, ridge, tree_amounts, trees
from sweep.references.no_skill import RowScores, constant, for_rows
from sweep.seeds import derive
from sweep.special_functions import expit, logit
from sweep.store import Reference
from sweep.tasks.losses import Array, LossName, row_losses
from sweep.tasks.objectives import ObjectiveName, row_values
from sweep.tasks.scoring import BINARY_CROSSENTROPY, Scoring
from sweep.tasks.task import Task, TaskKind
from sweep.words import counted

LOGISTIC = "logistic regression"
RIDGE = "ridge regression"
POISSON = "Poisson regression"
TREES = "boosted trees"
_DECIMALS = 6
"""Decimals of a logit that are kept, as sums over threads differ in their last bits."""
_MOST_NUMBERS = 1000
"""Numbers in a row up to which images and sequences are given to the models, laid out flat."""
_MOST_TARGETS = 10
"""Targets up to which trees are boosted for each."""
_MOST_FOR_TREES = 28_000_000
"""Numbers from which trees are boosted on a part of the training rows, a million of HIGGS: on all
eleven million they take one core for longer than many a search."""
_FEWEST_FOR_THREADS = 200_000
"""Numbers from which threads are worth their waiting for each other: on digits (92,000) two threads
take ten times the processor time of one, and forty times on a machine that does something else."""
_QUICK = 2_000_000
"""Numbers up to which all models are trained within a few seconds."""
_FEWEST = 10
"""Rows of each class, or of all amounts, from which there is more than no skill."""


@dataclass(frozen=True)
class Fitted:
    """A trained reference model's predictions."""

    name: str
    validation: Array
    """Of the validation rows, shaped as `sweep.tasks.losses` has them."""
    seconds: float


def row_scores(task: Task, scoring: Scoring) -> RowScores:
    """Return how predictions are scored, where the loss is known and the objective has rows."""

    def scores(predicted: Array, y: np.ndarray) -> Array:
        y = y if y.ndim <= 2 else y.reshape(len(y), -1)
        if scoring.objective is ObjectiveName.LOSS:
            return row_losses(scoring.loss, predicted, y)
        is_share = task.kind is TaskKind.AMOUNT and (
            scoring.loss.name is LossName.BINARY_CROSSENTROPY
        )
        return row_values(scoring.objective, expit(predicted) if is_share else predicted, y)

    return scores


def reference_models(
    split: Split,
    seed: int,
    scoring: Scoring = BINARY_CROSSENTROPY,
    scores: RowScores | None = None,
    fitted: Sequence[Fitted] | None = None,
) -> list[Reference]:
    """Return no skill, a regression and boosted trees; the same for the same split and seed.

    Only no skill if there are fewer than ten rows of a class, or if rows hold too many numbers; and
    nothing if trials are ranked by a metric that has no rows. `scores` is needed for a loss of the
    user's own. `fitted` are the models if another process has trained them.
    """
    if scoring.objective is ObjectiveName.METRIC:
        return []
    scores = row_scores(split.task, scoring) if scores is None else scores
    started = time.perf_counter()
    prediction = constant(split, scoring, scores)
    no_skill = Fitted(
        NO_SKILL_NAME,
        for_rows(prediction, len(split.validation)),
        time.perf_counter() - started,
    )
    found = fitted_models(split, seed, scoring) if fitted is None else fitted
    return [_reference(one, split, scores) for one in (no_skill, *found)]


def _reference(fitted: Fitted, split: Split, scores: RowScores) -> Reference:
    started = time.perf_counter()
    predicted = fitted.validation.round(_decimals(split))
    losses = scores(predicted, split.validation.y)
    error = losses.std(ddof=1) / np.sqrt(len(losses)) if len(losses) > 1 else np.nan
    seconds = fitted.seconds + time.perf_counter() - started
    return Reference(fitted.name, float(losses.mean()), float(error), kept_losses(losses), seconds)


def _decimals(split: Split) -> int:
    """Six of logits; of amounts six behind the first digit of their spread."""
    if split.task.kind is not TaskKind.AMOUNT:
        return _DECIMALS
    spread = float(split.train.y.std(dtype=np.float64))
    return _DECIMALS - int(np.floor(np.log10(spread))) if spread > 0 else 12


def why_only_no_skill(split: Split) -> str | None:
    """Return why there is no reference model but no skill, in a line; None if there are others."""
    numbers = sum(array[:1].size for array in split.train.inputs.values())
    if numbers > _MOST_NUMBERS:
        return (
            f"the only reference model is no skill: {numbers:,} numbers a row are too many for "
            "the others"
        )
    least, of = _fewest(split)
    if least < _FEWEST:
        return (
            f"the only reference model is no skill: {counted(least, 'training row')}{of} "
            f"{'is' if least == 1 else 'are'} too few for the others"
        )
    return None


def _fewest(split: Split) -> tuple[int, str]:
    """The training rows; of classes those of the rarest, or of the rarest answer to a label."""
    y, task = split.train.y, split.task
    if task.kind is TaskKind.AMOUNT:
        return len(y), ""
    columns = [y] if y.ndim == 1 else list(y.T)
    n_classes = 2 if task.kind is TaskKind.LABELS else task.n_classes
    counts = [np.bincount(one.astype(np.int64), minlength=n_classes) for one in columns]
    of = " of a label's rarer answer" if task.kind is TaskKind.LABELS else " of a class"
    return min(int(one.min()) for one in counts), of


def is_quick(split: Split) -> bool:
    """Return whether the models that learn from the features are trained within seconds."""
    return _numbers(split) <= _QUICK


def _numbers(split: Split) -> int:
    return sum(array.size for array in split.train.inputs.values())


def fitted_models(split: Split, seed: int, scoring: Scoring | None = None) -> list[Fitted]:
    """Train the reference models that learn from the features.

    Those of classes do not depend on the scoring; those of amounts are trained for its loss.
    """
    if why_only_no_skill(split) is not None:
        return []
    if split.task.kind is TaskKind.AMOUNT:
        if scoring is None:
            return []
        models = _of_amounts(split, seed, scoring)
    else:
        name, part = _for_trees(split)
        models = {
            LOGISTIC: lambda: _by_column(split, logistic),
            name: lambda: _by_column(part, lambda x, y: trees(x, y, _seed(seed))),
        }
    return [_timed(name, fit, split) for name, fit in models.items()]


def _for_trees(split: Split) -> tuple[str, Split]:
    """The trees' name, and the split that they are boosted on.

    Of many training rows a part, evenly apart, which the name says; but all of them if the part had
    too few rows of a class.
    """
    n_train = len(split.train)
    most = max(1000, _MOST_FOR_TREES * n_train // _numbers(split) // 1000 * 1000)
    if n_train <= most:
        return TREES, split
    part = split.train.take(evenly_apart(most, n_train))
    of_part = replace(split, train=part, scored_rows=None)
    if _fewest(of_part)[0] < _FEWEST:
        return TREES, split
    return f"{TREES} on {most:,} rows", of_part


def _timed(name: str, fit: Callable[[], Array], split: Split) -> Fitted:
    from threadpoolctl import threadpool_limits

    numbers = _numbers(split)
    started = time.perf_counter()
    with threadpool_limits(1 if numbers < _FEWEST_FOR_THREADS else None):
        predicted = fit()
    return Fitted(name, predicted, time.perf_counter() - started)


def _seed(seed: int) -> int:
    return derive(seed, "references") % 2**31


def flat(x: Inputs) -> np.ndarray:
    """Return features as one array (rows, numbers), several inputs beside one another."""
    if not isinstance(x, dict):
        return x if x.ndim == 2 else x.reshape(len(x), -1)
    return np.concatenate(
        [array.reshape(len(array), -1).astype(np.float32) for array in x.values()], axis=1
    )


def _by_column(split: Split, fit: Fit) -> Array:
    """A model for each target, as most of them have one."""
    x, y = flat(split.train.x), split.train.y
    others = flat(split.validation.x)
    if y.ndim == 1:
        return fit(x, y)(others)
    columns = y.reshape(len(y), -1).T
    return np.stack([fit(x, column)(others) for column in columns], axis=1)


def _of_amounts(split: Split, seed: int, scoring: Scoring) -> dict[str, Callable[[], Array]]:
    """A regression and boosted trees for the loss; trees only if the targets are few."""
    name = scoring.loss.name if scoring.objective is ObjectiveName.LOSS else None
    to_log = name is LossName.SQUARED_LOG_ERROR
    to_logit = scoring.loss.name is LossName.BINARY_CROSSENTROPY
    is_poisson = name is LossName.POISSON

    def fitted(fit: Fit, of: Split = split) -> Callable[[], Array]:
        def transformed(x: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], Array]:
            predict = fit(x, np.log1p(y) if to_log else y)
            if to_logit:
                return lambda others: logit(np.clip(predict(others), 1e-7, 1 - 1e-7))
            return (lambda others: np.expm1(predict(others))) if to_log else predict

        return lambda: _by_column(of, transformed)

    models = (
        {POISSON: fitted(poisson)}
        if is_poisson
        else {RIDGE: fitted(lambda x, y: ridge(x, y, scoring))}
    )
    if split.train.y[:1].size <= _MOST_TARGETS:
        trees_name, part = _for_trees(split)
        models[trees_name] = fitted(lambda x, y: tree_amounts(x, y, _seed(seed), scoring), part)
    return models
