"""What the trainers' tests share: a small split, a journal over real files, assignments."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path

import numpy as np

from sweep.data.split import Rows, Split
from sweep.data.split_record import SplitRecord
from sweep.records import Assignment, EpochRecord, Outcome, Value
from sweep.training.checkpoint import TrialState, read_checkpoint, write_checkpoint


def make_split(train: int = 230, validation: int = 90, seed: int = 0) -> Split:
    """A learnable task: the label says whether a noisy product of two features is positive."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(train + validation, 28)).astype(np.float32)
    noise = random.normal(size=len(x)) * 0.7
    y = (x[:, 0] * x[:, 1] + x[:, 2] + noise > 0).astype(np.float32)[:, None]
    return Split(
        train=Rows(x[validation:], y[validation:]),
        validation=Rows(x[:validation], y[:validation]),
        source="test rows",
        manifest=SplitRecord("test"),
    )


@dataclass
class FileJournal:
    """Keeps checkpoints as files, as a sweep does, and everything else in memory."""

    folder: Path
    records: dict[int, list[EpochRecord]] = field(default_factory=dict)
    outcomes: dict[int, list[Outcome]] = field(default_factory=dict)
    epochs_seen: int = 0

    def load(self, assignment: Assignment) -> TrialState | None:
        path = self.path(assignment.trial)
        return read_checkpoint(path, self.identity(assignment)) if path.exists() else None

    def checkpoint(
        self, assignment: Assignment, state: TrialState, records: Sequence[EpochRecord]
    ) -> None:
        write_checkpoint(self.path(assignment.trial), self.identity(assignment), state)
        self.records.setdefault(assignment.trial, []).extend(records)

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        self.epochs_seen += 1

    def finish(
        self,
        assignment: Assignment,
        outcome: Outcome,
        state: TrialState | None,
        records: Sequence[EpochRecord],
    ) -> None:
        if state is not None:
            write_checkpoint(self.path(assignment.trial), self.identity(assignment), state)
        self.records.setdefault(assignment.trial, []).extend(records)
        self.outcomes.setdefault(assignment.trial, []).append(outcome)

    def path(self, trial: int) -> Path:
        return self.folder / f"{trial}.npz"

    def identity(self, assignment: Assignment) -> str:
        return f"test/{assignment.trial}"

    def state(self, trial: int) -> TrialState:
        return read_checkpoint(self.path(trial), f"test/{trial}")


def assign(
    trial: int, first: int, last: int, values: dict[str, Value], seed: int = 7, rung: int = 0
) -> Assignment:
    return Assignment(trial * 100 + rung, trial, rung, first, last, values, seed)


def numbers(records: Sequence[EpochRecord]) -> list[tuple[float, ...]]:
    """All that is measured, but for the seconds."""
    return [astuple(record)[:-1] for record in records]


def assert_same_state(one: TrialState, other: TrialState) -> None:
    assert one.epoch == other.epoch
    assert one.early_stopping == other.early_stopping
    np.testing.assert_array_equal(one.val_losses, other.val_losses)
    for group in ("model", "optimizer", "best"):
        left, right = getattr(one, group), getattr(other, group)
        assert len(left) == len(right)
        for a, b in zip(left, right, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=group)
