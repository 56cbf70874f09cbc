"""sweep export: a trial's best model as a Keras file."""

from pathlib import Path
from typing import Annotated

import typer

from sweep.cli import completion, output
from sweep.cli import options as opt
from sweep.cli.look import trial_called
from sweep.cli.output import hint, out
from sweep.errors import NotFoundError, UsageError
from sweep.runner.cold_start import prepare_again
from sweep.runner.same_numbers import Numbers
from sweep.store import Store
from sweep.sweep_folder import DEFAULT_RESULTS, find_sweep
from sweep.words import counted


def export(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME [TRIAL]] FILE.keras",
            autocompletion=completion.sweep_then_trial,
            help="The sweep (by default the newest), the trial (by default the best), and the "
            "file to write. TRIAL is a number or a baseline's name.",
        ),
    ],
    retrain: Annotated[
        bool,
        typer.Option("--retrain", help="Train the trial again if its checkpoint was removed."),
    ] = False,
    other_numerics: opt.OtherNumericsOption = False,
    results: opt.ResultsOption = DEFAULT_RESULTS,
    cache: opt.CacheOption = None,
) -> None:
    """Write a trial's best model as an ordinary Keras file, and verify it."""
    name, called, path = _arguments(arguments)
    folder = find_sweep(results, name)
    with Store(folder.database, read_only=True) as store:
        sweep = store.sweep()
        trial = _best_trial(store) if called is None else trial_called(store, called)
        found = store.exportable(trial)
    if found is None:
        raise NotFoundError(
            f"sweep {folder.name} has no trained trial {trial}; see: sweep report {folder.name}"
        )
    if found.file is None and not retrain:
        raise NotFoundError(
            f"the checkpoint of trial {trial} was removed to make room, its records are kept; "
            "train it again, with the same numbers: "
            f"sweep export --retrain {folder.name} {trial} {path}"
        )
    trains = found.file is None and not other_numerics
    numbers = Numbers.SAME if trains else Numbers.BESIDE
    prepared = prepare_again(folder, sweep, cache, False, say=output, numbers=numbers)
    from sweep.runner.retrain import state_of
    from sweep.space.saved import how_to_load
    from sweep.training.export import export_best

    if found.file is None:
        hint(f"training trial {trial} again, {counted(found.epochs, 'epoch')} …")
    state = state_of(folder, sweep.identity, prepared, trial, found)
    bce = export_best(
        path,
        prepared.space.build,
        found.hyperparameters,
        found.seed,
        state,
        prepared.split.validation,
        found.score,
    )
    hint(f"trial {trial} of {folder.name}, epoch {state.early_stopping.best_epoch}:")
    out().print(f"{path}: validation BCE {bce:.6f}, as recorded")
    line = how_to_load(path.absolute())
    if line is not None:
        hint(f"it has parts of your own; load it with: {line}")


def _arguments(arguments: list[str]) -> tuple[str | None, str | None, Path]:
    """Return the sweep's name and the trial, if they were given, and the file."""
    *rest, file = arguments
    path = Path(file)
    if path.suffix != ".keras" or len(rest) > 2:
        raise UsageError(
            "expected: sweep export [NAME [TRIAL]] FILE.keras; "
            f"got: sweep export {' '.join(arguments)}"
        )
    opt.possible(path)
    if not path.parent.is_dir():
        raise UsageError(f"folder {path.parent} does not exist; make it first")
    return (rest[0] if rest else None), (rest[1] if len(rest) == 2 else None), path


def _best_trial(store: Store) -> int:
    best = store.progress().best_trial
    if best is None:
        raise NotFoundError("no trial has been evaluated yet")
    return best
