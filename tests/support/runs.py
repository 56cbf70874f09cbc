"""Searches by the real loop in real stores, with a trainer that need not train."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sweep.records import Assignment, EpochRecord, Outcome
from sweep.runner.confirm import confirmations
from sweep.settings import Budget, Stage
from sweep.store import Store
from sweep.sweep_folder import SweepFolder
from tests.support.sweeps import sweep_row

BASELINES = {"Small": {"width": 8}, "Large": {"width": 512}}


class Silent:
    """An observer that counts."""

    def __init__(self) -> None:
        self.waves = self.ended = 0

    def wave(self, assignments: Sequence[Assignment]) -> None:
        self.waves += 1

    def epoch(self, assignment: Assignment, record: EpochRecord) -> None:
        raise AssertionError("the idle trainer has no epochs")

    def finished(self, assignment: Assignment, outcome: Outcome, score: float | None) -> None:
        self.ended += 1


def new_store(root: Path, name: str = "s") -> tuple[SweepFolder, Store]:
    """The folder and the store of a sweep in which nothing was done yet."""
    folder = SweepFolder(root, name)
    folder.create()
    row = sweep_row(name=name, identity=f"id-{name}", state="interrupted", active_seconds=0.0)
    return folder, Store.create(folder.database, row)


def new_runner(
    folder: SweepFolder, store: Store, trainer: Any, budget: Budget | None = None, **options: Any
) -> Any:
    """The loop over a search of 17 trials and two baselines, or over `options["search"]`."""
    import keras_tuner

    from sweep.runner.loop import Runner
    from sweep.searches.hyperband import HyperbandSearch

    hp = keras_tuner.HyperParameters()
    hp.Int("width", 1, 10_000)
    return Runner(
        folder=folder,
        store=store,
        search=options.get("search")
        or HyperbandSearch(hp, max_epochs=9, factor=3, iterations=1, seed=5),
        trainer=trainer,
        observer=options.get("observer", Silent()),
        baselines=options.get("baselines", BASELINES),
        budget=budget or Budget(),
        interrupted=options.get("interrupted", lambda: False),
        keep=options.get("keep", 20),
    )


def contents(store: Store) -> Any:
    """Everything stored but for clock times."""
    tables = {}
    for name in ("trial", "assignment", "epoch"):
        columns, rows = store.table(name)
        timeless = [i for i, c in enumerate(columns) if c not in ("ended_at",)]
        tables[name] = [tuple(row[i] for i in timeless) for row in rows]
    return tables


def search(max_epochs: int = 9, iterations: int = 1, stages: tuple[Stage, ...] = ()) -> Any:
    """A small search over one integer."""
    import keras_tuner

    from sweep.searches.hyperband import HyperbandSearch

    hp = keras_tuner.HyperParameters()
    hp.Int("width", 1, 10_000)
    return HyperbandSearch(hp, max_epochs, 3, iterations, 5, stages)


def confirm_in(store: Store, trials: dict[int, Any], seeds: int = 2) -> None:
    """Add to a store that trials are to be trained again, each under `seeds` seeds."""
    store.add_confirmations(confirmations(trials, [], seeds, 5, store.confirmed_seeds()), 9)
