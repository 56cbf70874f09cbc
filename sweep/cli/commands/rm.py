"""sweep rm: a sweep's folder is removed."""

import shutil
import sys
from typing import Annotated

import typer

from sweep.cli import completion
from sweep.cli import options as opt
from sweep.cli.output import hint
from sweep.errors import PlatformError, UsageError
from sweep.sweep_folder import DEFAULT_RESULTS, find_sweep
from sweep.words import size


def remove(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", autocompletion=completion.sweeps, help="Name of the sweep."),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")] = False,
    results: opt.ResultsOption = DEFAULT_RESULTS,
) -> None:
    """Remove a sweep: its database, checkpoints and charts."""
    folder = find_sweep(results, name)
    if folder.path.is_symlink():
        raise UsageError(f"{folder.path} is a link; remove the link and its target by hand")
    total = sum(path.lstat().st_size for path in folder.path.rglob("*") if not path.is_dir())
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(
                f"sweep rm {folder.address} asks before it removes anything, which needs a "
                f"terminal; without one add --yes"
            )
        typer.confirm(f"remove {folder.path} ({size(total)})?", abort=True, err=True)
    with folder.locked():
        try:
            shutil.rmtree(folder.path)  # removes links, never what they lead to
        except OSError as error:
            raise PlatformError(
                f"cannot remove {error.filename} ({error.strerror}); remove {folder.path} by hand"
            ) from error
    hint(f"removed {folder.path}, {size(total)}")
