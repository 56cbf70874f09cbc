"""Where words go: results to stdout, progress, hints and warnings to stderr."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from rich.console import Console, RenderableType
from rich.text import Text

from sweep.errors import DataError
from sweep.sweep_folder import SweepFolder
from sweep.words import plain

_PLAIN_WIDTH = 10_000


class _Console(Console):
    """Whatever string is printed or stands in a table steers no terminal; line ends stay."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str("\n".join(map(plain, text.split("\n"))), **options)


def out() -> Console:
    """Results. Not a terminal: no colours, no folding, no truncation."""
    return _console(sys.stdout)


def err() -> Console:
    """Progress, hints, warnings, errors."""
    return _console(sys.stderr)


def _console(file: TextIO) -> Console:
    width = None if file.isatty() else _PLAIN_WIDTH
    return _Console(file=file, width=width, highlight=False, markup=False, soft_wrap=False)


def display(found: RenderableType) -> None:
    """A result in columns; where there is no terminal, without blanks at the ends of lines."""
    console = out()
    if console.is_terminal:
        console.print(found)
        return
    text = "".join(segment.text for segment in console.render(found))
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in text.removesuffix("\n").split("\n"))


def hint(text: str) -> None:
    err().print(clean(text), style="dim", soft_wrap=True)


def warn(text: str) -> None:
    err().print(f"warning: {clean(text)}", style="yellow", soft_wrap=True)


def show_error(error: object) -> None:
    err().print(f"error: {clean(str(error))}", style="bold red", soft_wrap=True)


def clean(text: str) -> str:
    """`text` on one line and without characters that steer a terminal."""
    return plain(text)


@contextmanager
def unfamiliar(folder: SweepFolder) -> Iterator[None]:
    """Inside, what a damaged or forged database makes us stumble over ends in one line.

    Raises DataError; with --debug its cause is shown.
    """
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise DataError(
            f"{folder.database} holds what no sweep writes ({type(error).__name__}: {error}); "
            f"it is damaged or was tampered with, restore it from a copy"
        ) from error


def duration(seconds: float) -> str:
    """12 s, 3 min 5 s, 2 h 7 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def size(n_bytes: int) -> str:
    """512 bytes, 3.4 MB, 1.2 GB."""
    if n_bytes < 1000:
        return f"{n_bytes} bytes"
    if n_bytes < 1e6:
        return f"{n_bytes / 1e3:.1f} kB"
    return f"{n_bytes / 1e6:,.1f} MB" if n_bytes < 1e9 else f"{n_bytes / 1e9:,.1f} GB"
