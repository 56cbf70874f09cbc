"""Runs a sweep to its end, or to where a budget, a failure limit or a signal ends it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sweep.folder import SweepFolder
from sweep.records import Assignment, EpochRecord, Outcome, OutcomeStatus, Proposal, Value
from sweep.runner.failures import describe_failures
from sweep.runner.journal import Observer, StoreJournal
from sweep.search.hyperband import Search
from sweep.seeds import derive
from sweep.settings import Budget
from sweep.store import NewTrial, Store
from sweep.training.contract import Trainer


class State(StrEnum):
    """A sweep's state as stored."""

    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FINISHED = "finished"
    FAILED = "failed"
    BUDGET = "budget"


@dataclass
class Runner:
    """Asks, trains, records and tells until the search is over.

    Is itself the journal's observer: it counts failures and passes everything on.
    """

    folder: SweepFolder
    store: Store
    search: Search
    trainer: Trainer
    trainer_of: Callable[[Assignment], str]
    observer: Observer
    baselines: Mapping[str, Mapping[str, Value]]
    budget: Budget
    interrupted: Callable[[], bool]
    """True once the user asked to stop."""
    _deadline: float | None = field(init=False)
    _over_failures: bool = field(init=False, default=False)
    _journal: StoreJournal = field(init=False)

    def __post_init__(self) -> None:
        identity = self.store.sweep().identity
        self._journal = StoreJournal(self.folder, self.store, identity, self, self.trainer_of)
        seconds = self.budget.max_seconds
        self._deadline = None if seconds is None else time.monotonic() + seconds

    def run(self) -> State:
        """Work until the end; the state is stored and returned.

        Raises SweepError when the machine or a checkpoint is at fault; the sweep can be resumed.
        """
        started = time.monotonic()
        self.store.set_state(State.RUNNING)
        self._journal.sweep_orphans()
        state, message = State.INTERRUPTED, None
        try:
            state, message = self._loop()
        finally:
            self.store.set_state(state, message, time.monotonic() - started)
        return state

    def _loop(self) -> tuple[State, str | None]:
        self._restore()
        while True:
            pending = self.store.pending()
            if not pending:
                if self._next_wave():
                    continue
                return State.FINISHED, None
            self._train(pending)
            ended = self._ended()
            if ended is not None:
                return ended

    def _train(self, pending: Sequence[Assignment]) -> None:
        allowed = [assignment for assignment in pending if self._is_allowed(assignment)]
        if not allowed:
            return
        self.wave(allowed)
        self.trainer.train(allowed, self._journal, self._must_stop)

    def _ended(self) -> tuple[State, str | None] | None:
        """Why to go no further, or None to go on."""
        if self._over_failures:
            return State.FAILED, describe_failures(self.store.failures())
        left = self.store.pending()
        if not left:
            return None
        if self.interrupted():
            return State.INTERRUPTED, None
        if self._out_of_time():
            return State.BUDGET, f"--max-time ended the search with {len(left)} assignments to do"
        if not any(self._is_allowed(assignment) for assignment in left):
            limit = self.budget.max_trials
            return State.BUDGET, f"--max-trials {limit} ended the search"
        return None

    # The oracle

    def _restore(self) -> None:
        sweep = self.store.sweep()
        if sweep.wave == 0:
            return
        current = sweep.wave - 1
        self.search.restore(
            sweep.oracle,
            [(p, None if wave == current else score) for p, wave, score in self.store.proposals()],
        )

    def _next_wave(self) -> bool:
        """Tell the results of the wave that ended and store the next; False when there is none."""
        sweep = self.store.sweep()
        first = sweep.wave == 0
        for proposal, wave, score in self.store.proposals():
            if wave == sweep.wave - 1 and score is not None:
                self.search.tell(proposal.oracle_id, score)
        wave_proposals = self.search.ask()
        roots = [p for p in wave_proposals if p.oracle_id == p.root_id]
        promotions = [p for p in wave_proposals if p.oracle_id != p.root_id]
        new = self._new_trials(roots, self.baselines if first else {})
        if not wave_proposals and not new:
            return False
        self.store.add_wave(self.search.state(), new, promotions)
        return True

    def _new_trials(
        self, roots: Sequence[Proposal], baselines: Mapping[str, Mapping[str, Value]]
    ) -> list[tuple[NewTrial, Proposal | None, int]]:
        start = self.store.n_trials()
        new: list[tuple[NewTrial, Proposal | None, int]] = []
        for label, values in baselines.items():
            seed = self._trial_seed(start + len(new))
            trial = NewTrial(label, None, None, seed, dict(values))
            new.append((trial, None, self.search.max_epochs))
        for root in roots:
            seed = self._trial_seed(start + len(new))
            trial = NewTrial(None, root.iteration, root.bracket, seed, root.hyperparameters)
            new.append((trial, root, root.last_epoch))
        return new

    def _trial_seed(self, trial: int) -> int:
        return derive(self.search.seed, "trial", trial)

    # When to stop

    def _is_allowed(self, assignment: Assignment) -> bool:
        limit = self.budget.max_trials
        return limit is None or assignment.trial < limit + len(self.baselines)

    def _must_stop(self) -> bool:
        return self.interrupted() or self._over_failures or self._out_of_time()

    def _out_of_time(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    # The journal's observer

    def wave(self, assignments: Sequence[Assignment]) -> None:
        self.observer.wave(assignments)

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        self.observer.epoch(assignment, record)

    def finished(self, assignment: Assignment, outcome: Outcome, score: float | None) -> None:
        if outcome.status is OutcomeStatus.FAILED:
            limit = min(self.budget.max_failures, self.store.first_wave_size())
            self._over_failures = len(self.store.failures()) >= limit
        self.observer.finished(assignment, outcome, score)
