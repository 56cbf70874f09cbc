"""What the fused trainer's tests share: small data, a journal in memory, assignments."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers

from sweep.data.split import Rows, Split
from sweep.records import Assignment, EpochRecord, Outcome
from sweep.training.checkpoint import TrialState

N_FEATURES = 28
BATCH = 64

MEASURES = (
    "fit_loss",
    "fit_bce",
    "train_bce",
    "val_bce",
    "val_loss",
    "val_accuracy",
    "val_auc",
    "learning_rate",
)


def small_split(train: int = 200, validation: int = 60) -> Split:
    """Learnable rows; 200 rows in batches of 64 leave a smaller last batch."""
    random = np.random.default_rng(7)

    def rows(count: int) -> Rows:
        x = random.normal(size=(count, N_FEATURES)).astype(np.float32)
        noise = random.normal(size=(count, 1))
        y = (x[:, :1] * x[:, 1:2] + x[:, 2:3] + noise > 0).astype(np.float32)
        return Rows(x, y)

    return Split(rows(train), rows(validation), "test", {})


def normalised(hp: Any) -> Any:
    """Normalisations everywhere, beside activations that are not 0 at 0; Adam at 0.01."""
    rate = hp.Choice("dropout", [0.0, 0.3])
    model = keras.Sequential(
        [
            keras.Input((N_FEATURES,)),
            layers.BatchNormalization(momentum=0.5, center=False),
            layers.Dropout(rate),
            layers.Dense(24, use_bias=False),
            layers.BatchNormalization(momentum=0.8),
            layers.Activation("sigmoid"),
            layers.Dropout(rate),
            layers.Dense(20, activation="softplus"),
            layers.BatchNormalization(momentum=0.6, scale=False),
            layers.Dense(1),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.01),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryCrossentropy(from_logits=True, name="binary_crossentropy")],
    )
    return model


class MemoryJournal:
    """Keeps what a trainer reports, by trial."""

    def __init__(self) -> None:
        self.states: dict[int, TrialState] = {}
        self.records: dict[int, list[EpochRecord]] = {}
        self.outcomes: dict[int, Outcome] = {}
        self.live: list[tuple[int, EpochRecord]] = []

    def load(self, assignment: Assignment) -> TrialState | None:
        return self.states.get(assignment.trial)

    def checkpoint(
        self, assignment: Assignment, state: TrialState, records: Sequence[EpochRecord]
    ) -> None:
        self.states[assignment.trial] = state
        self.records.setdefault(assignment.trial, []).extend(records)

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        self.live.append((assignment.trial, record))

    def finish(
        self,
        assignment: Assignment,
        outcome: Outcome,
        state: TrialState | None,
        records: Sequence[EpochRecord],
    ) -> None:
        self.outcomes[assignment.trial] = outcome
        self.records.setdefault(assignment.trial, []).extend(records)
        if state is not None:
            self.states[assignment.trial] = state


def assignment(trial: int, last_epoch: int = 3, first_epoch: int = 0, **values: Any) -> Assignment:
    """Trial number `trial` with the hyperparameters `values`."""
    return Assignment(trial, trial, 0, first_epoch, last_epoch, values, seed=1_000 + trial)


def never() -> bool:
    """Nobody asks to stop."""
    return False


def measures(record: EpochRecord) -> np.ndarray:
    """All numbers of a record but its seconds."""
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
    """Whether two histories are equal in every bit of every measure."""
    return [r.epoch for r in one] == [r.epoch for r in other] and all(
        measures(a).tobytes() == measures(b).tobytes() for a, b in zip(one, other, strict=True)
    )
