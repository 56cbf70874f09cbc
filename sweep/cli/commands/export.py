"""sweep export: a trial's best model as a Keras file."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sweep.analysis.stored import trial_called
from sweep.cli import completion, output
from sweep.cli import options as opt
from sweep.cli.chosen import Taken, taken
from sweep.cli.output import hint, out
from sweep.errors import NotFoundError, UsageError
from sweep.runner.cold_start import prepare_again
from sweep.runner.same_numbers import Numbers
from sweep.store import Store
from sweep.sweep_folder import DEFAULT_RESULTS, SweepFolder, find_sweep

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sweep.runner.prepare import Prepared


def export(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME [TRIAL]] FILE.keras",
            autocompletion=completion.sweep_then_trial,
            help="The sweep (by default the newest), the trial (by default what `sweep test` "
            "tests: the best, a run in full), and the file to write. TRIAL is a number or a "
            "baseline's name, and means exactly that trial's own run.",
        ),
    ],
    retrain: Annotated[
        bool,
        typer.Option("--retrain", help="Train the trial again if its checkpoint was removed."),
    ] = False,
    ensemble: opt.EnsembleOption = False,
    other_numerics: opt.OtherNumericsOption = False,
    results: opt.ResultsOption = DEFAULT_RESULTS,
    cache: opt.CacheOption = None,
) -> None:
    """Write a trial's best model as an ordinary Keras file, and verify it."""
    name, called, path = _arguments(arguments)
    folder = find_sweep(results, name)
    with Store(folder.database, read_only=True) as store:
        sweep = store.sweep()
        trial = None if called is None else trial_called(store, called)
        found = taken(folder, store, trial, "best", ensemble=ensemble)
    if found.removed and not retrain:
        again = _again(folder.name, called, path, ensemble)
        raise NotFoundError(_removed(found, shlex.join(again)))
    trains = bool(found.removed) and not other_numerics
    numbers = Numbers.SAME if trains else Numbers.BESIDE
    prepared = prepare_again(folder, sweep, cache, False, say=output, numbers=numbers)
    found.say_what_is_trained()
    if ensemble:
        _export_ensemble(path, folder, sweep.identity, prepared, found, cache)
    else:
        _export_run(path, folder, sweep.identity, prepared, found, cache)


def _export_run(
    path: Path,
    folder: SweepFolder,
    identity: str,
    prepared: "Prepared",
    found: Taken,
    cache: Path | None,
) -> None:
    from sweep.runner.retrain import state_of
    from sweep.space.saved import how_to_load
    from sweep.training.export import export_best

    ((trial, one),) = found.members.items()
    state = state_of(folder, identity, prepared, trial, one)
    build, values = prepared.space.build, one.hyperparameters
    split, scoring, raw = prepared.split, prepared.scored.scoring, _raw(prepared, cache)
    score = export_best(path, build, values, one.seed, state, split, one.score, scoring, raw)
    hint(f"{_chosen(found, folder)}, epoch {state.early_stopping.best_epoch}:")
    out().print(f"{path}: {_score(score, found)}, as recorded")
    line = how_to_load(path.absolute())
    if line is not None:
        hint(f"it has parts of your own; load it with: {line}")


def _export_ensemble(
    path: Path,
    folder: SweepFolder,
    identity: str,
    prepared: "Prepared",
    found: Taken,
    cache: Path | None,
) -> None:
    from sweep.runner.retrain import ensemble_model
    from sweep.training.export import export_verified

    model, measured = ensemble_model(folder, identity, prepared, found.members)
    split, scoring, raw = prepared.split, prepared.scored.scoring, _raw(prepared, cache)
    score = export_verified(path, model, split, measured, scoring, raw)
    hint(f"{_chosen(found, folder)}:")
    out().print(f"{path}: {_score(score, found)}, as measured before it was written")


def _raw(prepared: "Prepared", cache: Path | None) -> "list[NDArray[Any]] | None":
    """The raw columns of the validation rows; None where models see the file's numbers."""
    from sweep.data.tables.raw_rows import raw_validation

    if prepared.split.preparation is None:
        return None
    return raw_validation(prepared.split.manifest, cache)


def _score(score: float, found: Taken) -> str:
    """What was measured, with more digits than elsewhere: "validation BCE 0.543210"."""
    shown = found.shown
    value = shown.precise(score)
    root = shown.root(score)
    return f"{shown.validation} {value}" + (f" ({root})" if root else "")


def _chosen(found: Taken, folder: SweepFolder) -> str:
    from sweep.analysis.report.openings import reason

    choice = found.choice
    if choice.rule == "trial" and not found.ensemble:
        return f"trial {choice.trial} of {folder.name}"
    why = reason(choice, found.shown, ensemble=found.ensemble)
    return f"trial {choice.trial} of {folder.name}, {why}"


def _removed(found: Taken, command: str) -> str:
    first = found.removed[0]
    return (
        f"the checkpoint of trial {first} was removed to make room, its records are kept; "
        f"train it again, with the same numbers: {command}"
    )


def _again(name: str, called: str | None, path: Path, ensemble: bool) -> list[str]:
    """The same command with --retrain."""
    options = ["--retrain", *(["--ensemble"] if ensemble else [])]
    trial = [] if called is None else [called]
    return ["sweep", "export", *options, name, *trial, str(path)]


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
