"""An observer that shows nothing: for training that is watched by nobody, or elsewhere."""

from collections.abc import Sequence

from sweep.records import Assignment, EpochRecord, Outcome


class Silent:
    """A `sweep.runner.journal.Observer` that does nothing."""

    def wave(self, assignments: Sequence[Assignment]) -> None:
        """Show nothing."""

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        """Show nothing."""

    def finished(self, assignment: Assignment, outcome: Outcome, score: float | None) -> None:
        """Show nothing."""
