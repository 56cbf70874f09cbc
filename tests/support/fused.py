"""What the fused trainer's tests share: assignments, and comparisons to the last bit."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sweep.records import Assignment, EpochRecord
from sweep.testing import MemoryJournal, small_split, train_all
from sweep.testing.spaces import normalised
from sweep.testing.splits import N_FEATURES
from sweep.training.checkpoint import TrialState

__all__ = [
    "BATCH",
    "MEASURES",
    "N_FEATURES",
    "MemoryJournal",
    "assignment",
    "eagerly",
    "measures",
    "never",
    "normalised",
    "same_bits",
    "same_records",
    "small_split",
    "train_all",
]

BATCH = 64

MEASURES = [name for name in EpochRecord.meanings() if name not in ("epoch", "seconds")]


def assignment(trial: int, last_epoch: int = 3, first_epoch: int = 0, **values: Any) -> Assignment:
    """Trial number `trial` with the hyperparameters `values`."""
    return Assignment(trial, trial, 0, first_epoch, last_epoch, values, seed=1_000 + trial)


def eagerly(build: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`build`, for Keras to train without a graph: the same steps, and a few of them take less."""

    def built(hp: Any) -> Any:
        model = build(hp)
        model.run_eagerly = True
        return model

    return built


def never() -> bool:
    """Nobody asks to stop."""
    return False


def measures(record: EpochRecord) -> np.ndarray:
    """All numbers of a record but its seconds and the model's own metrics."""
    return np.array([getattr(record, name) for name in MEASURES])


def same_bits(one: TrialState, other: TrialState) -> bool:
    """Whether two states are equal in every bit."""
    groups = ("model", "optimizer", "best")
    return (
        one.epoch == other.epoch
        and one.early_stopping == other.early_stopping
        and np.array_equal(one.val_losses, other.val_losses)
        and all(
            len(getattr(one, group)) == len(getattr(other, group))
            and all(
                a.dtype == b.dtype and a.tobytes() == b.tobytes()
                for a, b in zip(getattr(one, group), getattr(other, group), strict=True)
            )
            for group in groups
        )
    )


def same_records(one: Sequence[EpochRecord], other: Sequence[EpochRecord]) -> bool:
    """Whether two histories are equal in every bit of every measure, and in the own metrics."""
    return [r.epoch for r in one] == [r.epoch for r in other] and all(
        measures(a).tobytes() == measures(b).tobytes() and a.metrics == b.metrics
        for a, b in zip(one, other, strict=True)
    )
