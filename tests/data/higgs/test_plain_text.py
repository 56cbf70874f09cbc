"""Files as programs write them: the same table whoever wrote it, other kinds by their names."""

import gzip
import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.data.higgs import plain_text
from sweep.data.higgs.gunzip import decompressed
from sweep.data.higgs.plain_text import plain_lines
from sweep.data.higgs.rows import N_COLUMNS, parse_rows
from sweep.errors import DataError


def parsed(data, piece=1 << 20):
    pieces = [data[i : i + piece] for i in range(0, len(data), piece)]
    blocks = list(parse_rows(plain_lines(decompressed(pieces, "f.csv"), "f.csv"), "f.csv"))
    return np.concatenate([np.column_stack([y, x]) for x, y in blocks])


def table(n_rows):
    rng = np.random.default_rng(n_rows)
    return np.column_stack([np.arange(n_rows) % 2, rng.normal(size=(n_rows, N_COLUMNS - 1))])


def written(values, separator=",", quote="", line_end="\n"):
    return "".join(
        separator.join(f"{quote}{value:.9g}{quote}" for value in row) + line_end for row in values
    )


@given(
    n_rows=st.integers(1, 5),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    separator=st.sampled_from([",", ", ", " ,", ",\t"]),
    quote=st.sampled_from(["", '"']),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    blanks=st.text("\n\r \t\x1a", max_size=6),
    cut=st.booleans(),
    packed=st.booleans(),
    piece=st.integers(1, 400),
)
def test_whoever_wrote_a_table_it_is_the_same(
    n_rows, mark, separator, quote, line_end, blanks, cut, packed, piece
):
    text = written(table(n_rows), separator, quote, line_end)
    text = text.removesuffix(line_end) if cut else text + blanks
    data = mark + text.encode()
    expected = parsed(written(table(n_rows)).encode())
    np.testing.assert_array_equal(parsed(gzip.compress(data) if packed else data, piece), expected)


@given(place=st.integers(0, N_COLUMNS - 1), cell=st.sampled_from(["nan", "-inf", "NA", "True", ""]))
def test_a_first_row_of_data_is_not_taken_for_a_header(place, cell):
    cells = ["1.0"] * N_COLUMNS
    cells[place] = cell
    with pytest.raises(DataError, match=rf"row 1, column {place + 1} .* expected a finite number"):
        parsed((",".join(cells) + "\n").encode())
    with pytest.raises(DataError, match="row 1, column 1 "):
        parsed((",".join([cell] * N_COLUMNS) + "\n").encode())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (",".join(f"x{i}" for i in range(N_COLUMNS)) + "\n", "row 1 is a header line"),
        (",".join(f'"x {i}"' for i in range(N_COLUMNS)) + "\n", "row 1 is a header line"),
        ("# a subset\n" + written(table(2)), "row 1 is a comment"),
        (written(table(2), ";"), "row 1 has its columns separated by semicolons"),
        (written(table(2), "\t"), "row 1 has its columns separated by tabs"),
        (written(table(2), ";").replace(".", ","), "separated by semicolons, expected commas and"),
        (written(table(1)) + "\n" + written(table(1)), "row 2 is blank, expected 29 numbers"),
        (written(table(1)).replace(",", ",1 2", 1), "row 1, column 2 .* is .1 2"),
        (written(table(3))[:-9] + ",5\n", "row 3 has 30 columns, expected 29"),
        ("", "is empty"),
    ],
)
def test_what_is_wrong_is_said(text, message):
    with pytest.raises(DataError, match=message):
        parsed(text.encode())


def archive():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("rows.csv", "1,2")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"PAR1....", "a Parquet file"),
        (archive(), "a zip archive"),
        (b"\xfd7zXZ\x00abc", "compressed with xz"),
        (b"BZh91AY", "compressed with bzip2"),
        (b"\x28\xb5\x2f\xfdabc", "compressed with zstd"),
        (b"\x93NUMPY\x01", "a NumPy array"),
        (written(table(3)).encode("utf-16"), "text in UTF-16"),
        (written(table(3)).encode("utf-16-le"), "text in UTF-16"),
        (b"  <!DOCTYPE html>", "a web page"),
        (bytes(range(256)) * 2, "a binary file"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_other_kinds_of_file_are_refused_by_name(data, kind, packed):
    with pytest.raises(DataError, match=f"f.csv is {kind}"):
        parsed(gzip.compress(data) if packed else data)


def test_a_file_of_blanks_fills_no_memory(monkeypatch):
    monkeypatch.setattr(plain_text, "_MOST_BLANKS", 1000)
    with pytest.raises(DataError, match="1,000 blanks in a row"):
        parsed(b"1" + b"\n" * 5000, piece=100)
