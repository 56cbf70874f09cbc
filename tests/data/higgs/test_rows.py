"""Text of a HIGGS file to arrays: exact, and with errors that name the row."""

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sweep.data.higgs.gunzip import decompressed
from sweep.data.higgs.rows import image, line_blocks, parse_rows
from sweep.errors import DataError
from tests.support.higgs_rows import as_csv, as_gzip, random_rows

GOOD = ["1"] + ["0.5"] * 28


def line(**changes):
    """A good row with some tokens changed, by column number: c1="x"."""
    tokens = list(GOOD)
    for column, token in changes.items():
        tokens[int(column[1:]) - 1] = token
    return (",".join(tokens) + "\n").encode()


def parse(text, **options):
    """x and y of the whole text."""
    blocks = list(parse_rows([text] if isinstance(text, bytes) else text, "f.csv", **options))
    return np.concatenate([x for x, _ in blocks]), np.concatenate([y for _, y in blocks])


def message(text, **options):
    with pytest.raises(DataError) as caught:
        parse(text, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def pieces(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)]


def test_rows_come_out_as_they_went_in():
    x, y = random_rows(300)
    found_x, found_y = parse(as_csv(x, y))
    assert found_x.dtype == np.float32 and found_y.dtype == np.uint8
    np.testing.assert_array_equal(found_x, x)
    np.testing.assert_array_equal(found_y, y)


@given(
    values=arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 4), st.just(28)),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
    )
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_every_float32_survives_to_the_last_bit(values):
    y = np.arange(len(values), dtype=np.uint8) % 2
    text = as_csv(values, y)
    found, _ = parse(text, exact=True)
    assert found.tobytes() == values.tobytes()
    assert image(np.column_stack([y.astype(np.float32), found])) == text


@given(st.binary(max_size=200))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_random_bytes_are_refused_in_one_line(data):
    assert message(decompressed([data], "f.csv"))


NUMBER_LIKE = st.text(alphabet="0123456789+-.eE", min_size=0, max_size=8)
MIXED = st.one_of(
    NUMBER_LIKE,
    st.floats(width=32).map(str),
    st.sampled_from(["nan", "inf", "-inf", "", " 1", "1 ", "1_0", "0x1", '"1"', "1e40", "\r", "٣"]),
)


@given(tokens=st.dictionaries(st.integers(0, 28), MIXED, max_size=3), ending=st.sampled_from("\n"))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_odd_tokens_give_finite_numbers_or_one_line(tokens, ending):
    odd = [tokens.get(column, token) for column, token in enumerate(GOOD)]
    text = line() + (",".join(odd) + ending).encode() + line()
    try:
        x, y = parse(text)
    except DataError as error:
        assert "row 2" in str(error)
        return
    assert x.shape == (3, 28) and np.isfinite(x).all() and set(y) <= {0, 1}
    expected = np.array([float(token.strip('"')) for token in odd]).astype(np.float32)
    np.testing.assert_allclose(x[1], expected[1:], rtol=2e-7)


@given(st.binary(max_size=80), st.integers(0, 400), st.integers(1, 60))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_damaged_gzip_gives_the_rows_or_one_line(junk, where, size):
    data = as_gzip(*random_rows(3))
    damaged = data[:where] + junk + data[where + len(junk) :]
    try:
        x, _ = parse(decompressed(pieces(damaged, size), "f.csv.gz"))
    except DataError:
        return
    assert np.isfinite(x).all() and x.shape[1] == 28


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (line() + b"1,2,3\n", "f.csv, row 2 has 3 columns, expected 29"),
        (line() + line()[:-1] + b",7\n", "f.csv, row 2 has 30 columns, expected 29"),
        (line() + b"\n" + line(), "f.csv, row 2 is blank, expected 29 numbers"),
        (line() + line(c2="abc"), "row 2, column 2 (lepton_pT) is 'abc', expected a finite number"),
        (line() + line(c5="nan"), "row 2, column 5 (missing_energy_magnitude) is 'nan', expected"),
        (line(c29="-inf"), "row 1, column 29 (m_wwbb) is '-inf', expected a finite number"),
        (line(c29="1e39"), "row 1, column 29 (m_wwbb) is '1e39', expected a number that float32"),
        (line(c3=""), "row 1, column 3 (lepton_eta) is '', expected a finite number"),
        (line() + line(c1="2"), "row 2, column 1 (label) is '2', expected 0 or 1"),
        (line(c1="0.5"), "row 1, column 1 (label) is '0.5', expected 0 or 1"),
        (line(c1="-1"), "row 1, column 1 (label) is '-1', expected 0 or 1"),
        (b"class_label,lepton_pT,lepton_eta\n" + line(), "row 1 is a header line"),
    ],
)
def test_errors_name_row_column_and_what_was_expected(text, expected):
    assert expected in message(text)


def test_row_numbers_count_across_blocks(monkeypatch):
    monkeypatch.setattr("sweep.data.higgs.rows.line_blocks", lambda pieces, *_: iter(pieces))
    text = [line() * 700, line() * 699 + line(c4="x")]
    assert "row 1,400, column 4" in message(text)


@pytest.mark.parametrize("newline", ["\r\n", "\n"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends_of_any_system_and_a_missing_last_one(newline, last):
    x, y = random_rows(3)
    text = as_csv(x, y).replace(b"\n", newline.encode())
    found, _ = parse(text if last else text.removesuffix(newline.encode()))
    np.testing.assert_array_equal(found, x)


def test_nothing_is_an_error():
    assert "is empty" in message(b"")
    assert "is empty" in message(decompressed([gzip.compress(b"")], "f.csv.gz"))
    assert "is empty" in message(decompressed([], "f.csv"))


def test_a_web_page_is_called_one():
    assert "is a web page" in message(decompressed([b"\n <!DOCTYPE html><html>"], "f.csv"))


def test_exact_finds_a_changed_digit():
    text = as_csv(*random_rows(5))
    start = text.index(b"\n") + 30
    damaged = text[:start] + (b"1" if text[start : start + 1] != b"1" else b"2") + text[start + 1 :]
    parse(damaged)
    assert "row 2 is damaged" in message(damaged, exact=True)


def test_exact_refuses_rounded_numbers():
    assert "row 1 is damaged" in message(line(), exact=True)


@pytest.mark.parametrize("size", [1, 7, 1000, 10**6])
def test_pieces_of_any_size_make_the_same_blocks(size):
    text = as_csv(*random_rows(20))
    blocks = list(line_blocks(pieces(text, size), "f", block_bytes=3000))
    assert b"".join(blocks) == text
    assert all(block.endswith(b"\n") for block in blocks)


@pytest.mark.parametrize("size", [1, 700, 10**6])
def test_no_more_is_taken_than_the_rows_wanted(size):
    text = as_csv(*random_rows(20))
    taken = 0

    def counted():
        nonlocal taken
        for piece in pieces(text, size):
            taken += len(piece)
            yield piece

    x, _ = parse(counted(), rows=7)
    assert len(x) == 7
    assert taken <= 8 * len(text) / 20 + size


def test_fewer_rows_than_wanted_is_an_error():
    assert "has only 5 rows, not 6; lower --rows to 5" in message(line() * 5, rows=6)


def test_endless_lines_do_not_fill_the_memory():
    with pytest.raises(DataError, match="no line ends"):
        list(line_blocks((b"1" * 1000 for _ in range(10**9)), "f", block_bytes=10_000))


@pytest.mark.parametrize("size", [1, 13, 10**6])
def test_gzip_members_in_a_row_and_padding_are_read(size):
    data = gzip.compress(b"first\n") + b"\0\0" + gzip.compress(b"second\n") + b"\0" * 600
    assert b"".join(decompressed(pieces(data, size), "f")) == b"first\nsecond\n"


@pytest.mark.parametrize("missing", [1, 8, 9, 200])
def test_a_cut_off_gzip_is_an_error(missing):
    data = as_gzip(*random_rows(10))[:-missing]
    assert "is cut off" in message(decompressed([data], "f.csv.gz"))


def test_a_wrong_checksum_is_an_error():
    data = bytearray(as_gzip(*random_rows(10)))
    data[-8] ^= 1
    assert "f.csv.gz is damaged" in message(decompressed([bytes(data)], "f.csv.gz"))
