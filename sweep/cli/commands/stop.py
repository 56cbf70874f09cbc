"""sweep stop: ask the process at work on a sweep to stop."""

from sweep.cli import options as opt
from sweep.cli.output import hint
from sweep.runner import stop as stopping
from sweep.sweep_folder import DEFAULT_RESULTS, find_sweep


def stop(name: opt.NameArgument = None, results: opt.ResultsOption = DEFAULT_RESULTS) -> None:
    """Stop a running sweep, also from another terminal.

    `sweep resume` continues it.
    """
    folder = find_sweep(results, name)
    if stopping.stop(folder):
        hint(f"sweep {folder.name} stopped; continue with: sweep resume {folder.address}")
    else:
        hint(f"sweep {folder.name} is not running")
