"""What `sweep show` and `sweep compare` share: their arguments, and a trial's results as lines."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from sweep.cli import options as opt
from sweep.cli.output import hint
from sweep.errors import UsageError
from sweep.records import Json
from sweep.sweep_folder import SweepFolder, find_sweep
from sweep.tasks.scoring import Scoring

if TYPE_CHECKING:
    pass


def split_arguments(
    usage: str, given: Sequence[str], n_trials: int
) -> tuple[str | None, Sequence[str]]:
    """Return the sweep's name, if it was given, and the trials. Raises UsageError."""
    if len(given) not in (n_trials, n_trials + 1):
        raise UsageError(f"expected: sweep {usage}; got: {' '.join(given)}")
    return (given[0] if len(given) > n_trials else None), given[-n_trials:]


def open_sweep(results: opt.ResultsOption, name: str | None, output: str) -> SweepFolder:
    """Return the sweep's folder. Raises UsageError for an unknown form of output."""
    opt.check_output(output, opt.TABLE_OR_JSON)
    folder = find_sweep(results, name)
    if name is None:
        hint(f"sweep {folder.name}")
    return folder


def print_json(value: Json, scoring: Scoring) -> None:
    """Print an object about a sweep as one line of JSON."""
    from sweep.analysis.report.older_names import with_older_names
    from sweep.analysis.report.trials_json import json_line

    typer.echo(json_line(with_older_names(value, scoring)))
