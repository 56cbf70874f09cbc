"""From a CSV's bytes, however they are packed, to plain UTF-8 text, and what form its lines have.

Compression, byte-order mark, line ends and encoding are put right on the way; separator, header
and decimal sign are told from the first lines. Nothing here knows what a column means.
"""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sweep.data.higgs.gunzip import decompressed
from sweep.data.higgs.plain_text import plain_lines
from sweep.errors import DataError
from sweep.words import counted

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_CHUNK_BYTES = 1 << 20
_SNIFFED_BYTES = 1 << 16
_SNIFFED_LINES = 50
_SEPARATORS = (",", ";", "\t", "|")
_WORDS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_NUMBER = re.compile(r"\s*[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*", re.ASCII)
_TELLS_SEPARATOR = re.compile(r'"?sep=([,;\t|])"?\s*(?:\n|$)', re.IGNORECASE)
_UNCLOSED = "begins a cell with a quotation mark that is not closed"
_NO_VALUE = re.compile(r"\s*(|\?|na|n/a|nan|null|none|-|true|false)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class CsvForm:
    """How the lines of a CSV are to be read."""

    separator: str
    header: bool
    decimal_comma: bool
    n_columns: int
    n_comments: int = 0
    """Lines at the top that are no header: they begin with #, or the first tells a separator."""

    @property
    def notes(self) -> list[str]:
        """What of it is out of the ordinary, a sentence each."""
        found = []
        if self.n_comments:
            found.append(f"{counted(self.n_comments, 'line')} above the table left out")
        if self.separator != ",":
            found.append(f"columns are separated by {_WORDS[self.separator]}")
        if self.decimal_comma:
            found.append("numbers have decimal commas")
        if not self.header:
            found.append("the first line holds values: columns are called column_1, column_2, …")
        return found


def write_plain(path: Path, to: Path) -> list[str]:
    """Write the text of a .csv, .csv.gz or .csv.zst as UTF-8 with `\\n` line ends; return notes.

    Raises DataError when the file cannot be read, is damaged, empty, or no text.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8 = True
    with to.open("wb") as file:
        for piece in plain_lines(_unpacked(path), path.name):
            if is_utf8 and not piece.isascii():
                try:
                    decoder.decode(piece)
                except UnicodeDecodeError:
                    is_utf8 = False
            file.write(piece)
    if to.stat().st_size <= 1:
        raise DataError(f"{path.name} is empty, expected a table")
    if is_utf8:
        return []
    to.write_bytes(to.read_bytes().decode("cp1252", errors="replace").encode())
    return ["the text is not UTF-8: it was read as Windows-1252"]


def csv_form(plain: Path, name: str, header: bool | None = None) -> CsvForm:
    """Return the form of a file of plain text. `header` overrides what is told from its lines.

    Raises DataError if its lines do not fall into two columns or more.
    """
    with plain.open("rb") as file:
        head = file.read(_SNIFFED_BYTES)
    text = head.decode(errors="replace")
    if len(head) == _SNIFFED_BYTES:
        text = text.rpartition("\n")[0] or text
    n_comments = _n_comments(text)
    told = _told_separator(text)
    separator, rows = _separated(_below(text, n_comments), name, told)
    if n_comments > (told is not None):
        named = _rows(_below(text, n_comments - 1), separator)
        if len(named[0]) == len(rows[0]):  # np.savetxt puts a # before the names of columns
            n_comments, rows = n_comments - 1, named
    comma = separator != "," and _has_decimal_commas(rows[1:] or rows)
    if header is None:
        header = _is_header(rows)
    return CsvForm(separator, header, comma, len(rows[0]), n_comments)


def uneven_line(plain: Path, form: CsvForm) -> str | None:
    """Return what is wrong with the first line that has not as many cells as the first, or None."""
    with plain.open(encoding="utf-8", errors="replace", newline="") as file:
        for _ in range(form.n_comments):
            next(file)
        reader = csv.reader(file, delimiter=form.separator)
        start = 1 + form.n_comments
        try:
            for row in reader:
                if len(row) != form.n_columns:
                    return f"line {start:,} {_uneven(row, form)}"
                start = 1 + form.n_comments + reader.line_num
        except csv.Error:  # a cell that goes on and on
            return f"line {start:,} {_UNCLOSED}"
    return None


def _uneven(row: list[str], form: CsvForm) -> str:
    if not row:
        return "is blank; remove it"
    if any("\n" in cell for cell in row):
        return _UNCLOSED
    return f"has {counted(len(row), 'cell')}, expected {form.n_columns}; mend or remove it"


def _n_comments(text: str) -> int:
    lines, told = text.split("\n"), _told_separator(text) is not None
    of_other_kind = (i for i, line in enumerate(lines) if not line.lstrip().startswith("#"))
    return next((i for i in of_other_kind if i or not told), 0)


def _told_separator(text: str) -> str | None:
    """The separator that a first line such as `sep=;` tells, as spreadsheets write it."""
    found = _TELLS_SEPARATOR.match(text)
    return None if found is None else found[1]


def _below(text: str, n_lines: int) -> str:
    return text.split("\n", n_lines)[n_lines]


def first_cells(path: Path) -> list[str]:
    """Return the cells between commas of a CSV's first line below its comments, without blanks.

    Raises DataError when the file cannot be read or is no text.
    """
    head = b""
    for piece in plain_lines(_unpacked(path), path.name):
        head += piece
        if len(head) > _SNIFFED_BYTES:
            break
    text = head.decode(errors="replace")
    line = _below(text, _n_comments(text)).partition("\n")[0]
    return [cell.strip().strip('"') for cell in line.split(",")]


def chunks_of(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes. Raises DataError when it cannot be read."""
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def _unpacked(path: Path) -> Iterable[bytes]:
    with_head = chunks_of(path)
    first = next(with_head, b"")
    if first.startswith(ZSTD_MAGIC):
        return _unpacked_zstd(path)
    return decompressed(_chain(first, with_head), path.name)


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _unpacked_zstd(path: Path) -> Iterator[bytes]:
    """The lines of a file; polars has the only zstd at hand, and reads them as one column."""
    import polars as pl

    try:
        lines = pl.read_csv(
            path, has_header=False, separator="\x01", quote_char=None, infer_schema=False
        )
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path.name} is damaged ({first_line(error)})") from error
    for part in lines.iter_slices(1 << 16):
        yield ("\n".join(line or "" for line in part.to_series()) + "\n").encode()


def first_line(error: Exception) -> str:
    """Return the first line of an error's text."""
    return next(iter(str(error).splitlines()), type(error).__name__).strip()


def _separated(text: str, name: str, told: str | None) -> tuple[str, list[list[str]]]:
    """The separator under which most lines have the same number of cells, and those cells.

    It is that which the file tells, if it does.
    """
    best: tuple[tuple[float, int], str, list[list[str]]] | None = None
    for separator in _SEPARATORS if told is None else (told,):
        rows = _rows(text, separator)
        if not rows:
            continue
        n_columns, count = Counter(map(len, rows)).most_common(1)[0]
        if n_columns > 1 and (best is None or (count / len(rows), n_columns) > best[0]):
            best = (count / len(rows), n_columns), separator, rows
    if best is None:
        first = text.splitlines()[0] if text.splitlines() else ""
        if len(first.split()) > 2:
            raise DataError(
                f"{name} has its columns separated by blanks, expected commas, semicolons or tabs"
            )
        raise DataError(
            f"{name} has one column, expected inputs and a label, separated by commas, semicolons "
            "or tabs"
        )
    return best[1], best[2]


def _rows(text: str, separator: str) -> list[list[str]]:
    rows = []
    try:
        for row in csv.reader(io.StringIO(text), delimiter=separator):
            if row:
                rows.append(row)
            if len(rows) == _SNIFFED_LINES:
                break
    except csv.Error:
        return []
    return rows


def _has_decimal_commas(rows: list[list[str]]) -> bool:
    cells = [cell for row in rows for cell in row]
    numbers = [cell for cell in cells if _NUMBER.fullmatch(cell)]
    with_comma = sum(1 for cell in numbers if _DECIMAL_COMMA.fullmatch(cell))
    return with_comma > 0 and not any("." in cell for cell in numbers)


def _is_header(rows: list[list[str]]) -> bool:
    """Whether the first row names columns: unlike names, where values would be numbers or repeat.

    The row 0, 1, 2, …, as pandas writes it for columns without names, is one too.
    """
    first, rest = rows[0], rows[1:]
    if first == [str(i) for i in range(len(first))] and len(first) > 2:
        return True
    named = [cell for cell in first if cell.strip()]
    if not named or len(named) < len(first) - 1:
        return False
    # a name may look like a number ("0", "1", …, "label"), if another one does not
    words = [i for i, cell in enumerate(first) if not _is_value(cell)]
    if not words:
        return False
    numbers_below = [i for i in range(len(first)) if _all_numbers(rest, i)]
    if numbers_below:
        return any(i in words for i in numbers_below)
    return len(words) == len(first) == len(set(first)) and not any(
        first[i] == row[i] for i in words for row in rest if len(row) > i
    )


def _is_value(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell) or _NO_VALUE.fullmatch(cell))


def _all_numbers(rows: list[list[str]], column: int) -> bool:
    cells = [row[column] for row in rows if len(row) > column]
    cells = [cell for cell in cells if not _NO_VALUE.fullmatch(cell)]
    return bool(cells) and all(_NUMBER.fullmatch(cell) for cell in cells)
