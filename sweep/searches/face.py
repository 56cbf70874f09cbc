"""What the loop needs of a search: it asks, trains in any order, tells each score, asks again."""

import math
from collections.abc import Iterable
from typing import Protocol

from sweep.records import Json, Proposal

WORST = math.inf
"""The score of a trial that failed."""


class Search(Protocol):
    """Proposes what to train, from its settings and the scores that it was told.

    Never from the time or the order in which trials end: a wave kept nowhere is asked again alike.
    """

    @property
    def max_epochs(self) -> int:
        """Epochs of a trial that is trained in full."""

    @property
    def seed(self) -> int:
        """The sweep's seed."""

    def ask(self) -> list[Proposal]:
        """Return every assignment that can run now; none when it is over or waits for scores."""

    @property
    def has_complete_rung(self) -> bool:
        """Whether what was told since the last `ask` may bring new assignments."""

    def tell(self, oracle_id: str, score: float) -> None:
        """Take in the score of an assignment; one that is not finite counts as the worst."""

    def state(self) -> Json:
        """Return what `restore` needs beside the proposals, as JSON."""

    def restore(self, state: Json, proposals: Iterable[tuple[Proposal, float | None]]) -> None:
        """Go on from a `state` that was kept earlier.

        `proposals` are all that were asked until then, in order, each with the score that had
        been told, or None when it was still under way.
        """
