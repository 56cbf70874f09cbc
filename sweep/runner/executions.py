"""The score of a configuration that is trained under several seeds: the mean over its runs."""

import math
from dataclasses import dataclass, field

from sweep.store import StoredRun


@dataclass
class Executions:
    """Collects the scores of each configuration's runs until all of them have ended."""

    number: int
    """Runs of each configuration: its own and the repeats."""
    _scores: dict[int, dict[int, float]] = field(default_factory=dict)
    """By trial and number of the run."""
    _oracle_ids: dict[int, str] = field(default_factory=dict)

    def ended(self, run: StoredRun) -> tuple[str, float] | None:
        """Take in a run; return the search's name of the trial and its mean when it was the last.

        A run that is not finite makes the mean infinite: a configuration that fails under one
        seed has failed. Runs that were added to these, or repeat a baseline, are passed over.
        """
        if run.number > self.number:
            return None
        if run.oracle_id is not None:
            self._oracle_ids[run.trial] = run.oracle_id
        scores = self._scores.setdefault(run.trial, {})
        scores[run.number] = run.score
        if len(scores) < self.number or run.trial not in self._oracle_ids:
            return None
        return self._oracle_ids[run.trial], math.fsum(scores.values()) / self.number
