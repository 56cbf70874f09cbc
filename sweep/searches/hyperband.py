"""Hyperband over Keras Tuner's search spaces, asked whenever a trial has ended.

Configurations, bracket sizes and rung epochs are those of Keras Tuner's Hyperband oracle; who is
promoted is decided here, as the oracle decides it when all of a rung is known: the lowest
scores, in the order of the rung among equals (`tests/searches/test_hyperband.py` holds it so).
The oracle itself, asked trial by trial, goes through all its brackets for each, loses trials
that fail, stops when a space has fewer configurations than it wants, and names the wrong bracket
for promoted trials.

A search is a function of its settings and of the scores: a wave kept nowhere is asked again
alike. It may be extended by stages: more brackets, or a larger max_epochs (see `Stage`).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sweep.records import Json, Proposal, Value
from sweep.searches.brackets import Bracket, brackets_of, n_brackets
from sweep.searches.draw import ActiveSampler, Sampler
from sweep.searches.face import WORST
from sweep.searches.keras_tuner_oracle import KerasTunerOracle
from sweep.seeds import derive
from sweep.settings import Stage
from sweep.space.explore import Follow


@dataclass
class HyperbandSearch:
    """A Hyperband search: `ask`, train in any order, `tell` each score, ask again.

    Brackets do not wait for each other, and who is promoted depends on scores alone.

    `hyperparameters` is the search space, a `keras_tuner.HyperParameters` that has seen
    `build(hp)`. `stages` are those of an extended search, else it is one of `iterations` at
    `max_epochs`.
    """

    hyperparameters: Any
    max_epochs: int
    factor: int
    iterations: int
    seed: int
    stages: tuple[Stage, ...] = ()
    follow: Follow | None = None
    """Of a space where values decide what is active; None if each hyperparameter always is."""
    _sampler: Sampler = field(init=False)
    _brackets: list[Bracket] = field(init=False)
    _by_key: dict[tuple[int, int], Bracket] = field(init=False)
    _complete: set[tuple[int, int]] = field(init=False, default_factory=set)
    """Keys of the brackets whose last rung is all told and that were not asked since."""
    _drawn: int = field(init=False, default=0)
    """How many brackets, from the first on, have had their configurations drawn."""
    _proposals: dict[str, Proposal] = field(init=False, default_factory=dict)
    _scores: dict[str, float] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._sampler = (
            self._oracle(self.max_epochs)
            if self.follow is None
            else ActiveSampler(self.follow, derive(self.seed, "oracle"))
        )
        if not self.stages:
            n_all = self.iterations * n_brackets(self.max_epochs, self.factor)
            self.stages = (Stage(self.max_epochs, n_all),)
        ladders = {stage.max_epochs: self._oracle(stage.max_epochs) for stage in self.stages}
        self._brackets = brackets_of(self.stages, self.factor, ladders)
        self._by_key = {bracket.key: bracket for bracket in self._brackets}

    def ask(self) -> list[Proposal]:
        """Return every assignment that can run now: the next rung of each bracket that is all told.

        Empty when the search is over, or when it waits for scores.
        """
        complete = [bracket for key, bracket in self._by_key.items() if key in self._complete]
        self._complete.clear()
        wave = [proposal for bracket in complete for proposal in self._promote(bracket)]
        wave += self._draw_the_rest()
        return wave

    @property
    def has_complete_rung(self) -> bool:
        """Whether a bracket may go on: all scores of its last rung were told since it was asked."""
        return bool(self._complete)

    def tell(self, oracle_id: str, score: float) -> None:
        """Take in the score of an assignment: the trial's lowest validation BCE so far.

        A score that is not finite (a failed trial) counts as the worst and is not promoted.
        """
        self._scores[oracle_id] = score if math.isfinite(score) else WORST
        proposal = self._proposals[oracle_id]
        bracket = self._by_key[proposal.iteration, proposal.bracket]
        bracket.untold.discard(oracle_id)
        if not bracket.untold:
            self._complete.add(bracket.key)

    def state(self) -> Json:
        """Return what `restore` needs beside the proposals, as JSON."""
        return {"brackets_drawn": self._drawn}

    def restore(self, state: Json, proposals: Iterable[tuple[Proposal, float | None]]) -> None:
        """Go on from a `state` that was kept earlier.

        `proposals` are all that were asked until then, in order, each with the score that had
        been told, or None when it was still under way.
        """
        # before there were stages, all brackets were drawn at once
        self._drawn = int(state.get("brackets_drawn", self.stages[0].brackets))
        told = list(proposals)
        for proposal, _ in told:  # all of a rung, before it can be complete
            self._propose(self._by_key[proposal.iteration, proposal.bracket], proposal)
        for proposal, score in told:
            if score is not None:
                self.tell(proposal.oracle_id, score)

    # Promotion

    def _promote(self, bracket: Bracket) -> list[Proposal]:
        """Return the next rung's proposals: the best configurations of the last rung."""
        rung = len(bracket.rungs)
        if rung == len(bracket.sizes):
            return []
        alive = [oracle_id for oracle_id in bracket.rungs[-1] if self._scores[oracle_id] < WORST]
        best = sorted(alive, key=self._scores.__getitem__)[: bracket.sizes[rung]]
        return [self._continue(self._proposals[oracle_id], bracket, rung) for oracle_id in best]

    def _continue(self, below: Proposal, bracket: Bracket, rung: int) -> Proposal:
        return self._propose(
            bracket,
            Proposal(
                oracle_id=bracket.name(rung),
                root_id=below.root_id,
                iteration=bracket.iteration,
                bracket=bracket.number,
                rung=rung,
                first_epoch=below.last_epoch,
                last_epoch=bracket.epochs[rung],
                hyperparameters=below.hyperparameters,
            ),
        )

    def _propose(self, bracket: Bracket, proposal: Proposal) -> Proposal:
        bracket.enter(proposal.rung, proposal.oracle_id)
        self._proposals[proposal.oracle_id] = proposal
        return proposal

    # Configurations

    def _draw_the_rest(self) -> list[Proposal]:
        """Return the first rungs of the brackets that have no rung yet."""
        if self._drawn == len(self._brackets):
            return []
        if self._drawn and self._sampler.is_fresh:  # restored: draw again what was drawn
            for bracket in self._brackets[: self._drawn]:
                self._draw(bracket.sizes[0])
            for proposal in self._proposals.values():  # as another Keras Tuner may have drawn
                self._sampler.mark_as_tried(proposal.hyperparameters)
        drawn: list[Proposal] = []
        for bracket in self._brackets[self._drawn :]:
            for values in self._draw(bracket.sizes[0]):
                root = bracket.name(0)
                proposal = Proposal(
                    root, root, bracket.iteration, bracket.number, 0, 0, bracket.epochs[0], values
                )
                drawn.append(self._propose(bracket, proposal))
        self._drawn = len(self._brackets)
        return drawn

    def _draw(self, size: int) -> list[dict[str, Value]]:
        """Return `size` configurations, none drawn before; fewer if the space has no more."""
        found: list[dict[str, Value]] = []
        while len(found) < size and (values := self._sampler.draw()) is not None:
            self._sampler.mark_as_tried(values)
            found.append(values)
        return found

    def _oracle(self, max_epochs: int) -> KerasTunerOracle:
        seed = derive(self.seed, "oracle")
        return KerasTunerOracle(self.hyperparameters, max_epochs, self.factor, seed)
