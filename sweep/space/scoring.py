"""What a model's score measures: its own loss for the task, or the objective that is asked for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sweep.errors import InvalidSpaceError
from sweep.space.ends import PROBABLE, end_of
from sweep.space.keras_loss import KerasLoss, OutputsError, loss_of
from sweep.space.outputs import outputs_of
from sweep.tasks.losses import Loss, LossName
from sweep.tasks.objectives import ALLOWED, ObjectiveName
from sweep.tasks.scoring import Scoring
from sweep.tasks.task import HIGGS_TASK, Task, TaskKind

_ALSO_CALLED = {
    "val_loss": "loss",
    "acc": "accuracy",
    "binary_accuracy": "accuracy",
    "categorical_accuracy": "accuracy",
    "sparse_categorical_accuracy": "accuracy",
    "mean_absolute_error": "mae",
    "mean_squared_error": "mse",
    "root_mean_squared_error": "rmse",
    "r2_score": "r2",
}
"""Keras' names of measures that have rows here."""

_HIGHER = frozenset(
    ("acc", "auc", "precision", "recall", "f1_score", "fbeta_score", "r2_score",
     "mean_io_u", "io_u", "binary_io_u", "one_hot_io_u", "one_hot_mean_io_u",
     "cosine_similarity", "precision_at_recall", "recall_at_precision",
     "sensitivity_at_specificity", "specificity_at_sensitivity")
)  # fmt: skip
"""Keras' metrics of which more is better, as Keras names them; and all accuracies."""
_LOWER = frozenset(
    ("mse", "mae", "mape", "msle", "mean_squared_error", "mean_absolute_error",
     "mean_absolute_percentage_error", "mean_squared_logarithmic_error",
     "root_mean_squared_error", "log_cosh", "huber", "poisson", "kl_divergence", "kld", "hinge",
     "squared_hinge", "categorical_hinge", "bce", "binary_crossentropy",
     "categorical_crossentropy", "sparse_categorical_crossentropy", "crossentropy")
)  # fmt: skip
"""Keras' metrics of which less is better."""


@dataclass(frozen=True)
class ModelMeasures:
    """What a model can be ranked by."""

    loss: Loss
    """The loss by rows that stands for its own."""
    text: str
    """Its own loss as it was given."""
    is_plain: bool
    """Whether the two are the same."""
    is_probable: bool
    """Of classes: whether its outputs are probabilities, or logits of them."""
    metrics: tuple[str, ...]
    """Names of the metrics that it is compiled with."""


@dataclass(frozen=True)
class SpaceScoring:
    """What the scores of all models of a space measure, and what a person should know of it."""

    scoring: Scoring
    said: tuple[str, ...] = ()


def measures_of(model: Any, task: Task = HIGGS_TASK) -> ModelMeasures:
    """Return what a compiled model can be ranked by. Raises OutputsError if nothing fits."""
    meaning, given, end = outputs_of(model, task), loss_of(model), end_of(model)
    loss = scored_loss(given, task)
    known = given.logits is not None or end.activation in PROBABLE
    return ModelMeasures(
        loss=loss,
        text=given.text,
        is_plain=not given.is_smoothed and loss.is_of_classes == given.loss.is_of_classes,
        is_probable=not meaning.amounts and (given.loss.name is not LossName.OWN or known),
        metrics=tuple(own_metrics(model)),
    )


def scoring_of(model: Any, task: Task = HIGGS_TASK, objective: str = "loss") -> Scoring:
    """Return what the scores of one compiled model measure: see `scoring_of_all`."""
    return scoring_of_all([measures_of(model, task)], task, objective).scoring


def scoring_of_all(
    models: Sequence[ModelMeasures], task: Task = HIGGS_TASK, objective: str = "loss"
) -> SpaceScoring:
    """Return what the scores of models measure, so that all of them can be ranked.

    `objective` is "loss", another measure of the task, or the name of a metric that the models are
    compiled with, as "min:NAME" or "max:NAME" if the name does not say which is better. Raises
    InvalidSpaceError if the models cannot be ranked by it.
    """
    said = _of_smoothing(models)
    losses = list(dict.fromkeys(one.loss for one in models))
    loss = losses[0] if len(losses) == 1 else _common_loss(models, task)
    direction, _, asked = objective.rpartition(":")
    name = asked.removeprefix("val_")
    name = _ALSO_CALLED.get(name, name)
    if not direction and name in ALLOWED[task.kind]:
        if name != ObjectiveName.LOSS:
            return SpaceScoring(Scoring(loss or losses[0], ObjectiveName(name)), said)
        return _by_loss(models, loss, task, said)
    metric = asked.removeprefix("val_")
    if direction not in ("", "min", "max") or any(metric not in one.metrics for one in models):
        raise InvalidSpaceError(_unknown(objective, models, task))
    is_higher_better = direction == "max" if direction else _is_higher_better(metric)
    scoring = Scoring(loss or losses[0], ObjectiveName.METRIC, metric, is_higher_better)
    more = f"{metric} is a metric of the model: it is no mean over rows, so its errors are unknown"
    return SpaceScoring(scoring, (*said, more))


def _by_loss(
    models: Sequence[ModelMeasures], common: Loss | None, task: Task, said: tuple[str, ...]
) -> SpaceScoring:
    """By the loss of all models; by one stated measure if they have different losses."""
    names = ", ".join(dict.fromkeys(one.text for one in models))
    several = f"the loss differs between configurations ({names}), so their losses do not compare"
    if common is None:
        others = [str(name) for name in ALLOWED[task.kind] if name is not ObjectiveName.LOSS]
        raise InvalidSpaceError(f"{several}; rank them with --objective {' or '.join(others)}")
    if len({one.loss for one in models}) == 1:
        return SpaceScoring(Scoring(common), said)
    objective = ObjectiveName.LOSS if common.is_of_classes else ObjectiveName.MAE
    scoring = Scoring(common, objective)
    others = [str(one) for one in ALLOWED[task.kind] if one not in (ObjectiveName.LOSS, objective)]
    more = (
        f"{several}: all are ranked by the {scoring.measure.name}; for another measure, say "
        f"--objective {' or '.join(others)}"
    )
    return SpaceScoring(scoring, (*said, more))


def _common_loss(models: Sequence[ModelMeasures], task: Task) -> Loss | None:
    """The loss by which models of different losses are measured; None if there is none.

    Classes: the cross-entropy, if all give probabilities. Amounts: the mean absolute error, which
    is in the target's unit, and in which no few far rows outweigh the others.
    """
    if task.kind is TaskKind.AMOUNT:
        return Loss(LossName.ABSOLUTE_ERROR)
    if not all(one.is_probable for one in models):
        return None
    return Loss(LossName.CROSSENTROPY) if task.kind is TaskKind.CLASSES else Loss()


def _of_smoothing(models: Sequence[ModelMeasures]) -> tuple[str, ...]:
    changed = dict.fromkeys(one.text for one in models if not one.is_plain)
    if not changed:
        return ()
    return (f"trained with {', '.join(changed)}, scored by the plain cross-entropy of the rows",)


def scored_loss(given: KerasLoss, task: Task) -> Loss:
    """Return the loss by rows that stands for the one that a model is compiled with.

    Smoothed labels are not the rows', and a squared error of classes is of probabilities: both are
    scored by the plain cross-entropy.
    """
    if given.loss.name is LossName.OWN:
        return given.loss
    if task.kind is TaskKind.AMOUNT:
        return given.loss
    if task.kind is TaskKind.CLASSES:
        return Loss(LossName.CROSSENTROPY)
    return Loss()


def check_targets(scoring: Scoring, task: Task, y: np.ndarray) -> None:
    """Raise OutputsError if amounts lie where the loss has no meaning."""
    if task.kind is not TaskKind.AMOUNT or y.size == 0:
        return
    low, high = float(np.min(y)), float(np.max(y))
    said = f"and the amounts lie between {low:.6g} and {high:.6g}"
    name = scoring.loss.name
    if name is LossName.BINARY_CROSSENTROPY and (low < 0 or high > 1):
        raise OutputsError(
            f"the loss binary_crossentropy takes targets from 0 to 1, {said}; compile it with "
            "loss=keras.losses.MeanSquaredError() and end it with a Dense layer without activation"
        )
    if name in (LossName.POISSON, LossName.SQUARED_LOG_ERROR) and low < 0:
        raise OutputsError(
            f"the loss {name} takes targets that are not negative, {said}; compile it with "
            "loss=keras.losses.MeanSquaredError()"
        )
    if name is LossName.PERCENTAGE_ERROR and np.any(y == 0):
        raise OutputsError(
            f"the loss {name} divides by the targets, and some are 0; compile it with "
            "loss=keras.losses.MeanAbsoluteError()"
        )


def own_metrics(model: Any) -> list[str]:
    """Return the names of the metrics that a model is compiled with, as Keras reports them."""
    return [_metric_name(one) for one in _given_metrics(model)]


def texts_of_metrics(model: Any) -> list[str]:
    """Return the metrics that a model is compiled with as texts, which Keras has yet to find."""
    return [one for one in _given_metrics(model) if isinstance(one, str)]


def _given_metrics(model: Any) -> list[Any]:
    config = model.get_compile_config() or {}
    found: list[Any] = []
    for kind in ("metrics", "weighted_metrics"):
        given = config.get(kind) or []
        listed = list(given.values()) if isinstance(given, dict) else list(given)
        for entry in listed:
            several = entry if isinstance(entry, list) else [entry]
            found += [one for one in several if one is not None]
    return found


def _metric_name(metric: Any) -> str:
    if not isinstance(metric, dict):
        return str(metric)
    config = metric.get("config")
    return str(config.get("name") if isinstance(config, dict) else config)


def _is_higher_better(metric: str) -> bool:
    """Whether more of a metric of Keras is better. Raises InvalidSpaceError for another name."""
    name = re.sub(r"_\d+$", "", metric.lower())
    if name in _HIGHER or name.endswith("accuracy"):
        return True
    if name in _LOWER:
        return False
    raise InvalidSpaceError(
        f"--objective {metric}: it is not known whether more or less of it is better; "
        f"write --objective max:{metric} or min:{metric}"
    )


def _unknown(objective: str, models: Sequence[ModelMeasures], task: Task) -> str:
    measures = [str(name) for name in ALLOWED[task.kind]]
    common = [name for name in models[0].metrics if all(name in one.metrics for one in models)]
    others = [name for name in common if _ALSO_CALLED.get(name, name) not in measures]
    found = f", or a metric of the model: {', '.join(others)}" if others else ""
    return f"--objective is {objective!r}, expected one of: {', '.join(measures)}{found}"
