"""Which trials are trained again with fresh seeds, and with which.

The search chose its best trials for their scores, so these scores are better than the trials
(selection bias). A confirmation is the same configuration under a fresh seed, whose score chose
nothing. A baseline was not chosen for its score; its own run counts as its first seed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sweep.errors import UsageError
from sweep.records import SweepState, Value
from sweep.seeds import derive
from sweep.store import NewTrial, Store

_OVER = (SweepState.FINISHED, SweepState.BUDGET)


@dataclass(frozen=True)
class Added:
    """The runs that a confirmation adds, and how many are to train then."""

    runs: tuple[NewTrial, ...]
    """Runs that are new."""
    pending: int
    """Runs that are still to train, those of earlier times included."""

    @property
    def new(self) -> int:
        return len(self.runs)

    def store(self, store: Store) -> None:
        """Store the new runs, which are then to train. The sweep must be locked."""
        store.add_confirmations(list(self.runs), store.sweep().settings.max_epochs)


def refuse_unless_over(name: str, state: SweepState, address: str | None = None) -> None:
    """Raise UsageError unless the search of sweep `name` is over: before, no trial is the best.

    `address` is what a command names the sweep by; by default its name.
    """
    if state not in _OVER:
        raise UsageError(
            f"sweep {name} {state.said}; its best trials are known when the search is over: "
            f"sweep resume {address or name}"
        )


def planned_confirmations(
    store: Store, trials: Mapping[int, dict[str, Value]], baselines: Iterable[int], seeds: int
) -> Added:
    """Return the runs of `trials` under `seeds` seeds each that are not stored yet. Stores nothing.

    `trials` are hyperparameters by number, `baselines` the numbers of the sweep's baselines.
    """
    settings = store.sweep().settings
    there = store.confirmed_seeds()
    new = confirmations(trials, baselines, seeds, settings.seed, there, settings.executions)
    pending = sum(a.confirms is not None for a in store.pending())
    return Added(tuple(new), len(new) + pending)


def add_confirmations(
    store: Store, trials: Mapping[int, dict[str, Value]], baselines: Iterable[int], seeds: int
) -> Added:
    """Store the runs that `planned_confirmations` returns. The sweep must be locked."""
    added = planned_confirmations(store, trials, baselines, seeds)
    added.store(store)
    return added


def confirmations(
    trials: Mapping[int, dict[str, Value]],
    baselines: Iterable[int],
    seeds: int,
    sweep_seed: int,
    there: Iterable[tuple[int, int]] = (),
    executions: int = 1,
) -> list[NewTrial]:
    """Return the confirmations of `trials`, under seeds number 1 to `seeds` each.

    `trials` are hyperparameters by number. Confirmations that are `there` already, as pairs of
    trial and seed number, are left out. Where the search itself had several `executions` of each
    trial, it chose by all of these, and the numbers of the confirmations begin after them.
    """
    known, named = set(there), set(baselines)
    searched = executions if executions > 1 else 0
    wanted = [
        (trial, number if trial in named else number + searched)
        for number in range(1, seeds + 1)
        for trial in trials
        if not (trial in named and number == 1)
    ]
    return [
        NewTrial(
            baseline=None,
            iteration=None,
            bracket=None,
            seed=derive(sweep_seed, "confirm", trial, number),
            hyperparameters=dict(trials[trial]),
            confirms=trial,
            seed_number=number,
        )
        for trial, number in wanted
        if (trial, number) not in known
    ]
