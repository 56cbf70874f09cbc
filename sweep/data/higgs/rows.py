"""From the text of a HIGGS file to arrays, block by block, with errors that name the row.

A row is a label (0 or 1) and 28 finite numbers, separated by commas. polars reads a block at
once; whatever it stumbles over is read again a line at a time, which finds the row to blame and
is what defines the format. Rows and columns count from 1 in messages, as in an editor.
"""

import re
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from sweep.data.columns import FEATURES, LABEL, N_FEATURES
from sweep.data.higgs.one_ahead import one_ahead
from sweep.errors import DataError
from sweep.words import counted

Float32Array = NDArray[np.float32]
LabelArray = NDArray[np.uint8]
Block = tuple[Float32Array, LabelArray]
"""x (n, 28) and y (n,) of consecutive rows."""

N_COLUMNS = 1 + N_FEATURES
BLOCK_BYTES = 4 << 20
_OF_NUMBERS = b"0123456789+-.eE"
_BETWEEN_NUMBERS = b"," * N_FEATURES + b"\n"
"""All that is left of a row whose numbers are taken away."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NO_NUMBER = re.compile(r"[+-]?(nan|inf|infinity|na|null|none|true|false)", re.IGNORECASE)
"""What stands in tables for a value that is missing, not finite or Boolean: no column's name."""
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}
_BETWEEN_BLANKS = re.compile(rb"[^,\s][ \t]+[^,\s]")
_EXACT_ROW = ",".join(["%.18e"] * N_COLUMNS) + "\n"
_COLUMNS = (LABEL, *FEATURES)


def parse_rows(
    pieces: Iterable[bytes], name: str, *, rows: int | None = None, exact: bool = False
) -> Iterator[Block]:
    """Yield blocks of x (n, 28) float32 and y (n,) uint8, in file order, up to `rows` rows.

    `exact` demands that every token is what C prints with `%.18e` for its own float32, as in the
    official file: anything else is damage. Raises DataError naming the first row that is wrong,
    or when there are fewer rows than asked for.
    """
    done = 0

    def parsed(block: bytes) -> Block:  # called for one block after the other
        nonlocal done
        values = _parse_block(block, name, done + 1)  # (n, 29)
        if exact:
            _check_exact(values, block, name, done + 1)
        done += len(values)
        return values[:, 1:], values[:, 0].astype(np.uint8)

    yield from one_ahead(parsed, line_blocks(pieces, name, rows))
    if done == 0:
        raise DataError(f"{name} is empty, expected rows of {N_COLUMNS} numbers")
    if rows is not None and done < rows:
        raise DataError(
            f"{name} has only {counted(done, 'row')}, not {rows:,}; lower --rows to {done}"
        )


def line_blocks(
    pieces: Iterable[bytes], name: str, rows: int | None = None, block_bytes: int = BLOCK_BYTES
) -> Iterator[bytes]:
    """Yield blocks of whole lines, each ending with a newline, about `block_bytes` long.

    After `rows` lines nothing more is taken from `pieces`. Raises DataError for a line that is
    longer than a block, so that no input can fill the memory.
    """
    pending: list[bytes] = []
    size = 0
    left = rows
    for piece in pieces:
        n_lines = 0 if left is None else piece.count(b"\n")
        if left is not None and n_lines >= left:
            yield b"".join(pending) + piece[: _end_of_line(piece, left)]
            return
        left = None if left is None else left - n_lines
        pending.append(piece)
        size += len(piece)
        if size >= block_bytes:
            if b"\n" not in piece:
                piece = b"".join(pending)
                pending = [piece]
            cut = piece.rfind(b"\n") + 1
            if cut == 0:
                raise DataError(f"{name} has no line ends, expected rows of {N_COLUMNS} numbers")
            rest = piece[cut:]
            pending[-1] = piece[:cut]
            yield b"".join(pending)
            pending, size = [rest], len(rest)
    rest = b"".join(pending)
    if rest:
        yield rest if rest.endswith(b"\n") else rest + b"\n"


def _end_of_line(piece: bytes, n: int) -> int:
    """Where the n-th line of `piece` ends, its newline included."""
    newlines = np.flatnonzero(np.frombuffer(piece, dtype=np.uint8) == ord("\n"))
    return int(newlines[n - 1]) + 1


def _parse_block(block: bytes, name: str, first_row: int) -> Float32Array:
    """Values (rows, 29) of a block of whole lines."""
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n")
    values = _parse_fast(block)
    return _parse_lines(block, name, first_row) if values is None else values


def _parse_fast(block: bytes) -> Float32Array | None:
    """Values (rows, 29), or None when anything in the block is out of the ordinary."""
    if b" " in block and not _BETWEEN_BLANKS.search(block):
        block = block.replace(b" ", b"")  # they stand beside commas only
    between = block.translate(None, _OF_NUMBERS)
    n_rows = len(between) // N_COLUMNS
    if between != _BETWEEN_NUMBERS * n_rows:
        return None
    import polars as pl  # takes 0.1 s to import

    schema = dict.fromkeys(_COLUMNS, pl.Float32)
    try:
        frame = pl.read_csv(
            block, has_header=False, schema=schema, quote_char=None, ignore_errors=True
        )
    except pl.exceptions.PolarsError:
        return None
    if len(frame) != n_rows or sum(frame.null_count().row(0)):
        return None
    values: Float32Array = frame.to_numpy(order="c")
    label = values[:, 0]
    if not np.isfinite(values).all() or not np.all((label == 0) | (label == 1)):
        return None
    return values


def _parse_lines(block: bytes, name: str, first_row: int) -> Float32Array:
    """Return the rows, parsed a line at a time. Raises DataError at the first wrong row."""
    lines = block.decode("latin-1").split("\n")[:-1]
    if first_row == 1:
        _refuse_other_layouts(lines[0], name)
    values = np.empty((len(lines), N_COLUMNS), dtype=np.float32)
    for index, line in enumerate(lines):
        where = f"{name}, row {first_row + index:,}"
        tokens = _tokens(line)
        if len(tokens) != N_COLUMNS:
            raise DataError(_wrong_columns(where, line, len(tokens)))
        for column, token in enumerate(tokens):
            values[index, column] = _number(token, column, where)
    return values


def _tokens(line: str) -> list[str]:
    """The cells of a line, without blanks around them and without their quotes."""
    return [
        token[1:-1] if len(token) > 1 and token[0] == token[-1] == '"' else token
        for token in map(str.strip, line.split(","))
    ]


def _refuse_other_layouts(line: str, name: str) -> None:
    """Raise DataError if the first line is a header, a comment, or separated otherwise."""
    if line.lstrip().startswith(("#", "//")):
        raise DataError(f"{name}, row 1 is a comment, expected numbers; remove the line")
    other = _separated(line)
    if other is not None:
        raise DataError(f"{name}, row 1 {other}")
    tokens = [token for token in _tokens(line) if token]
    if len(tokens) > 1 and not any(_NUMBER.fullmatch(t) or _NO_NUMBER.fullmatch(t) for t in tokens):
        raise DataError(f"{name}, row 1 is a header line, expected numbers; remove the line")


def _wrong_columns(where: str, line: str, n_columns: int) -> str:
    if not line.strip():
        return f"{where} is blank, expected {N_COLUMNS} numbers; remove the line"
    other = _separated(line)
    return f"{where} {other or f'has {n_columns} columns, expected {N_COLUMNS}'}"


def _separated(line: str) -> str | None:
    """What to say if the cells of `line` stand between other signs than commas, else None."""
    for sign, words in _SEPARATORS.items():
        beside_commas = {f",{sign}", f"{sign},"}
        if line.strip().count(sign) == N_COLUMNS - 1 and not any(b in line for b in beside_commas):
            return f"has its columns separated by {words}, expected commas and decimal points"
    return None


def _number(token: str, column: int, where: str) -> float:
    where = f"{where}, column {column + 1} ({_COLUMNS[column]})"
    received = repr(token if len(token) <= 40 else token[:40] + "…")
    if not _NUMBER.fullmatch(token):
        raise DataError(f"{where} is {received}, expected a finite number")
    value = float(token)
    with np.errstate(over="ignore"):
        too_large = np.isinf(np.float32(value))
    if too_large:
        raise DataError(f"{where} is {received}, expected a number that float32 can hold")
    if column == 0 and value not in (0.0, 1.0):
        raise DataError(f"{where} is {received}, expected 0 or 1")
    return value


def _check_exact(values: Float32Array, block: bytes, name: str, first_row: int) -> None:
    """Print `values` as the official file does and compare with what was read."""
    if image(values) == block:
        return
    lines = block.split(b"\n")
    row = next(i for i, line in enumerate(values) if image(line[None]) != lines[i] + b"\n")
    raise DataError(
        f"{name}, row {first_row + row:,} is damaged: not every number is a float32 printed with "
        "%.18e, as in the official file; get the file again"
    )


def image(values: Float32Array) -> bytes:
    """Return `values` (rows, 29) as text in the official file's format."""
    flat = values.astype(np.float64).ravel().tolist()
    return ((_EXACT_ROW * len(values)) % tuple(flat)).encode("ascii")
