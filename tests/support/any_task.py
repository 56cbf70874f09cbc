"""Stored sweeps of any task: the same curves as scores of other kinds and sizes, no Keras.

`play` stores thirty searched trials and three baselines with losses by row, reference models and
repeats, scored as `Kind` says. What is best, tied and overfit is the same in each.
"""

from dataclasses import dataclass, field, replace
from math import log
from pathlib import Path
from typing import Any

import numpy as np

from sweep.records import EpochRecord, OutcomeStatus
from sweep.runner.confirm import confirmations
from sweep.store import Reference, Store, TrialLosses
from sweep.tasks.losses import Loss, LossName
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.scoring import Scoring
from sweep.tasks.task import Task, TaskKind
from tests.support.sweeps import (
    DATA,
    Trained,
    candidate,
    record,
    rows_of_losses,
    store_sweep,
)
from tests.support.sweeps import Outcome as _Outcome

ROWS = 1_000
_LAST = 27


@dataclass(frozen=True)
class Kind:
    """What the scores measure, and how large they are."""

    scoring: Scoring = field(default_factory=Scoring)
    task: Task | None = None
    level: float = log(2)
    """The score of a model without skill."""
    has_references: bool = True


KINDS = {
    "binary": Kind(),
    "classes": Kind(
        Scoring(Loss(LossName.CROSSENTROPY)),
        Task(TaskKind.CLASSES, ("kind",), ("setosa", "versicolor", "virginica")),
        log(3),
    ),
    "tiny amount": Kind(
        Scoring(Loss(LossName.SQUARED_ERROR)), Task(TaskKind.AMOUNT, ("drift",)), 3e-6
    ),
    "large amount": Kind(
        Scoring(Loss(LossName.SQUARED_ERROR)), Task(TaskKind.AMOUNT, ("progression",)), 5_930.0
    ),
    "rmse": Kind(
        Scoring(Loss(LossName.SQUARED_ERROR), ObjectiveName.RMSE),
        Task(TaskKind.AMOUNT, ("price",)),
        81_000.0,
    ),
    "accuracy": Kind(
        Scoring(objective=ObjectiveName.ACCURACY),
        Task(TaskKind.BINARY, ("label",), ("no", "yes")),
        0.47,
    ),
    "auc": Kind(Scoring(objective=ObjectiveName.AUC), None, 0.5),
    "metric": Kind(
        Scoring(objective=ObjectiveName.METRIC, metric="f1", is_higher_better=True),
        None,
        -0.2,
        has_references=False,
    ),
}


def scaled(kind: Kind, score: float) -> float:
    """A score of a sweep of BCE as one of this kind."""
    if kind.scoring.is_higher_better:
        return kind.level * (2 - score / log(2))
    return kind.level * score / log(2)


def _record(kind: Kind, one: EpochRecord) -> EpochRecord:
    names = ("fit_loss", "fit_score", "train_score", "val_score", "val_loss")
    values: dict[str, Any] = {name: scaled(kind, getattr(one, name)) for name in names}
    if kind.task is not None and kind.task.kind is TaskKind.AMOUNT:
        values |= {"val_accuracy": float("nan"), "val_auc": float("nan")}
    return replace(one, **values)


def play(path: Path, kind: Kind, n_trials: int = 30, **changes: Any) -> Store:
    """A finished sweep of this kind, with repeats of its best trial."""
    random = np.random.default_rng(3)
    trials = []
    for number in range(n_trials + 3):
        width, depth = int(2 ** random.integers(3, 10)), int(random.integers(1, 5))
        values = {
            "width": width, "depth": depth, "l2": float(random.choice([0.0, 1e-4, 1e-3])),
            "dropout": float(random.choice([0.0, 0.3, 0.5])), "decay_steps": 20_000,
        }  # fmt: skip
        one = candidate(values, random)
        last = _LAST if number < 9 or number >= n_trials else int(random.choice([3, 9, _LAST]))
        records = [_record(kind, r) for r in one.curve[:last]]
        best = min(r.val_score for r in records)
        means = rows_of_losses(*[min(r.val_score for r in one.curve[:last])], rows=ROWS)
        spread = (means[0] - means[0].mean()) * abs(kind.level) / log(2)
        name = ("Tiny", "Large", "Deep")[number - n_trials] if number >= n_trials else None
        trials.append(
            Trained(
                records, values, one.params, last, baseline=name, losses=(spread + best),
                ended=OutcomeStatus.COMPLETED,
            )
        )  # fmt: skip
    data = DATA | ({} if kind.task is None else {"task": kind.task.to_json()})
    given: dict[str, Any] = {"scoring": kind.scoring.to_json(), "data": data, **changes}
    settings = {"settings": {"max_epochs": _LAST, "train_rows": 10_000, "validation_rows": ROWS}}
    store = store_sweep(path, trials, **(settings | given))
    if kind.has_references:
        store.set_references(
            [
                _reference("no skill", kind, log(2)),
                _reference("a line", kind, 0.652),
                _reference("boosted trees", kind, 0.61),
            ]
        )
    scores = [min(r.val_score for r in one.records) for one in trials]
    best = int(np.argmin(scores))
    _repeat(store, best, trials[best], kind)
    return store


def _reference(name: str, kind: Kind, bce: float) -> Reference:
    rows = rows_of_losses(bce, rows=ROWS)[0]
    losses = scaled(kind, bce) + (rows - rows.mean()) * abs(kind.level) / log(2)
    error = float(losses.std(ddof=1) / np.sqrt(ROWS))
    return Reference(name, scaled(kind, bce), error, losses.astype("f4"), 0.1)


def _repeat(store: Store, trial: int, one: Trained, kind: Kind) -> None:
    store.add_confirmations(confirmations({trial: dict(one.hyperparameters)}, [], 3, 0), 1)
    lowest = min(r.val_score for r in one.records)
    for number, assignment in enumerate(store.pending()):
        score = lowest + 0.006 * (number + 1) * abs(kind.level)
        again = replace(_record(kind, record(1, 0.6)), val_score=score)
        rows = np.asarray(one.losses) - lowest + score
        done = _Outcome(OutcomeStatus.STOPPED, 1, one.params, 1.0)
        losses = TrialLosses(1, rows.astype("f4"))
        store.finish(assignment, done, [again], "keras", losses=losses)
