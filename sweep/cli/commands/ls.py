"""sweep ls: all sweeps of the results folder."""

from datetime import datetime

from rich.table import Table

from sweep.cli import options as opt
from sweep.cli.look import best_text, state_text
from sweep.cli.output import display, hint
from sweep.errors import SweepError
from sweep.runner.look import look
from sweep.sweep_folder import DEFAULT_RESULTS, SweepFolder, sweep_folders
from sweep.words import plain

_IN_ONE_LINE = ("best val BCE", "started")
"""Columns that stay in one line on a narrow terminal."""


def list_sweeps(
    results: opt.ResultsOption = DEFAULT_RESULTS, width: opt.WidthOption = None
) -> None:
    """List the sweeps, the newest last."""
    table = Table(box=None, pad_edge=False)
    for column in ("sweep", "space", "data", "state", "done", "best val BCE", "started"):
        table.add_column(column, no_wrap=column in _IN_ONE_LINE)
    folders = sweep_folders(results)
    for folder in folders:
        table.add_row(folder.name, *map(plain, _cells(folder)))
    if folders:
        display(table, width)
    else:
        hint(f"no sweeps in {results}; start one with: sweep start capacity")


def _cells(folder: SweepFolder) -> list[str]:
    try:
        found = look(folder)
    except SweepError as error:
        return ["", "", f"damaged: {error}", "", "", ""]
    sweep, progress = found.sweep, found.progress
    return [
        sweep.space.name,
        sweep.data.source,
        state_text(found),
        f"{progress.assignments_done}/{sweep.plan.all_assignments}",
        best_text(progress),
        datetime.fromtimestamp(sweep.created_at).strftime("%Y-%m-%d %H:%M"),
    ]
