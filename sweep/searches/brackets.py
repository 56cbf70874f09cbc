"""The brackets of a search: how many trials on each rung, and to which epoch.

A bracket that has reached its stage's max_epochs goes on when a later stage has a larger one:
at each further rung, the best 1/factor (rounded up) of the rung below train `factor` times as
many epochs, the last ones to the new max_epochs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sweep.settings import Stage


@dataclass
class Bracket:
    """One successive-halving tournament, and the oracle ids that take part."""

    iteration: int
    number: int
    """Hyperband's number: the bracket with the most rungs has the highest, 0 has a single rung."""
    sizes: tuple[int, ...]
    """Trials on each rung."""
    epochs: tuple[int, ...]
    """Epochs that a trial has trained at the end of each rung."""
    rungs: list[list[str]] = field(default_factory=list)
    untold: set[str] = field(default_factory=set)
    """Oracle ids of the bracket whose score is not known yet."""

    @property
    def key(self) -> tuple[int, int]:
        return self.iteration, self.number

    def enter(self, rung: int, oracle_id: str) -> None:
        """Add an oracle id to a rung; its score is not known yet."""
        while len(self.rungs) <= rung:
            self.rungs.append([])
        self.rungs[rung].append(oracle_id)
        self.untold.add(oracle_id)

    def name(self, rung: int) -> str:
        """Return an oracle id for the next entry of a rung, unlike all others in the search."""
        place = len(self.rungs[rung]) if rung < len(self.rungs) else 0
        return f"{self.iteration}-{self.number}-{rung}-{place}"


def n_brackets(max_epochs: int, factor: int) -> int:
    """Return how many brackets an iteration has: one for each power of `factor` to max_epochs."""
    count = 1
    while factor**count <= max_epochs:
        count += 1
    return count


class Ladder(Protocol):
    """The rungs of one iteration's brackets at one max_epochs."""

    def size(self, bracket: int, rung: int) -> int:
        """Return how many trials the bracket has on the rung."""

    def epochs(self, bracket: int, rung: int) -> int:
        """Return how many epochs the bracket's trials have trained at the end of the rung."""


def brackets_of(
    stages: Sequence[Stage], factor: int, ladders: Mapping[int, Ladder]
) -> list[Bracket]:
    """Return all brackets in Hyperband's order, the most exploring of an iteration first.

    `ladders` are by max_epochs.
    """
    brackets: list[Bracket] = []
    iteration = 0
    for position, stage in enumerate(stages):
        ladder = ladders[stage.max_epochs]
        per_iteration = n_brackets(stage.max_epochs, factor)
        for index in range(stage.brackets):
            number = per_iteration - 1 - index % per_iteration
            sizes = [ladder.size(number, rung) for rung in range(number + 1)]
            epochs = [ladder.epochs(number, rung) for rung in range(number + 1)]
            for later in stages[position + 1 :]:
                _extend(sizes, epochs, factor, later.max_epochs)
            brackets.append(
                Bracket(iteration + index // per_iteration, number, tuple(sizes), tuple(epochs))
            )
        iteration += -(-stage.brackets // per_iteration)
    return brackets


def _extend(sizes: list[int], epochs: list[int], factor: int, max_epochs: int) -> None:
    while epochs[-1] < max_epochs:
        sizes.append(-(-sizes[-1] // factor))
        epochs.append(min(epochs[-1] * factor, max_epochs))
