"""Where words go: results to stdout, progress, hints and warnings to stderr."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

from sweep.analysis.text import plain
from sweep.errors import DataError
from sweep.folder import SweepFolder

_PLAIN_WIDTH = 10_000


def out() -> Console:
    """Results. Not a terminal: no colours, no folding, no truncation."""
    width = None if sys.stdout.isatty() else _PLAIN_WIDTH
    return Console(file=sys.stdout, width=width, highlight=False, markup=False, soft_wrap=False)


def err() -> Console:
    """Progress, hints, warnings, errors."""
    width = None if sys.stderr.isatty() else _PLAIN_WIDTH
    return Console(file=sys.stderr, width=width, highlight=False, markup=False)


def show_table(table: Table) -> None:
    """A table as a result; where there is no terminal, without blanks at the ends of lines."""
    console = out()
    with console.capture() as capture:
        console.print(table)
    lines = capture.get().splitlines()
    sys.stdout.writelines(f"{line if console.is_terminal else line.rstrip()}\n" for line in lines)


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
