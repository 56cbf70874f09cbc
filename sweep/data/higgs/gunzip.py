"""From the bytes of a file, as they arrive, to its text: gzip or plain, told by the first bytes.

Knows nothing of rows, and not where the bytes come from.
"""

from collections.abc import Iterable, Iterator

from isal import igzip_lib

from sweep.data.higgs.plain_text import refuse_other_kinds
from sweep.errors import DataError

_GZIP_MAGIC = b"\x1f\x8b"
_SNIFF_BYTES = 256
_PIECE_BYTES = 1 << 20


def decompressed(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    """Yield the text in `chunks`, in pieces of at most 1 MiB if it comes out of gzip.

    Raises DataError if nothing comes, if it is a file of another kind, and if the gzip stream is
    cut off or damaged; its checksum and length are verified at its end.
    """
    rest = iter(chunks)
    head = b""
    for chunk in rest:
        head += chunk
        if len(head) >= _SNIFF_BYTES:
            break
    if not head:
        raise DataError(f"{name} is empty, expected a table")
    if head.startswith(_GZIP_MAGIC):
        yield from _gunzip(head, rest, name)
        return
    refuse_other_kinds(head, name)
    yield head
    yield from rest


def _gunzip(head: bytes, rest: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Text of one gzip member or of several in a row; zeros behind the last are padding."""
    gzip = _new_member()
    for chunk in _with_head(head, rest):
        data = chunk
        while data or not (gzip.needs_input or gzip.eof):
            if gzip.eof:
                data = data.lstrip(b"\0")
                if not data:
                    break
                gzip = _new_member()
            try:
                piece = gzip.decompress(data, _PIECE_BYTES)
            except igzip_lib.IsalError as error:  # type: ignore[misc]  # its stub forgets the base
                what = str(error).lower()
                raise DataError(f"{name} is damaged ({what}); get the file again") from error
            data = gzip.unused_data if gzip.eof else b""
            if piece:
                yield piece
    if not gzip.eof:
        raise DataError(f"{name} is cut off: its gzip stream has no end; get the file again")


def _with_head(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest


def _new_member() -> igzip_lib.IgzipDecompressor:
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
