"""sweep spaces: the search spaces that ship with the program."""

from rich.table import Table

from sweep.cli.output import display
from sweep.space import find as spaces


def list_spaces() -> None:
    """List the search spaces that ship with the program."""
    table = Table(box=None, pad_edge=False)
    for column in ("space", "what it covers", "file"):
        table.add_column(column)
    for stem, path in spaces.shipped_spaces().items():
        table.add_row(stem, spaces.summary(path), str(path))
    display(table)
