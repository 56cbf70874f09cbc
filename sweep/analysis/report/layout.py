"""Lays the ranked table out on a terminal: fits its width, and says what it hid.

Knows which columns may go when there is no room, and prints ten thousand rows in a fraction of
a second; `rich.table` does neither.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style

from sweep.analysis.report.table import Column

_OPTIONAL = ("seconds", "rung", "best epoch", "train BCE", "epochs")
"""Columns that go first when there is no room, in this order."""
_INDENT = 6

Cells = Sequence[str]


class _Sized(NamedTuple):
    column: Column
    width: int
    """Places its widest line takes."""


@dataclass(frozen=True)
class Layout:
    """What fits: the lines of each column, header first, padded to equal width."""

    header: Sequence[Cells]
    """Lines of the header, each one cell per column."""
    rows: Sequence[Cells]
    beneath: list[list[str]]
    """Lines beneath each row, with the hyperparameters that have no columns."""
    gap: str
    hidden: list[str]


@dataclass(frozen=True)
class Terminal:
    """Something `rich` prints: the table and notes beneath it.

    Every line is a plain segment, so no string in it can be taken for markup.
    """

    columns: Sequence[Column]
    styles: Sequence[str]
    """Style of each row."""
    notes: Sequence[str] = ()

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        layout = lay_out(self.columns, options.max_width)
        for line in layout.header:
            yield from _line(layout.gap.join(line), Style(bold=True))
        for row, style, beneath in zip(layout.rows, self.styles, layout.beneath, strict=True):
            parsed = Style.parse(style)
            for line in (layout.gap.join(row), *beneath):
                yield from _line(line, parsed)
        yield Segment.line()
        for note in self.notes:
            yield from folded(note, options.max_width)
        if layout.hidden:
            note = f"Not shown, the terminal is too narrow: {', '.join(layout.hidden)}."
            yield from folded(note, options.max_width)


def folded(line: str, width: int) -> Iterator[Segment]:
    """A dim line, folded at spaces."""
    for part in fold(line.split(" "), width):
        yield from _line(part, Style(dim=True))


def _line(content: str, style: Style) -> Iterator[Segment]:
    yield Segment(content.rstrip(), style)
    yield Segment.line()


def lay_out(columns: Sequence[Column], width: int) -> Layout:
    """All columns if they fit into `width`, else without the optional ones, else with the
    hyperparameters beneath the rows."""
    hidden: list[str] = []
    sized = [_Sized(column, column_width(column)) for column in columns]
    for gap in (2, 1):
        if _total_width(sized, gap) <= width:
            return _layout(sized, gap, [])
    left = list(sized)
    for name in _OPTIONAL:
        left = [one for one in left if one.column.name != name or one.column.is_hyperparameter]
        hidden.append(name)
        if _total_width(left, 1) <= width:
            return _layout(left, 1, hidden)
    left = [one for one in sized if not one.column.is_hyperparameter]
    hidden = []
    for name in _OPTIONAL:
        if _total_width(left, 1) <= width:
            break
        left = [one for one in left if one.column.name != name]
        hidden.append(name)
    layout = _layout(left, 1, hidden)
    settings = [column for column in columns if column.is_hyperparameter]
    layout.beneath[:] = [
        _beneath([f"{c.name}={c.cells[row]}" for c in settings], width)
        for row in range(len(layout.rows))
    ]
    return layout


def _beneath(settings: Cells, width: int) -> list[str]:
    return [" " * _INDENT + line for line in fold(settings, max(width - _INDENT, 20))]


def fold(words: Cells, width: int) -> list[str]:
    """Lines of whole words, no wider than `width` where words allow."""
    lines: list[str] = []
    for word in words:
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def header_lines(column: Column) -> list[str]:
    """A name's words, each on a line: `decay_` over `steps`."""
    return column.name.replace("_", "_ ").replace(" ± ", "\u00a0±\u00a0").split(" ")


def column_width(column: Column) -> int:
    return max(map(_width, chain(header_lines(column), column.cells)))


def _width(cell: str) -> int:
    """Places a cell takes on a terminal."""
    return len(cell) if cell.isascii() else cell_len(cell)


def _total_width(sized: Sequence[_Sized], gap: int) -> int:
    return sum(one.width for one in sized) + gap * (len(sized) - 1)


def _layout(sized: Sequence[_Sized], gap: int, hidden: list[str]) -> Layout:
    n_lines = max(len(header_lines(one.column)) for one in sized)
    headers, cells = [], []
    for column, width in sized:
        lines = header_lines(column)
        lines = [""] * (n_lines - len(lines)) + lines
        headers.append([_pad(line, width, column.left) for line in lines])
        cells.append([_pad(cell, width, column.left) for cell in column.cells])
    rows = list(zip(*cells, strict=True))
    return Layout(list(zip(*headers, strict=True)), rows, [[] for _ in rows], " " * gap, hidden)


def _pad(cell: str, width: int, left: bool) -> str:
    space = " " * (width - _width(cell))
    return cell + space if left else space + cell
