"""The three standard streams, fit for whatever they lead to: a closed pipe, a full disk, nothing.

A terminal that has no `±` or `…` shows what is nearest in ASCII. Words for people on stderr never
fail a command. Results on stdout fail it once, in one line, if the disk is full; if nobody reads
on, as behind `| head`, the command does its work and the words are lost.
"""

import codecs
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from sweep.errors import PlatformError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_NEAREST = {
    "±": "+-",
    "–": "-",
    "−": "-",
    "…": "...",
    "×": "x",
    "≠": "!=",
    "≤": "<=",
    "→": "->",
    "·": "|",
    "█": "#",
    "²": "2",
    "↑": "^",
    "↓": "v",
    "●": "*",
    "○": "o",
    "─": "-",
}
_NEAREST_OF = "sweep.nearest"


class _Words(io.FileIO):
    """Writes to a descriptor; what cannot be written is lost."""

    def write(self, text: "ReadableBuffer", /) -> int:
        try:
            return super().write(text) or 0
        except OSError:
            return len(memoryview(text))


class _Results(io.FileIO):
    """Writes to a descriptor. Raises PlatformError at the first write that fails, then no more."""

    failed = False

    def write(self, text: "ReadableBuffer", /) -> int:
        length = len(memoryview(text))
        if self.failed:
            return length
        try:
            return super().write(text) or 0
        except BrokenPipeError:
            self.failed = True
            return length
        except OSError as error:
            self.failed = True
            raise PlatformError(
                f"cannot write the output ({error.strerror}); make room or permission there"
            ) from error


def open_streams() -> None:
    """Make `sys.stdout` and `sys.stderr` fit. Call this first of all.

    A descriptor that is closed leads to nowhere from now on: else the next file that is opened
    would get its number, and words would be written into a database.
    """
    codecs.register_error(_NEAREST_OF, _nearest)
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
    sys.stdin = sys.stdin or Path(os.devnull).open()  # noqa: SIM115 – for good
    sys.stdout = _text(_Results(1, "w", closefd=False), sys.stdout)
    sys.stderr = _text(_Words(2, "w", closefd=False), sys.stderr, line_buffering=True)


def words_to(descriptor: int, like: TextIO) -> TextIO:
    """Return a stream for people's words that writes to `descriptor`, encoded as `like` is.

    The descriptor is closed with the stream.
    """
    return _text(_Words(descriptor, "w"), like, line_buffering=True)


def _text(raw: io.FileIO, like: TextIO | None, *, line_buffering: bool = False) -> TextIO:
    if like is not None:
        like.flush()
    encoding = getattr(like, "encoding", None) or "utf-8"
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=encoding,
        errors=_NEAREST_OF,
        line_buffering=line_buffering or raw.isatty(),
        write_through=bool(getattr(like, "write_through", False)),
    )


def _nearest(error: UnicodeError) -> tuple[str, int]:
    """A codec's error handler: ASCII that looks alike, or a question mark."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(_NEAREST.get(character, "?") for character in lost), error.end
