"""The trained models of a script's search."""

from typing import Any

from sweep.errors import NotFoundError
from sweep.store import Store
from sweep.sweep_folder import SweepFolder
from sweep.tuners.searched import Begun


def best_model_of(folder: SweepFolder, begun: Begun, trial: int) -> Any:
    """Return the model of a configuration with the weights of its best epoch.

    Of several executions it is that of the lowest score. Raises NotFoundError if it has not been
    trained, and what `sweep.runner.retrain.best_model` raises.
    """
    from sweep.runner.retrain import best_model

    with Store(folder.database, read_only=True) as store:
        sweep = store.sweep()
        runs = [trial, *_executions(store, trial, sweep.settings.executions)]
        found = {run: one for run in runs if (one := store.exportable(run)) is not None}
    if not found:
        raise NotFoundError(f"trial {trial} of {folder.path} has not been trained")
    best = min(found, key=lambda run: found[run].score)
    return best_model(folder, sweep.identity, begun.prepared, best, found[best])


def _executions(store: Store, trial: int, executions: int) -> list[int]:
    return [
        one.trial
        for one in store.standings()
        if one.confirms == trial and one.seed_number is not None and one.seed_number <= executions
    ]
