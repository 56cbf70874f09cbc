"""sweep export: a trial's best model as a Keras file."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from sweep.analysis.stored import trial_called
from sweep.cli import completion, output
from sweep.cli import options as opt
from sweep.cli.output import hint, out
from sweep.errors import UsageError
from sweep.store import Store
from sweep.sweep_folder import DEFAULT_RESULTS, SweepFolder, find_sweep
from sweep.verbs.exporting import Exported, choose
from sweep.verbs.exporting import export as write_export
from sweep.verbs.taken import Taken


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
    """Write a trial's best model as a Keras file, and verify it."""
    name, called, path = _arguments(arguments)
    folder = find_sweep(results, name)
    with Store(folder.database, read_only=True) as store:
        trial = None if called is None else trial_called(store, called)
    found = choose(folder, trial, ensemble=ensemble)
    exported = write_export(
        folder,
        found,
        path,
        output,
        retrain=retrain,
        other_numerics=other_numerics,
        cache=cache,
        command=shlex.join(_again(folder.name, called, path, ensemble)),
    )
    _show(exported, folder, path)


def _show(exported: Exported, folder: SweepFolder, path: Path) -> None:
    found = exported.taken
    if exported.takes is not None:
        hint(f"it prepares raw columns itself: {exported.takes}")
    epoch = "" if exported.epoch is None else f", epoch {exported.epoch}"
    hint(f"{_chosen(found, folder)}{epoch}:")
    as_before = "as measured before it was written" if found.ensemble else "as recorded"
    out().print(f"{path}: {_score(exported.score, found)}, {as_before}")
    if exported.how_to_load is not None:
        hint(f"it has parts of your own; load it with: {exported.how_to_load}")


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


def _again(name: str, called: str | None, path: Path, ensemble: bool) -> list[str]:
    """Return the words of the command that was given, with --retrain."""
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
