"""Trains chosen trials on: each continues from its checkpoint, exactly as a promoted trial does.

The search is not asked and its state stays. A trial that is trained on so keeps its place in its
bracket: where the bracket goes on later, what the trial has trained counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sweep.errors import NotFoundError, UsageError
from sweep.records import PlanRecord
from sweep.store import Planned, Reached, Store


@dataclass(frozen=True)
class Longer:
    """The assignments that train chosen trials on."""

    planned: tuple[Planned, ...]

    @property
    def epochs(self) -> int:
        """Epochs that all of them train at most."""
        return sum(one.last_epoch - one.first_epoch for one in self.planned)

    def store(self, store: Store) -> None:
        """Store the assignments, which are then to train. The sweep must be locked."""
        sweep = store.sweep()
        store.add_wave(sweep.oracle, self.planned)
        store.extend(sweep.settings, self._plan(sweep.plan))

    def _plan(self, plan: PlanRecord) -> PlanRecord:
        epochs = None if plan.epochs is None else plan.epochs + self.epochs
        return replace(plan, assignments=plan.assignments + len(self.planned), epochs=epochs)


def longer(store: Store, name: str, trials: Sequence[int], max_epochs: int) -> Longer:
    """Return what trains `trials` of sweep `name` on, to `max_epochs`. Stores nothing.

    Raises NotFoundError for a trial that there is not, UsageError for one that cannot go on.
    """
    planned = []
    for trial in dict.fromkeys(trials):
        found = store.reached(trial)
        if found is None:
            raise NotFoundError(f"sweep {name} has no trial {trial}")
        if why := _why_not(found, max_epochs):
            raise UsageError(f"trial {trial} cannot be trained on: {why}")
        planned.append(Planned(trial, max_epochs, found.epochs, found.rung))
    return Longer(tuple(planned))


def _why_not(found: Reached, max_epochs: int) -> str:
    """Return why a trial cannot be trained on; "" if it can."""
    if found.is_confirmation:
        return "it repeats another under a seed of its own; name a trial of the ranking"
    if found.is_failed:
        return "it failed"
    if found.is_stopped:
        return "early stopping ended it"
    if found.is_pending:
        return "it has an assignment that is not done; see: sweep resume"
    if found.file is None:
        return "its checkpoint was removed; its bracket goes on with --max-epochs alone"
    if max_epochs <= found.epochs:
        return f"it has been trained to epoch {found.epochs}; give a larger --max-epochs"
    return ""
