"""Tries assignments that raised an error again: for faults that pass, such as want of memory."""

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field

from sweep.records import Assignment, OutcomeStatus
from sweep.training.contract import Ended, Endings, Journal, Source, StopRequested, Trainer
from sweep.training.queue import Queue


@dataclass(frozen=True)
class Retrying:
    """A trainer whose failed assignments are tried so many times more."""

    trainer: Trainer
    retries: int

    def train(self, source: Source, journal: Journal, stop: StopRequested) -> Endings:
        again, tried = _Again(source), Counter[int]()
        with closing(self.trainer.train(again, journal, stop)) as endings:
            for ended in endings:
                number = ended.assignment.assignment
                if _raised(ended) and tried[number] < self.retries:
                    tried[number] += 1
                    again.waiting.extend([ended.assignment])
                    continue
                yield ended


@dataclass
class _Again:
    """A source that gives what is to be tried again first."""

    source: Source
    waiting: Queue = field(default_factory=Queue)

    def take(self, *, by_turns: bool = False) -> Assignment | None:
        found = self.waiting.take(by_turns=by_turns)
        return self.source.take(by_turns=by_turns) if found is None else found


def _raised(ended: Ended) -> bool:
    """Whether code raised an error; a loss that is not finite would be so again."""
    outcome = ended.outcome
    return outcome.status is OutcomeStatus.FAILED and outcome.traceback is not None
