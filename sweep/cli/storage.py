"""Commands that make room: rm removes a sweep, gc removes files that nothing needs."""

import shutil
import sys
from typing import Annotated

import typer

from sweep.cli import options as opt
from sweep.cli.output import hint, out, size, unfamiliar, warn
from sweep.errors import PlatformError, SweepError, UsageError
from sweep.store import Store
from sweep.sweep_folder import DEFAULT_RESULTS, SweepFolder, find_sweep, sweep_folders


def register(app: typer.Typer) -> None:
    app.command("rm")(remove)
    app.command("gc")(collect)


def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The sweep.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    results: opt.ResultsOption = DEFAULT_RESULTS,
) -> None:
    """Remove a sweep: its database, checkpoints and charts."""
    folder = find_sweep(results, name)
    if folder.path.is_symlink():
        raise UsageError(f"{folder.path} is a link; remove it and what it leads to by hand")
    total = sum(path.lstat().st_size for path in folder.path.rglob("*") if not path.is_dir())
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"sweep rm {folder.name} asks on a terminal; elsewhere give --yes")
        typer.confirm(f"remove {folder.path} ({size(total)})?", abort=True, err=True)
    with folder.locked():
        try:
            shutil.rmtree(folder.path)  # removes links, never what they lead to
        except OSError as error:
            raise PlatformError(
                f"cannot remove {error.filename} ({error.strerror}); remove {folder.path} by hand"
            ) from error
    hint(f"removed {folder.path}, {size(total)}")


def collect(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="The sweep; all of them when left out.")
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option("--keep", min=0, help="Best trials to keep; the sweep's own by default."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be removed.")
    ] = False,
    results: opt.ResultsOption = DEFAULT_RESULTS,
) -> None:
    """Remove what a kill left behind, and checkpoints of trials that were cut."""
    folders = sweep_folders(results) if name is None else [find_sweep(results, name)]
    from sweep.runner.retention import remove_abandoned_spaces

    total = remove_abandoned_spaces(dry_run)
    for folder in folders:
        try:
            total += _collect(folder, keep, dry_run)
        except SweepError as error:  # one sweep's trouble leaves the others their room
            if name is not None:
                raise
            warn(f"{folder.name} is left alone: {error}")
    out().print(f"{size(total)} {'could be freed' if dry_run else 'freed'}")


def _collect(folder: SweepFolder, keep: int | None, dry_run: bool) -> int:
    from sweep.runner.retention import removable, remove

    if dry_run:
        with unfamiliar(folder), Store(folder.database, read_only=True) as store:
            what = removable(folder, store, _keep(store, keep))
            found = what.bytes
    else:
        with unfamiliar(folder), folder.locked(), Store(folder.database) as store:
            what = removable(folder, store, _keep(store, keep))
            found = what.bytes
            remove(store, what)
    out().print(
        f"{folder.name}: {len(what.orphans)} orphans, {len(what.checkpoints)} checkpoints of "
        f"trials that were cut, {size(found)}",
        soft_wrap=True,
    )
    return found


def _keep(store: Store, keep: int | None) -> int:
    return store.sweep().settings.keep if keep is None else keep
