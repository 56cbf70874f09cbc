"""From what programs write to plain lines of text: byte-order marks, line ends, blank last lines.

Spreadsheets put a byte-order mark first, old programs end lines with a carriage return, editors
leave blank lines at the end: none of this is part of a table. Other kinds of file are recognised
by their first bytes and refused by name.
"""

from collections.abc import Iterable, Iterator

from sweep.errors import DataError

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLANKS = b" \t\n\x1a"
"""Bytes that mean nothing at the end of a file. 0x1a ended files under MS-DOS."""

_MOST_BLANKS = 16 << 20
"""Bytes of blanks in a row that are held back: no file can fill the memory with them."""

_OTHER_KINDS = {
    b"PAR1": "a Parquet file",
    b"ARROW1": "a Feather file",
    b"PK\x03\x04": "a zip archive (.zip, .npz or .xlsx)",
    b"\x93NUMPY": "a NumPy array (.npy)",
    b"\xfd7zXZ\x00": "compressed with xz",
    b"BZh": "compressed with bzip2",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file",
    b"SQLite format 3\x00": "an SQLite database",
    b"%PDF": "a PDF",
    b"\x80\x04\x95": "a Python pickle",
    b"\x80\x05\x95": "a Python pickle",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}
"""First bytes of files that are no CSV, and what such a file is."""


def other_kind(head: bytes) -> str | None:
    """The kind of file that begins with `head`, in words; None if it may be a CSV."""
    for magic, kind in _OTHER_KINDS.items():
        if head.startswith(magic):
            return kind
    text = head.lstrip(_BYTE_ORDER_MARK + b" \t\r\n")
    if text.startswith(b"<"):
        return "a web page"
    if text.startswith((b"{", b"[{", b"[[")):
        return "JSON"
    if b"\0" in head:  # every second byte of ASCII in UTF-16 is 0, and no other
        few, many = sorted((head[::2].count(0), head[1::2].count(0)))
        return "text in UTF-16" if many > len(head) // 4 and not few else "a binary file"
    return None


def refuse_other_kinds(head: bytes, name: str) -> None:
    """Raise DataError if the file that begins with `head` is known to be no CSV."""
    kind = other_kind(head)
    if kind is not None:
        again = "; save it again as UTF-8" if "UTF-16" in kind else ""
        raise DataError(f"{name} is {kind}, expected a .csv or .csv.gz file{again}")


def plain_lines(pieces: Iterable[bytes], name: str) -> Iterator[bytes]:
    """The text in `pieces` with `\\n` at the end of each line and no blank lines at the end.

    A byte-order mark at the start is left out. Raises DataError if the text is no CSV but a file
    of another kind.
    """
    held = b""  # blanks, which count only if something follows
    first = True
    for piece in _with_one_line_end(pieces):
        if first:
            piece = piece.removeprefix(_BYTE_ORDER_MARK)
            refuse_other_kinds(piece[:256], name)
            first = False
        text = piece.rstrip(_BLANKS)
        if not text:
            held += piece
            if len(held) > _MOST_BLANKS:
                raise DataError(f"{name} holds {_MOST_BLANKS:,} blanks in a row; remove them")
            continue
        yield held + text if held else text
        held = piece[len(text) :]
    if not first:
        yield b"\n"


def _with_one_line_end(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """`pieces` with each `\\r\\n` and each lone `\\r` as `\\n`."""
    cut = b""
    for piece in pieces:
        piece = cut + piece
        # the other half of a \r\n may come with the next piece
        cut = b"\r" if piece.endswith(b"\r") else b""
        piece = piece[: len(piece) - len(cut)]
        if b"\r" in piece:
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if piece:
            yield piece
    if cut:
        yield b"\n"
