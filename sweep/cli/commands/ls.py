"""sweep ls: all sweeps of the results folder."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.cells import cell_len
from rich.table import Table

from sweep.cli import options as opt
from sweep.cli.look import best_text, state_text
from sweep.cli.output import display, hint, width_of_results
from sweep.errors import SweepError
from sweep.runner.look import Look, look
from sweep.sweep_folder import DEFAULT_RESULTS, SweepFolder, sweep_folders
from sweep.words import plain

_COLUMNS = ("sweep", "space", "data", "state", "done", "best", "started")
_WHOLE = ("sweep", "done", "best", "started")
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
    looks = [_look(folder) for folder in folders]
    kinds = {one.sweep.score_words.val for one in looks if isinstance(one, Look)}
    rows = [
        [folder.name, *map(plain, _cells(one, named=len(kinds) > 1))]
        for folder, one in zip(folders, looks, strict=True)
    ]
    titles = {"best": f"best {kinds.pop()}"} if len(kinds) == 1 else {}
    shown = _fitting(rows, width_of_results(width), titles)
    table = Table(box=None, pad_edge=False)
    for column in shown:
        table.add_column(titles.get(column, column), no_wrap=column in _WHOLE, overflow="fold")
    for row in rows:
        table.add_row(*(cell for name, cell in zip(_COLUMNS, row, strict=True) if name in shown))
    display(table, width)
    if left_out := [column for column in _COLUMNS if column not in shown]:
        hint(f"not shown, too narrow for all: {', '.join(left_out)}")


def _fitting(rows: Sequence[Sequence[str]], width: int, titles: Mapping[str, str]) -> list[str]:
    """Return the columns that fit into `width` characters; `titles` of those called otherwise."""
    needed = {
        column: _BETWEEN + max(map(cell_len, (titles.get(column, column), *cells)))
        for column, cells in zip(_COLUMNS, zip(*rows, strict=True), strict=True)
    }
    needed["state"] = min(needed["state"], _WIDEST_STATE)
    for column in _LEFT_OUT_FIRST:
        if sum(needed.values()) - _BETWEEN <= width:
            break
        del needed[column]
    return list(needed)


def _look(folder: SweepFolder) -> Look | SweepError:
    try:
        return look(folder)
    except SweepError as error:
        return error


def _cells(found: Look | SweepError, *, named: bool) -> list[str]:
    """The cells of a sweep behind its name; `named` if the score says what it is."""
    if isinstance(found, SweepError):
        return ["", "", f"damaged: {found}", "", "", ""]
    sweep, progress = found.sweep, found.progress
    best = best_text(progress, sweep.score_words)
    is_named = named and progress.best_score is not None
    return [
        sweep.space.name,
        sweep.data.source,
        state_text(found),
        f"{progress.assignments_done}/{sweep.plan.all_assignments}",
        f"{sweep.score_words.val} {best}" if is_named else best,
        datetime.fromtimestamp(sweep.created_at).strftime("%Y-%m-%d %H:%M"),
    ]
