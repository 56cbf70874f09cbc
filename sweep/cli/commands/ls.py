"""sweep ls: all sweeps of the results folder."""

from collections.abc import Sequence
from datetime import datetime

from rich.cells import cell_len
from rich.table import Table

from sweep.cli import options as opt
from sweep.cli.look import best_text, state_text
from sweep.cli.output import display, hint, width_of_results
from sweep.errors import SweepError
from sweep.runner.look import look
from sweep.sweep_folder import DEFAULT_RESULTS, SweepFolder, sweep_folders
from sweep.words import plain

_COLUMNS = ("sweep", "space", "data", "state", "done", "best val BCE", "started")
_WHOLE = ("sweep", "done", "best val BCE", "started")
"""Columns that are never broken: what is copied, and what a break would garble."""
_LEFT_OUT_FIRST = ("data", "space", "started")
"""Columns that a terminal too narrow for all goes without, in this order."""
_WIDEST_STATE = 30
"""What is wrong with a sweep takes more than one line."""
_BETWEEN = 2


def list_sweeps(
    results: opt.ResultsOption = DEFAULT_RESULTS, width: opt.WidthOption = None
) -> None:
    """List the sweeps, the newest last."""
    folders = sweep_folders(results)
    if not folders:
        hint(f"no sweeps in {results}; start one with: sweep start capacity")
        return
    rows = [[folder.name, *map(plain, _cells(folder))] for folder in folders]
    shown = _fitting(rows, width_of_results(width))
    table = Table(box=None, pad_edge=False)
    for column in shown:
        table.add_column(column, no_wrap=column in _WHOLE, overflow="fold")
    for row in rows:
        table.add_row(*(cell for name, cell in zip(_COLUMNS, row, strict=True) if name in shown))
    display(table, width)
    if left_out := [column for column in _COLUMNS if column not in shown]:
        hint(f"not shown, too narrow for all: {', '.join(left_out)}")


def _fitting(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return the columns that fit into `width` characters."""
    needed = {
        column: max(cell_len(column), *(cell_len(row[place]) for row in rows)) + _BETWEEN
        for place, column in enumerate(_COLUMNS)
    }
    needed["state"] = min(needed["state"], _WIDEST_STATE)
    for column in _LEFT_OUT_FIRST:
        if sum(needed.values()) - _BETWEEN <= width:
            break
        del needed[column]
    return list(needed)


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
