"""What is to be trained: the search's proposals, baselines and other seeds, as stored assignments.

Nothing is trained that is not in the store, so a sweep that was killed finds there what was left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sweep.records import Assignment, OutcomeStatus, Proposal, Value
from sweep.runner.confirm import confirmations
from sweep.runner.executions import Executions
from sweep.searches.face import WORST, Search
from sweep.seeds import derive
from sweep.store import NewTrial, Planned, Store, StoredRun
from sweep.training.contract import Ended


class Waves(Protocol):
    """The source of the loop's assignments."""

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
    executions: int = 1
    """Runs of each configuration of the search, if it has no rungs; their mean is its score."""
    n_begun: int = 0
    _runs: Executions = field(init=False)

    def __post_init__(self) -> None:
        self._runs = Executions(self.executions)

    def restore(self) -> None:
        """Tell the search what the store holds already."""
        sweep = self.store.sweep()
        if sweep.wave > 0:
            told = [(proposal, score) for proposal, _, score in self.store.proposals()]
            if self.executions > 1:
                means = dict(filter(None, map(self._runs.ended, self.store.runs())))
                told = [(proposal, means.get(proposal.oracle_id)) for proposal, _ in told]
            self.search.restore(sweep.oracle, told)
            self.n_begun = self.store.first_wave_size()

    def waiting(self) -> list[Assignment]:
        self._store_what_can_start()
        return self.store.pending()

    def tell(self, ended: Ended, score: float | None) -> None:
        one = ended.assignment
        failed = ended.outcome.status is OutcomeStatus.FAILED
        score = WORST if failed or score is None else score
        if self.executions > 1:
            trial = one.trial if one.confirms is None else one.confirms
            if mean := self._runs.ended(
                StoredRun(trial, one.seed_number or 1, one.oracle_id, score)
            ):
                self.search.tell(*mean)
        elif one.oracle_id is not None:
            self.search.tell(one.oracle_id, score)

    @property
    def may_go_on(self) -> bool:
        return self.search.has_complete_rung

    def next(self) -> list[Assignment]:
        proposals = self.search.ask()
        if not proposals:
            return []
        known = self.store.last_assignment()
        roots, promotions = _divided(proposals)
        planned = [*self._new_trials(roots, {}), *self._promoted(promotions)]
        self.store.add_wave(self.search.state(), planned)
        return self.store.stored_after(known)

    def _store_what_can_start(self) -> None:
        """Ask the search, and store its proposals with all that is trained beside it."""
        first = self.store.sweep().wave == 0
        proposals = self.search.ask()
        roots, promotions = _divided(proposals)
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
        position, number = self.store.n_trials(), self.store.n_all_trials()
        new: list[Planned] = []
        for label, values in baselines.items():
            trial = NewTrial(label, None, None, self._trial_seed(position), dict(values))
            new.append(Planned(trial, self.search.max_epochs))
            position += 1
        for root in roots:
            seed, confirmed = self._trial_seed(position), number + len(new)
            trial = NewTrial(None, root.iteration, root.bracket, seed, root.hyperparameters)
            new.append(Planned.proposed(root, trial))
            new += [
                Planned(self._repeat(trial, confirmed, position, n), root.last_epoch)
                for n in range(2, self.executions + 1)
            ]
            position += 1
        return new

    def _repeat(self, trial: NewTrial, confirmed: int, position: int, number: int) -> NewTrial:
        """Return run `number` of a configuration whose own run gets the number `confirmed`.

        Its seed depends on its place in the search, not on how many repeats there are.
        """
        seed = derive(self.search.seed, "execution", position, number)
        values = dict(trial.hyperparameters)
        return NewTrial(None, None, None, seed, values, confirms=confirmed, seed_number=number)

    def _promoted(self, promotions: Sequence[Proposal]) -> list[Planned]:
        return [Planned.proposed(one, self.store.trial_of(one.root_id)) for one in promotions]

    def _other_seeds(self) -> list[NewTrial]:
        """Return the baselines, the first trials of all, under the seeds after their own."""
        values = {number: dict(v) for number, v in enumerate(self.baselines.values())}
        return confirmations(values, values, self.seeds, self.search.seed)

    def _trial_seed(self, trial: int) -> int:
        return derive(self.search.seed, "trial", trial)


def _divided(proposals: Sequence[Proposal]) -> tuple[list[Proposal], list[Proposal]]:
    """Return the proposals of new trials, and those of trials that go on."""
    roots = [p for p in proposals if p.oracle_id == p.root_id]
    return roots, [p for p in proposals if p.oracle_id != p.root_id]


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
