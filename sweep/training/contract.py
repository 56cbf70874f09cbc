"""The face every trainer shows and the one it sees.

A trainer takes assignments and reports to a journal; it knows neither the store nor the
oracle, so the loop can be tested with a trainer that does nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from sweep.records import Assignment, EpochRecord, Outcome
from sweep.training.checkpoint import TrialState

StopRequested = Callable[[], bool]


class Journal(Protocol):
    """Where a trainer reads a trial's state and writes what it did."""

    def load(self, assignment: Assignment) -> TrialState | None:
        """The trial's complete state at its last checkpoint, or None before its first epoch.

        Raises DataError when the checkpoint is damaged or belongs to another trial.
        """

    def checkpoint(
        self, assignment: Assignment, state: TrialState, records: Sequence[EpochRecord]
    ) -> None:
        """Keep `state` and the epochs recorded since the last checkpoint, both or neither."""

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        """An epoch ended: for live progress only, nothing is kept yet."""

    def finish(
        self,
        assignment: Assignment,
        outcome: Outcome,
        state: TrialState | None,
        records: Sequence[EpochRecord],
    ) -> None:
        """The assignment ended: keep state, remaining records and outcome together."""


class Trainer(Protocol):
    """Carries out assignments."""

    @property
    def name(self) -> str:
        """The trainer's name as it stands in the store."""

    def train(
        self, assignments: Iterable[Assignment], journal: Journal, stop: StopRequested
    ) -> None:
        """Train every assignment, reporting to `journal`.

        They are taken one by one, and the end of one may bring others: an iterator that had no
        more is asked again until nothing is at work.

        A trial that raises or whose loss is not finite is finished as FAILED and the others go
        on. When `stop()` turns true the epoch under way is finished, its state kept, and the
        call returns with the remaining assignments untouched.
        """
