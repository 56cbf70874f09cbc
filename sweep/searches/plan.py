"""What a search will run, before it runs: its brackets, rungs and every configuration.

The plan is a rehearsal of the real search with made-up scores, so it is what then runs,
exactly, also for a space with too few configurations. (The oracle samples without looking at
scores.) Only early stopping and failures make the real search shorter.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from sweep.records import PlannedRung, Proposal
from sweep.searches.face import Search


@dataclass(frozen=True)
class Plan:
    """All waves of a search, each with its proposals."""

    waves: tuple[tuple[Proposal, ...], ...]

    @property
    def proposals(self) -> tuple[Proposal, ...]:
        return tuple(proposal for wave in self.waves for proposal in wave)

    @property
    def roots(self) -> tuple[Proposal, ...]:
        """The first assignment of each trial."""
        return tuple(p for p in self.proposals if p.oracle_id == p.root_id)

    @property
    def rungs(self) -> tuple[PlannedRung, ...]:
        """The ladder: by iteration, the most exploring bracket first, lowest rung first."""
        counted = Counter(
            (p.iteration, -p.bracket, p.rung, p.first_epoch, p.last_epoch) for p in self.proposals
        )
        return tuple(
            PlannedRung(iteration, -bracket, rung, trials, first, last)
            for (iteration, bracket, rung, first, last), trials in sorted(counted.items())
        )

    @property
    def epochs(self) -> int:
        return sum(rung.epochs for rung in self.rungs)


def rehearse(new_search: Callable[[], Search]) -> Plan:
    """Return the plan of the search that `new_search` makes."""
    search = new_search()
    waves: list[tuple[Proposal, ...]] = []
    while wave := search.ask():
        for proposal in wave:
            search.tell(proposal.oracle_id, float(len(waves)))
        waves.append(tuple(wave))
    return Plan(tuple(waves))
