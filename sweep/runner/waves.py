"""What is to be trained: the search's proposals, baselines and other seeds, as stored assignments.

Nothing is trained that is not in the store, so a sweep that was killed finds there what was left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sweep.records import Assignment, OutcomeStatus, Proposal, Value
from sweep.runner.confirm import confirmations
from sweep.search.hyperband import WORST, Search
from sweep.seeds import derive
from sweep.store import NewTrial, Planned, Store
from sweep.training.contract import Ended


class Waves(Protocol):
    """Where the loop gets its assignments."""

    @property
    def n_begun(self) -> int:
        """How many assignments there are at the beginning: if all of them fail, nothing is left."""

    def waiting(self) -> list[Assignment]:
        """Store new assignments, then return all that are still to do, in order."""

    def tell(self, ended: Ended, score: float | None) -> None:
        """Say how an assignment ended, with its trial's score so far."""

    @property
    def may_go_on(self) -> bool:
        """Whether what was told may bring new assignments."""

    def next(self) -> list[Assignment]:
        """Store the assignments that follow from what was told, and return these alone."""


@dataclass
class SearchWaves:
    """The waves of a search: first all that can start, then each bracket's next rung."""

    store: Store
    search: Search
    baselines: Mapping[str, Mapping[str, Value]]
    seeds: int
    """Under which each baseline is trained."""
    n_begun: int = 0

    def restore(self) -> None:
        """Tell the search what the store holds already."""
        sweep = self.store.sweep()
        if sweep.wave > 0:
            told = [(proposal, score) for proposal, _, score in self.store.proposals()]
            self.search.restore(sweep.oracle, told)
            self.n_begun = self.store.first_wave_size()

    def waiting(self) -> list[Assignment]:
        self._store_what_can_start()
        return self.store.pending()

    def tell(self, ended: Ended, score: float | None) -> None:
        oracle_id = ended.assignment.oracle_id
        if oracle_id is not None:
            failed = ended.outcome.status is OutcomeStatus.FAILED
            self.search.tell(oracle_id, WORST if failed or score is None else score)

    @property
    def may_go_on(self) -> bool:
        return self.search.has_complete_rung

    def next(self) -> list[Assignment]:
        promotions = self.search.ask()
        if not promotions:
            return []
        known = self.store.last_assignment()
        self.store.add_wave(self.search.state(), self._promoted(promotions))
        return self.store.stored_after(known)

    def _store_what_can_start(self) -> None:
        """Ask the search, and store its proposals with all that is trained beside it."""
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
            self.n_begun = len(new)

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
        return [Planned.proposed(one, self.store.trial_of(one.root_id)) for one in promotions]

    def _other_seeds(self) -> list[NewTrial]:
        """Return the baselines, the first trials of all, under the seeds after their own."""
        values = {number: dict(v) for number, v in enumerate(self.baselines.values())}
        return confirmations(values, values, self.seeds, self.search.seed)

    def _trial_seed(self, trial: int) -> int:
        return derive(self.search.seed, "trial", trial)


@dataclass
class Confirmations:
    """The confirmations that are still to do: one wave, and the search is not asked."""

    store: Store
    n_begun: int = 0
    may_go_on: bool = False

    def waiting(self) -> list[Assignment]:
        pending = [one for one in self.store.pending() if one.confirms is not None]
        self.n_begun = self.n_begun or len(pending)
        return pending

    def tell(self, ended: Ended, score: float | None) -> None:
        return

    def next(self) -> list[Assignment]:
        return []
