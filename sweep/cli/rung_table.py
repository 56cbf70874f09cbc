"""The rungs of a plan as a table: what `sweep plan` and `sweep extend` show."""

from collections.abc import Sequence

from rich.table import Table

from sweep.records import PlannedRung


def rung_table(rungs: Sequence[PlannedRung]) -> Table:
    """Return a line per rung: how many trials train from which epoch to which."""
    table = Table(box=None, pad_edge=False)
    for column in ("iteration", "bracket", "rung", "trials", "from epoch", "to epoch", "epochs"):
        table.add_column(column, justify="right")
    for r in rungs:
        cells = (r.iteration, r.bracket, r.rung, r.trials, r.first_epoch, r.last_epoch, r.epochs)
        table.add_row(*(f"{cell:,}" for cell in cells))
    return table
