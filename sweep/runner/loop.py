"""Runs a sweep to its end, or to where a budget, a failure limit or a signal ends it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass

from sweep.errors import SweepError
from sweep.records import SweepState, Value
from sweep.runner.journal import Observer, StoreJournal
from sweep.runner.limits import Ending, Limits
from sweep.runner.retention import Room
from sweep.runner.waves import Confirmations, SearchWaves, Waves
from sweep.searches.face import Search
from sweep.settings import Budget, Settings
from sweep.store import Reference, Store
from sweep.sweep_folder import SweepFolder
from sweep.training.contract import StopRequested, Trainer
from sweep.training.queue import Queue


@dataclass(frozen=True)
class Runner:
    """Asks, trains, records and tells until there is nothing more to do."""

    folder: SweepFolder
    store: Store
    search: Search
    trainer: Trainer
    observer: Observer
    baselines: Mapping[str, Mapping[str, Value]]
    budget: Budget
    interrupted: Callable[[], bool]
    """True once the user asked to stop."""
    keep: int = Settings.keep
    """See `retention`."""
    seeds: int = Settings.seeds
    """Under which each baseline is trained."""
    executions: int = Settings.executions
    """Runs of each configuration of a search without rungs."""
    references: Callable[[StopRequested], Sequence[Reference] | None] = lambda stop: ()
    """Trains the reference models on the sweep's split; None if it was to stop before the end."""

    def run(self) -> SweepState:
        """Work until the end; store and return the sweep's state.

        Raises SweepError when the machine or a checkpoint is at fault; the sweep can be resumed.
        """
        self.store.count_seconds()
        self.store.set_state(SweepState.RUNNING)
        room = Room(self.folder, self.store, self.keep)
        room.make()
        try:
            waves = SearchWaves(
                self.store, self.search, self.baselines, self.seeds, self.executions
            )
            waves.restore()
            limits = self._limits(self.store.n_failures(), self.store.lowest())
            ending = self._work(waves, limits, room)
            if ending.state is SweepState.FINISHED:
                room.make()
                if not self._compare(limits):
                    ending = limits.over() or ending
        except BaseException:
            with suppress(SweepError):  # the disk that failed once may fail again
                self.store.set_state(SweepState.INTERRUPTED)
            raise
        self.store.set_state(ending.state, ending.sentence)
        return ending.state

    def confirm(self) -> Ending:
        """Train the confirmations that are still to do, and no more; return why that ended.

        The search's own state stays as it is stored. Raises what `run` raises.
        """
        self.store.count_seconds()
        room, waves = Room(self.folder, self.store, self.keep), Confirmations(self.store)
        room.make()
        ending = self._work(waves, self._limits(of_repeats=True), room)
        if not waves.waiting():
            room.make()
        return ending

    def _work(self, waves: Waves, limits: Limits, room: Room) -> Ending:
        """The loop: ask, train, record, tell."""
        journal = StoreJournal(
            self.folder, self.store, self.store.sweep().identity, (limits, self.observer)
        )
        while True:
            waiting = waves.waiting()
            allowed = limits.allowed(waiting)
            ending = limits.ending(waiting, allowed)
            if ending is not None:
                return ending
            queue = Queue(allowed)
            self.observer.wave(allowed)
            with closing(self.trainer.train(queue, journal, limits.must_stop)) as endings:
                for ended in endings:
                    score = journal.finish(ended)
                    limits.count(ended, score, waves.n_begun)
                    self.observer.finished(ended.assignment, ended.outcome, score)
                    waves.tell(ended, score)
                    room.count()
                    if waves.may_go_on and not limits.must_stop():
                        if new := limits.allowed(waves.next()):
                            queue.extend(new)
                            self.observer.wave(new)
                        room.make_if_due(waves.n_begun)

    def _limits(
        self,
        n_failures: int = 0,
        lowest: tuple[int, float] | None = None,
        *,
        of_repeats: bool = False,
    ) -> Limits:
        return Limits(
            budget=self.budget,
            interrupted=self.interrupted,
            failures=lambda: self.store.failures(of_repeats=of_repeats),
            ranked=lambda: self._ranked(of_repeats=of_repeats),
            first_searched=self.store.first_searched,
            n_failures=n_failures,
            lowest=lowest,
            shown=self.store.sweep().score_words,
        )

    def _ranked(self, *, of_repeats: bool) -> tuple[int, bool]:
        """How many trials or repeats there are, and whether there is a ranking."""
        progress = self.store.progress()
        n_trials = progress.confirmations if of_repeats else progress.trials
        return n_trials, progress.best_score is not None

    def _compare(self, limits: Limits) -> bool:
        """Fit and store the reference models, once for a sweep; False if there is no time left."""
        if self.store.references():
            return True
        found = self.references(limits.is_over)
        if found is not None:
            self.store.set_references(found)
        return found is not None
