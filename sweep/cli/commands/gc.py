"""sweep gc: files that nothing needs are removed."""

from typing import Annotated

import typer

from sweep.cli import completion
from sweep.cli import options as opt
from sweep.cli.output import out, warn
from sweep.errors import SweepError
from sweep.store import Store
from sweep.sweep_folder import DEFAULT_RESULTS, SweepFolder, find_sweep, sweep_folders
from sweep.words import counted, size


def collect(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            autocompletion=completion.sweeps,
            help="Name of the sweep; by default all sweeps.",
        ),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(
            "--keep",
            min=0,
            help="Number of best trials whose checkpoints are kept; by "
            "default as the sweep was started.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print what would be removed.")
    ] = False,
    results: opt.ResultsOption = DEFAULT_RESULTS,
) -> None:
    """Remove checkpoints of cut trials, and what a kill left behind."""
    folders = sweep_folders(results) if name is None else [find_sweep(results, name)]
    from sweep.disk import remove_abandoned_spaces

    total = remove_abandoned_spaces(dry_run)
    if total:
        out().print(f"copies of search spaces left by a kill, {size(total)}")
    for folder in folders:
        try:
            found, said = _collect(folder, keep, dry_run)
        except SweepError as error:  # one sweep's trouble leaves the others their room
            if name is not None:
                raise
            warn(f"{folder.name} is left as it is: {error}")
        else:
            out().print(said, soft_wrap=True)
            total += found
    out().print(f"{size(total)} {'could be freed' if dry_run else 'freed'}")


def _collect(folder: SweepFolder, keep: int | None, dry_run: bool) -> tuple[int, str]:
    """The bytes that are removed, or could be, and what they are."""
    from sweep.runner.retention import removable, remove

    if dry_run:
        with Store(folder.database, read_only=True) as store:
            what = removable(folder, store, _keep(store, keep))
            found = what.bytes
    else:
        with folder.locked(), Store(folder.database) as store:
            what = removable(folder, store, _keep(store, keep))
            found = what.bytes
            remove(store, what)
    return found, (
        f"{folder.name}: {counted(len(what.orphans), 'file')} left by a kill, "
        f"{counted(len(what.checkpoints), 'checkpoint')} of trials that were cut, {size(found)}"
    )


def _keep(store: Store, keep: int | None) -> int:
    return store.sweep().settings.keep if keep is None else keep
