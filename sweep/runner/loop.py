"""Runs a sweep to its end, or to where a budget, a failure limit or a signal ends it."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from sweep.errors import SweepError
from sweep.records import (
    Assignment,
    EpochRecord,
    Outcome,
    OutcomeStatus,
    Proposal,
    SweepState,
    Value,
)
from sweep.runner.confirm import confirmations
from sweep.runner.journal import Observer, StoreJournal
from sweep.runner.limits import describe_failures
from sweep.runner.retention import removable, remove
from sweep.search.hyperband import WORST, Search
from sweep.seeds import derive
from sweep.settings import Budget, Settings
from sweep.store import NewTrial, Planned, Reference, Store
from sweep.sweep_folder import SweepFolder
from sweep.training.contract import Trainer

_ROOM_EACH = 10
"""Room is made when a tenth of the sweep's trials have ended since: it looks at all of them."""


@dataclass
class Taken(Iterator[Assignment]):
    """Takes assignments from a queue, also those that are put there after it was empty."""

    queue: deque[Assignment]

    def __next__(self) -> Assignment:
        if not self.queue:
            raise StopIteration
        return self.queue.popleft()


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
    keep: int = Settings.keep
    """See `retention`."""
    seeds: int = Settings.seeds
    """Under which each baseline is trained."""
    references: Callable[[], Sequence[Reference]] = tuple
    """Trains the reference models on the sweep's split."""
    _deadline: float | None = field(init=False)
    _failures: int = field(init=False, default=0)
    _n_begun: int = field(init=False, default=0)
    """Trials of the first wave, or confirmations: when so many fail, nothing is left."""
    _n_ended: int = field(init=False, default=0)
    """Assignments that ended since room was made."""
    _over_failures: bool = field(init=False, default=False)
    _best: tuple[int, float] | None = field(init=False, default=None)
    """The trial that reached the target, and its validation BCE."""
    _journal: StoreJournal = field(init=False)
    _queue: deque[Assignment] = field(init=False, default_factory=deque)
    """What the trainer has not taken yet."""

    def __post_init__(self) -> None:
        identity = self.store.sweep().identity
        self._journal = StoreJournal(self.folder, self.store, identity, self, self.trainer_of)
        seconds = self.budget.max_seconds
        self._deadline = None if seconds is None else time.monotonic() + seconds

    def run(self) -> SweepState:
        """Work until the end; the state is stored and returned.

        Raises SweepError when the machine or a checkpoint is at fault; the sweep can be resumed.
        """
        self.store.count_seconds()
        self.store.set_state(SweepState.RUNNING)
        self._make_room()
        try:
            self._restore()
            state, message = self._loop()
        except BaseException:
            with suppress(SweepError):  # the disk that failed once may fail again
                self.store.set_state(SweepState.INTERRUPTED)
            raise
        self.store.set_state(state, message)
        return state

    def confirm(self) -> tuple[SweepState, str | None]:
        """Train the confirmations that are still to do, and no more: how that ended, and why.

        The search's own state stays as it is stored. Raises what `run` raises.
        """
        self.store.count_seconds()
        self._make_room()
        while pending := [a for a in self.store.pending() if a.confirms is not None]:
            self._n_begun = self._n_begun or len(pending)
            ended = self._ended()
            if ended is not None:
                return ended
            self._train(pending)
        self._make_room()
        return SweepState.FINISHED, None

    def _loop(self) -> tuple[SweepState, str | None]:
        while True:
            self._next_wave()
            pending = self.store.pending()
            allowed = self._allowed(pending)
            ended = self._ended() if allowed else self._failed()
            if ended is not None:
                return ended
            if allowed:
                self._train(allowed)
            elif pending:
                return SweepState.BUDGET, f"--max-trials {self.budget.max_trials} ended the search"
            else:
                self._make_room()
                self._compare()
                return SweepState.FINISHED, None

    def _train(self, assignments: Sequence[Assignment]) -> None:
        self._queue = deque(assignments)
        self.wave(assignments)
        self.trainer.train(Taken(self._queue), self._journal, self._must_stop)

    def _compare(self) -> None:
        """Reference models, once for a sweep."""
        if not self.store.references():
            self.store.set_references(self.references())

    def _ended(self) -> tuple[SweepState, str | None] | None:
        """Why to go no further, or None to go on."""
        if self._best is not None:
            trial, bce = self._best
            target = self.budget.target
            return SweepState.BUDGET, f"--target {target} was reached: {bce:.6f} by trial {trial}"
        if self.interrupted():
            return SweepState.INTERRUPTED, None
        if self._out_of_time():
            return (
                SweepState.BUDGET,
                f"--max-time of {self.budget.max_seconds:g} s ended the search",
            )
        return self._failed()

    def _failed(self) -> tuple[SweepState, str | None] | None:
        if not self._over_failures:
            return None
        return SweepState.FAILED, describe_failures(self.store.failures())

    def _make_room(self) -> None:
        """Remove what a kill left, and checkpoints that the policy gives up."""
        remove(self.store, removable(self.folder, self.store, self.keep))
        self._n_ended = 0

    # The oracle

    def _restore(self) -> None:
        sweep = self.store.sweep()
        if sweep.wave > 0:
            told = [(proposal, score) for proposal, _, score in self.store.proposals()]
            self.search.restore(sweep.oracle, told)
            self._n_begun = self.store.first_wave_size()
        self._failures = self.store.n_failures()
        if self.budget.target is not None:
            lowest = self.store.lowest()
            self._best = lowest if lowest and lowest[1] <= self.budget.target else None

    def _next_wave(self) -> None:
        """Ask for what can be trained now and store it."""
        first = self.store.sweep().wave == 0
        proposals = self.search.ask()
        roots = [p for p in proposals if p.oracle_id == p.root_id]
        promotions = [p for p in proposals if p.oracle_id != p.root_id]
        new = self._new_trials(roots, self.baselines if first else {})
        last = self.search.max_epochs
        if first:
            new += [Planned(trial, last) for trial in self._other_seeds()]
        longer = [
            Planned(trial, last, reached) for trial, reached in self.store.beside_search_below(last)
        ]
        if not proposals and not new and not longer:
            return
        self.store.add_wave(self.search.state(), [*new, *longer, *self._promoted(promotions)])
        if first:
            self._n_begun = len(new)

    def _new_trials(
        self, roots: Sequence[Proposal], baselines: Mapping[str, Mapping[str, Value]]
    ) -> list[Planned]:
        start = self.store.n_trials()
        new: list[Planned] = []
        for label, values in baselines.items():
            seed = self._trial_seed(start + len(new))
            trial = NewTrial(label, None, None, seed, dict(values))
            new.append(Planned(trial, self.search.max_epochs))
        for root in roots:
            seed = self._trial_seed(start + len(new))
            trial = NewTrial(None, root.iteration, root.bracket, seed, root.hyperparameters)
            new.append(Planned.proposed(root, trial))
        return new

    def _promoted(self, promotions: Sequence[Proposal]) -> list[Planned]:
        return [Planned.proposed(p, self.store.trial_of(p.root_id)) for p in promotions]

    def _other_seeds(self) -> list[NewTrial]:
        """The baselines, the first trials of all, under the seeds behind their own."""
        values = {number: dict(v) for number, v in enumerate(self.baselines.values())}
        return confirmations(values, values, self.seeds, self.search.seed)

    def _trial_seed(self, trial: int) -> int:
        return derive(self.search.seed, "trial", trial)

    # When to stop

    def _allowed(self, pending: list[Assignment]) -> list[Assignment]:
        limit = self.budget.max_trials
        if limit is None:
            return pending
        first = self.store.first_searched(limit)
        return [a for a in pending if not a.is_searched or a.trial in first]

    def _must_stop(self) -> bool:
        return (
            self.interrupted()
            or self._over_failures
            or self._best is not None
            or self._out_of_time()
        )

    def _out_of_time(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _look_for_target(self, assignment: Assignment, bce: float) -> None:
        target = self.budget.target
        searched = assignment.confirms is None
        if target is not None and bce <= target and self._best is None and searched:
            self._best = assignment.trial, bce

    # The journal's observer

    def wave(self, assignments: Sequence[Assignment]) -> None:
        self.observer.wave(assignments)

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        self._look_for_target(assignment, record.val_bce)
        self.observer.epoch(assignment, record)

    def finished(self, assignment: Assignment, outcome: Outcome, score: float | None) -> None:
        if outcome.status is OutcomeStatus.FAILED:
            score_told = WORST
            self._failures += 1
            limit = min(self.budget.max_failures, self._n_begun)
            self._over_failures = self._failures >= limit
        else:
            score_told = WORST if score is None else score
            self._look_for_target(assignment, score_told)
        self.observer.finished(assignment, outcome, score)
        self._n_ended += 1
        if assignment.oracle_id is not None:
            self.search.tell(assignment.oracle_id, score_told)
            if self.search.has_complete_rung and not self._must_stop():
                self._promote()

    def _promote(self) -> None:
        """Let brackets whose rung is complete go on, while others are trained."""
        promotions = self.search.ask()
        if promotions:
            known = self.store.last_assignment()
            self.store.add_wave(self.search.state(), self._promoted(promotions))
            new = self._allowed(self.store.stored_after(known))
            if new:
                self._queue.extend(new)
                self.wave(new)
        if _ROOM_EACH * self._n_ended >= self._n_begun:
            self._make_room()
