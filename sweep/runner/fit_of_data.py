"""What a search space and the data say of each other: targets, classes, how rows are scored."""

import math
from dataclasses import replace

import numpy as np

from sweep.data.split import Split
from sweep.data.split_record import NoSkillScores, SplitRecord
from sweep.errors import DataError, InvalidSpaceError
from sweep.references.models import row_scores, why_only_no_skill
from sweep.references.no_skill import RowScores, no_skill_scores
from sweep.space.explore import suggested
from sweep.space.keras_loss import OutputsError
from sweep.space.load import Space
from sweep.space.scoring import check_targets
from sweep.tasks.losses import LossName
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.scoring import Scoring
from sweep.tasks.task import Task, TaskKind
from sweep.training.model import build_model
from sweep.training.predictions import losses_of_predictions

_LARGEST_TARGET = 1e15
"""Errors as large are squared, and a trial whose score is beyond 1e30 counts as diverged."""


def n_outputs_of(split: Split) -> int:
    """Return how many classes there are, or how many numbers are predicted for a row."""
    if split.task.kind in (TaskKind.BINARY, TaskKind.CLASSES):
        return split.task.n_classes
    return math.prod(split.train.y.shape[1:])


def check_split(space: Space, scoring: Scoring, split: Split) -> None:
    """Raise InvalidSpaceError if targets lie where the loss has no meaning.

    Raises DataError if they are so large that their squares are no numbers to count with.
    """
    for rows in (split.train, split.validation):
        largest = float(np.abs(rows.y).max(initial=0))
        if largest > _LARGEST_TARGET:
            raise DataError(
                f"{split.source}: the target {split.task.targets[0]!r} goes up to {largest:.3g} in "
                f"size, expected at most {_LARGEST_TARGET:g}; change its unit"
            )
        try:
            check_targets(scoring, split.task, rows.y)
        except OutputsError as error:
            raise InvalidSpaceError(f"{space.path} does not fit the data: {error}") from error


def with_class_weight(split: Split, space: Space) -> Split:
    """Return the split with the space's own class weights, unless the data's options gave some.

    Raises InvalidSpaceError if they name a class that there is not, or leave one out.
    """
    given = space.class_weight
    if given is None or split.class_weights:
        return split
    if split.task.kind not in (TaskKind.BINARY, TaskKind.CLASSES):
        raise InvalidSpaceError(
            f"CLASS_WEIGHT of {space.path}: the target is no class; delete CLASS_WEIGHT"
        )
    labels = _labels(split.task)
    by_label = {_plain(label): weight for label, weight in given.items()}
    numbers = [str(number) for number in range(len(labels))]
    for names in (labels, numbers):
        if set(by_label) == set(names):
            return replace(split, class_weights=tuple(by_label[name] for name in names))
    raise InvalidSpaceError(
        f"CLASS_WEIGHT of {space.path} has the labels {', '.join(by_label)}; expected: "
        f"{', '.join(labels)}"
    )


def scores_of(space: Space, task: Task, scoring: Scoring) -> RowScores:
    """Return how predictions are scored row by row; Keras computes a loss of the user's own."""
    if scoring.loss.name is not LossName.OWN or scoring.objective is not ObjectiveName.LOSS:
        return row_scores(task, scoring)
    model = build_model(space.build, space.explorer.follow(suggested({})).values, 0, for_fit=False)
    return lambda predicted, y: losses_of_predictions(model, predicted, y, task)


def with_no_skill(split: Split, scoring: Scoring, scores: RowScores) -> SplitRecord:
    """Return the split's record with its fingerprint, and the scores of no skill on its rows.

    Not those of the cross-entropy of two classes, which their shares tell.
    """
    record = replace(split.manifest, fingerprint=split.fingerprint)
    by_shares = scoring.is_binary_crossentropy and record.class_balance is not None
    if by_shares or scoring.objective is ObjectiveName.METRIC:
        return record
    train, validation = no_skill_scores(split, scoring, scores)
    if not (math.isfinite(train) and math.isfinite(validation)):
        return record
    return replace(record, no_skill=NoSkillScores(train, validation))


def said_of(split: Split, space: Space) -> list[str]:
    """Return what a person should know of the split and the space together.

    `split` is the data's own, before the space's class weights.
    """
    found = [] if (why := why_only_no_skill(split)) is None else [why]
    if space.class_weight is None:
        return found
    if split.class_weights:
        return [*found, "--class-weight is used in place of the file's CLASS_WEIGHT"]
    labels, weights = _labels(split.task), with_class_weight(split, space).class_weights
    each = ", ".join(f"{one} {weight:g}" for one, weight in zip(labels, weights, strict=True))
    return [*found, f"in the training loss classes count {each} times; the score is unweighted"]


def _labels(task: Task) -> list[str]:
    return [_plain(name) for name in task.classes] or [str(n) for n in range(task.n_classes)]


def _plain(label: object) -> str:
    """A label as text: 1.0, 1 and np.int64(1) are the same."""
    if isinstance(label, float | np.floating) and float(label).is_integer():
        return str(int(label))
    return str(label)
