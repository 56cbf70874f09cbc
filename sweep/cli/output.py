"""Prints: results to stdout; progress, hints, warnings and errors to stderr.

The functions `hint` and `warn` of this module are a `sweep.runner.say.Say`.
"""

import os
import sys
from typing import Any, TextIO

from rich.console import Console, RenderableType
from rich.text import Text

from sweep.errors import SpaceFaultsError
from sweep.words import plain

_PLAIN_WIDTH = 10_000


class _Console(Console):
    """A console on which no printed string steers the terminal; line ends stay."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str("\n".join(map(plain, text.split("\n"))), **options)


def out() -> Console:
    """Return the console for results. Without a terminal: no colours, no folding, no truncation."""
    return _console(sys.stdout)


def err() -> Console:
    """Return the console for progress, hints, warnings and errors."""
    return _console(sys.stderr)


def _console(file: TextIO) -> Console:
    width = None if file.isatty() else _PLAIN_WIDTH
    return _Console(file=file, width=width, highlight=False, markup=False, soft_wrap=False)


def display(found: RenderableType, width: int | None = None) -> None:
    """Print a result in columns, fitted to `width`, else to the terminal.

    Without either, the variable COLUMNS says how wide, else every column is shown and no line is
    folded. Without a terminal, no blanks at the ends of lines.
    """
    console = out()
    if console.is_terminal:
        console.print(found, width=width)
        return
    options = console.options.update(width=width_of_results(width))
    text = "".join(segment.text for segment in console.render(found, options))
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in text.removesuffix("\n").split("\n"))


def width_of_results(asked: int | None = None) -> int:
    """Return how many characters wide a result in columns is: see `display`."""
    console = out()
    if asked is not None or console.is_terminal:
        return asked or console.width
    return _columns() or _PLAIN_WIDTH


def _columns() -> int | None:
    """Return what the variable COLUMNS says, None if it is no width."""
    given = os.environ.get("COLUMNS", "")
    return int(given) or None if given.isdecimal() and len(given) < 10 else None


def hint(text: str) -> None:
    """Print what may help, dim, on stderr."""
    err().print(plain(text), style="dim", soft_wrap=True)


def warn(text: str) -> None:
    """Print a warning on stderr."""
    err().print(f"warning: {plain(text)}", style="yellow", soft_wrap=True)


def show_error(error: object) -> None:
    """Print an error in one line on stderr; of several faults of a file, each in its own line."""
    lines = [plain(error)]
    if isinstance(error, SpaceFaultsError):
        lines = [f"{plain(error.where)} has {len(error.faults)} faults:"]
        lines += [f"  {plain(fault)}" for fault in error.faults]
    err().print("\n".join([f"error: {lines[0]}", *lines[1:]]), style="bold red", soft_wrap=True)
