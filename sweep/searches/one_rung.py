"""Searches without rungs: each configuration is trained once, from its first epoch to the last.

Random, grid and Bayesian search differ in one thing, how the next configuration follows from
those before: that is a `Proposer`. What is common to them stands here: counting, waves, restarts.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sweep.records import Json, Proposal, Value
from sweep.searches.face import WORST

Configuration = Mapping[str, Value]


class Proposer(Protocol):
    """Chooses configurations one after another, none twice.

    It keeps nothing between its calls: what it returns follows from its arguments alone.
    """

    def wave(self, position: int) -> tuple[int, int | None]:
        """Return where the wave that holds configuration number `position` begins and ends.

        The end is the number of the first configuration after it, None if all belong to it.
        """

    def propose(
        self, before: Sequence[Configuration], scores: Sequence[float], most: int | None
    ) -> list[Configuration]:
        """Return the `most` configurations that follow on those `before`; all if it is None.

        Fewer if the space has no more. `scores` are those of the first `before`: of all that
        stand in earlier waves.
        """


@dataclass
class OneRung:
    """A search that trains configurations once each, in waves.

    A wave begins when all of the waves before it are told, so that it is the same whatever ends
    first. A search with more `trials` begins with the same configurations, and one that is given
    more trials later goes on as if it had had them from the start.
    """

    proposer: Proposer
    trials: int | None
    """How many configurations are tried; None for as many as there are."""
    max_epochs: int
    seed: int
    _proposals: list[Proposal] = field(init=False, default_factory=list)
    _scores: dict[str, float] = field(init=False, default_factory=dict)
    _may_go_on: bool = field(init=False, default=False)
    _is_exhausted: bool = field(init=False, default=False)

    @property
    def has_complete_rung(self) -> bool:
        """Whether all that was asked is told, and was not told when it was asked."""
        return self._may_go_on

    def ask(self) -> list[Proposal]:
        """Return the wave that can run now; none when the search is over or waits for scores."""
        self._may_go_on = False
        known = len(self._proposals)
        first, end = self.proposer.wave(known)
        if any(one.oracle_id not in self._scores for one in self._proposals[:first]):
            return []
        scores = [self._scores[one.oracle_id] for one in self._proposals[:first]]
        most = min((one - known for one in (end, self.trials) if one is not None), default=None)
        if self._is_exhausted or (most is not None and most <= 0):
            return []
        before = [one.hyperparameters for one in self._proposals]
        found = self.proposer.propose(before, scores, most)
        self._is_exhausted = most is None or len(found) < most
        for values in found:
            self._proposals.append(self._proposal(len(self._proposals), dict(values)))
        return self._proposals[known:]

    def tell(self, oracle_id: str, score: float) -> None:
        """Take in the score of a configuration; one that is not finite counts as the worst."""
        self._scores[oracle_id] = score if math.isfinite(score) else WORST
        is_last = len(self._proposals) == self.trials or self._is_exhausted
        self._may_go_on = not is_last and len(self._scores) == len(self._proposals)

    def state(self) -> Json:
        """Return nothing: all follows from the proposals and their scores."""
        return {}

    def restore(self, state: Json, proposals: Iterable[tuple[Proposal, float | None]]) -> None:
        """Go on from proposals that were made earlier, each with its score if it has ended."""
        told = list(proposals)
        self._proposals = [proposal for proposal, _ in told]
        for proposal, score in told:
            if score is not None:
                self.tell(proposal.oracle_id, score)

    def _proposal(self, number: int, values: dict[str, Value]) -> Proposal:
        name = str(number)
        return Proposal(name, name, 0, 0, 0, 0, self.max_epochs, values)
