"""A trainer that trains nothing, so that a whole search is over in a second."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sweep.records import Assignment, EpochRecord, Outcome, OutcomeStatus
from sweep.training.checkpoint import TrialState
from sweep.training.contract import Ended, Endings, Journal, Source, StopRequested
from sweep.training.early_stopping import EarlyStopping

NAME = "idle"


@dataclass(frozen=True)
class IdleTrainer:
    """Ends assignments in the order of the source; measures are a formula of trial and epoch."""

    fails: Callable[[Assignment], bool] | None = None
    """Which assignments fail; None for none."""
    die_after: int | None = None
    """Assignments after which KeyboardInterrupt is raised; None for never."""
    keeps_each_epoch: bool = False
    """Whether a checkpoint is kept at each epoch before an assignment's last."""

    def train(self, source: Source, journal: Journal, stop: StopRequested) -> Endings:
        n_taken = 0
        while not stop() and (assignment := source.take()) is not None:
            if n_taken == self.die_after:
                raise KeyboardInterrupt
            n_taken += 1
            yield self.end(assignment, journal)

    def end(self, assignment: Assignment, journal: Journal) -> Ended:
        """Carry out an assignment at once.

        Raises ValueError if the trial's checkpoint is not of an epoch within the assignment.
        """
        if self.fails is not None and self.fails(assignment):
            outcome = Outcome(OutcomeStatus.FAILED, params=3, error="ValueError: no", trainer=NAME)
            return Ended(assignment, outcome, None, ())
        before = journal.load(assignment)
        reached = 0 if before is None else before.epoch
        first, last = assignment.first_epoch, assignment.last_epoch
        if not first <= reached <= last or (reached > first and not self.keeps_each_epoch):
            raise ValueError(f"trial {assignment.trial} is at epoch {reached}, not at {first}")
        records = [made_up_record(assignment.trial, n) for n in range(reached + 1, last + 1)]
        if self.keeps_each_epoch:
            for record in records[:-1]:
                journal.checkpoint(assignment, made_up_state(record.epoch), [record])
            records = records[-1:]
        outcome = Outcome(
            OutcomeStatus.COMPLETED, last - first, params=3, seconds=0.1, trainer=NAME
        )
        return Ended(assignment, outcome, made_up_state(last), tuple(records))


def made_up_record(trial: int, epoch: int) -> EpochRecord:
    """An epoch's record; validation BCE falls with the epoch and differs between trials."""
    score = 0.5 + (trial * 37 % 101) / 100 + 1 / epoch
    return EpochRecord(epoch, score, score, score - 0.1, score, score, 0.5, 0.5, 0.001, 0.01)


def made_up_state(epoch: int) -> TrialState:
    """A trial's state of a few bytes."""
    array = (np.zeros(2, np.float32),)
    return TrialState(epoch, array, array, array, EarlyStopping(None))
