"""A journal that keeps what a trainer reports in memory: for training beside a sweep."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sweep.records import Assignment, EpochRecord, Outcome
from sweep.training.checkpoint import TrialState
from sweep.training.contract import Ended


class States(Protocol):
    """A place for each trial's state: a dict, or files."""

    def get(self, trial: int, /) -> TrialState | None:
        """Return the trial's state, or None if none was put there."""

    def __setitem__(self, trial: int, state: TrialState, /) -> None:
        """Put the trial's state there, in place of an older one."""

    def __getitem__(self, trial: int, /) -> TrialState:
        """Return the trial's state. Raises KeyError if none was put there."""

    def __contains__(self, trial: object, /) -> bool:
        """Return whether a state of the trial is there."""


@dataclass
class MemoryJournal:
    """A `training.contract.KeepingJournal` in memory, by trial."""

    states: States = field(default_factory=dict[int, TrialState])
    records: dict[int, list[EpochRecord]] = field(default_factory=dict)
    """The epochs that are kept: those up to a checkpoint or an end."""
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    """Of each trial's last assignment."""
    ended: list[Ended] = field(default_factory=list)
    """All ends, in the order in which they came."""
    live: list[tuple[int, EpochRecord]] = field(default_factory=list)
    """All epochs as they were trained, each with its trial."""

    def load(self, assignment: Assignment) -> TrialState | None:
        return self.states.get(assignment.trial)

    def checkpoint(
        self, assignment: Assignment, state: TrialState, records: Sequence[EpochRecord]
    ) -> None:
        self._keep(assignment.trial, state, records)

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        self.live.append((assignment.trial, record))

    def finish(self, ended: Ended) -> None:
        self._keep(ended.assignment.trial, ended.state, ended.records)
        self.outcomes[ended.assignment.trial] = ended.outcome
        self.ended.append(ended)

    def _keep(self, trial: int, state: TrialState | None, records: Iterable[EpochRecord]) -> None:
        self.records.setdefault(trial, []).extend(records)
        if state is not None:
            self.states[trial] = state
