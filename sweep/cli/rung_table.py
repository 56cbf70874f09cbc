"""The rungs of a plan as a table: what `sweep plan` and `sweep extend` show."""

from collections.abc import Sequence

from rich.table import Table

from sweep.records import PlannedRung, is_one_rung


def rung_table(rungs: Sequence[PlannedRung]) -> Table:
    """Return a line per rung: how many trials train from which epoch to which.

    Of a search without rungs, how many trials train for how long.
    """
    if is_one_rung(rungs):
        cells = [(r.trials, r.last_epoch, r.epochs) for r in rungs]
        return _table(("trials", "epochs each", "epochs"), cells)
    columns = ("iteration", "bracket", "rung", "trials", "from epoch", "to epoch", "epochs")
    return _table(
        columns,
        [
            (r.iteration, r.bracket, r.rung, r.trials, r.first_epoch, r.last_epoch, r.epochs)
            for r in rungs
        ],
    )


def _table(columns: Sequence[str], rows: Sequence[tuple[int, ...]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*(f"{cell:,}" for cell in row))
    return table
