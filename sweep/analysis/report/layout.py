"""Lays the ranked table out on a terminal: fits its width, and says what it hid.

`rich.table` has no lines across the columns, which the hyperparameters need beneath the rows of a
narrow terminal, and takes seconds for ten thousand rows, which here take less than a tenth.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style

from sweep.analysis.report.table import Column

_OPTIONAL = ("seconds", "rung", "best epoch", "train score", "epochs")
"""Columns that go first when there is no room, in this order; by their keys."""
_INDENT = 6
_BOLD, _DIM = Style(bold=True), Style(dim=True)

Cells = Sequence[str]


@dataclass(frozen=True)
class Terminal:
    """A table with notes beneath it, which `rich` prints at any width.

    Every line is a plain segment, so no string in it can be taken for markup.
    """

    columns: Sequence[Column]
    styles: Sequence[str]
    """Style of each row."""
    notes: Sequence[str] = ()

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        layout = lay_out(self.columns, width)
        for line in layout.header():
            yield from _line(line, _BOLD)
        for number, (row, style) in enumerate(zip(layout.rows(), self.styles, strict=True)):
            for line in (row, *layout.beneath(number, width)):
                yield from _line(line, Style.parse(style))
        yield Segment.line()
        notes = list(self.notes)
        if layout.hidden:
            notes.append(f"Not shown, the lines are too narrow: {', '.join(layout.hidden)}.")
        for line in chain.from_iterable(fold(note.split(" "), width) for note in notes):
            yield from _line(line, _DIM)


def _line(content: str, style: Style) -> Iterator[Segment]:
    yield Segment(content.rstrip(), style)
    yield Segment.line()


class _SizedColumn(NamedTuple):
    column: Column
    width: int
    """Places its widest line takes."""


@dataclass(frozen=True)
class Layout:
    """The columns that are shown, and what becomes of the others."""

    shown: Sequence[_SizedColumn]
    gap: int
    """Blanks between two columns."""
    hidden: Sequence[str] = ()
    settings: Sequence[Column] = ()
    """Hyperparameters that stand beneath the rows."""

    @property
    def width(self) -> int:
        return sum(one.width for one in self.shown) + self.gap * (len(self.shown) - 1)

    def header(self) -> Iterator[str]:
        """Return the lines above the rows; short names stand at the bottom."""
        names = [header_lines(one.column) for one in self.shown]
        height = max(map(len, names))
        return self._lines([*[""] * (height - len(name)), *name] for name in names)

    def rows(self) -> Iterator[str]:
        return self._lines(one.column.cells for one in self.shown)

    def beneath(self, row: int, width: int) -> list[str]:
        """Return the lines beneath a row, no wider than `width`."""
        words = [f"{column.name}={column.cells[row]}" for column in self.settings]
        return [" " * _INDENT + line for line in fold(words, max(width - _INDENT, 20))]

    def _lines(self, columns: Iterable[Cells]) -> Iterator[str]:
        """Join the cells of the columns shown, each padded to its column's width."""
        padded = [
            [_pad(cell, one.width, one.column.left) for cell in cells]
            for one, cells in zip(self.shown, columns, strict=True)
        ]
        return map((" " * self.gap).join, zip(*padded, strict=True))


def lay_out(columns: Sequence[Column], width: int) -> Layout:
    """Return the roomiest layout that fits into `width`, else the narrowest."""
    for layout in _layouts(columns):
        if layout.width <= width:
            break
    return layout


def _layouts(columns: Sequence[Column]) -> Iterator[Layout]:
    """All columns, then without the optional ones, then with the hyperparameters beneath."""
    every = [_SizedColumn(column, max(map(_width, _all_lines(column)))) for column in columns]
    own = [one for one in every if not one.column.is_hyperparameter]
    settings = [column for column in columns if column.is_hyperparameter]
    optional = [one.column for name in _OPTIONAL for one in own if one.column.key_or_name == name]
    yield Layout(every, 2)
    for shown, beneath in ((every, []), (own, settings)):
        for n_hidden in range(len(optional) + 1):
            hidden = optional[:n_hidden]
            left = [one for one in shown if one.column not in hidden]
            yield Layout(left, 1, [column.name for column in hidden], beneath)


def fold(words: Cells, width: int) -> list[str]:
    """Return lines of whole words, no wider than `width` if the words allow."""
    lines: list[str] = []
    for word in words:
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def header_lines(column: Column) -> list[str]:
    """Return the words of a column's name, each for a line: `decay_` over `steps`."""
    return column.name.replace("_", "_ ").replace(" ± ", "\u00a0±\u00a0").split(" ")


def _all_lines(column: Column) -> Iterator[str]:
    return chain(header_lines(column), column.cells)


def _width(cell: str) -> int:
    """Places a cell takes on a terminal."""
    return len(cell) if cell.isascii() else cell_len(cell)


def _pad(cell: str, width: int, left: bool) -> str:
    space = " " * (width - _width(cell))
    return cell + space if left else space + cell
