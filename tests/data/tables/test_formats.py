"""The same table is read the same, however it is written."""

import gzip
import io

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.data.cache.cache import Cache
from sweep.data.tables.columns import plain_columns, without_index
from sweep.data.tables.reading import read_file
from sweep.data.tables.text_file import csv_form
from sweep.errors import DataError

ROWS = pl.DataFrame(
    {
        "size": [1.5, -2.0, 3.25, 1e-3],
        "count": [1, 2, 3, 2],
        "colour": ["red", "blue, dark", 'the "red" one', "grün"],
        "label": [0, 1, 0, 1],
    }
)


def csv(separator=",", **options) -> bytes:
    text = ROWS.write_csv(separator=separator, **options)
    return text.encode()


WRITTEN = {
    "plain.csv": csv(),
    "semicolons.csv": csv(";"),
    "tabs.tsv": csv("\t"),
    "quoted.csv": csv(quote_style="always"),
    "mark.csv": b"\xef\xbb\xbf" + csv(),
    "crlf.csv": csv().replace(b"\n", b"\r\n"),
    "cr.csv": csv().replace(b"\n", b"\r"),
    "packed.csv.gz": gzip.compress(csv(), mtime=0),
    "windows.csv": csv().decode().encode("cp1252"),
    "blanks.csv": csv().replace(b"size,count", b"# size, count"),
    "commas.csv": csv(";", decimal_comma=True),
    "comments.csv": b"# made by hand\n# in May, 2024\n" + csv(),
    "told.csv": b"sep=;\r\n" + csv(";").replace(b"\n", b"\r\n"),
    "told_tab.csv": b'\xef\xbb\xbf"sep=\t"\n' + csv("\t"),
    "named.csv": b"# made by hand\n# " + csv(),
}


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


def read(cache, path):
    return plain_columns(read_file(cache, path).frame, path.name).frame


@pytest.mark.parametrize("name", WRITTEN)
def test_every_form_of_text_gives_the_same_table(tmp_path, cache, name):
    path = tmp_path / name
    path.write_bytes(WRITTEN[name])
    assert read(cache, path).equals(plain_columns(ROWS, "").frame)


@pytest.mark.parametrize("name", ["t.parquet", "t.feather", "t.csv.zst"])
def test_binary_forms_give_the_same_table(tmp_path, cache, name):
    path = tmp_path / name
    if name.endswith("parquet"):
        ROWS.write_parquet(path)
    elif name.endswith("feather"):
        ROWS.write_ipc(path, compression="lz4")
    else:
        ROWS.lazy().sink_csv(path, compression="zstd")
    assert read(cache, path).equals(plain_columns(ROWS, "").frame)


def test_a_file_is_parsed_once_and_known_by_its_content(tmp_path, cache, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_bytes(csv())
    first = read_file(cache, path)
    monkeypatch.setattr("sweep.data.tables.file_forms.write_plain", None)
    other = tmp_path / "b.csv"
    other.write_bytes(csv())
    assert read_file(cache, other).key == first.key
    assert read_file(cache, path).frame.equals(first.frame)


def test_what_an_older_version_read_otherwise_is_read_again(tmp_path, cache, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n3\n")
    with monkeypatch.context() as older:
        older.setattr("sweep.data.tables.reading._VERSION", "1")
        older.setattr("sweep.data.tables.file_forms.uneven_line", lambda *_: None)
        assert read_file(cache, path).frame["b"].to_list() == [2, None]
    with pytest.raises(DataError, match="line 3 has 1 cell, expected 2"):
        read_file(cache, path)


def test_a_damaged_copy_in_the_cache_is_made_again(tmp_path, cache):
    path = tmp_path / "a.csv"
    path.write_bytes(csv())
    first = read_file(cache, path)
    del first
    (arrow,) = cache.root.glob("own-*/table.arrow")
    content = bytearray(arrow.read_bytes())
    content[len(content) // 2] ^= 1
    arrow.unlink()
    arrow.write_bytes(content)
    assert read(cache, path).equals(plain_columns(ROWS, "").frame)


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("a,b\n1,2\n3,4\n", True),
        ("1,2\n3,4\n", False),
        ("0,1,2,label\n5,6,7,1\n1,2,3,0\n", True),
        ("0,1,2\n5,6,7\n1,2,3\n", True),
        (",a,b\n0,5,6\n1,7,8\n", True),
        ("x,s,n\nx,b,w\nx,s,n\n", False),
        ("p,x,x\ne,x,s\n", False),
        ("vhigh,2,small\nlow,4,big\n", False),
        ("colour,kind\nred,cat\nblue,dog\n", True),
        ("age,job\n?,cook\n3,smith\n", True),
        ("5.1,3.5,Iris-setosa\n4.9,3.0,Iris-setosa\n", False),
    ],
)
def test_a_header_is_told_from_the_lines(tmp_path, text, header):
    (tmp_path / "t").write_text(text)
    assert csv_form(tmp_path / "t", "t").header is header
    assert csv_form(tmp_path / "t", "t", not header).header is not header


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "t.csv is empty"),
        (b"a b c\n1 2 3\n", "columns separated by blanks"),
        (b"a,a\n1,2\n", "two columns called 'a'"),
        (b"a,b\n1,2\n1,2,3\n", "t.csv, line 3 has 3 cells, expected 2"),
        (b"#!\na,b\n1,2\n1\n", "t.csv, line 4 has 1 cell, expected 2"),
        (b"a,b\n1,2\n\n3,4\n", "t.csv, line 3 is blank; remove it"),
        (b'a,b\n1,2\n"3,4\n5,6\n', "line 3 begins a cell with a quotation mark that is not"),
        (b"a\n1\n", "has one column"),
        (b'{"a": 1}', "t.csv is JSON"),
        (b"%PDF-1.4", "a PDF"),
        (b"a,b\n", "no rows"),
        (b"PK\x03\x04", "is not read"),
    ],
)
def test_what_is_no_table_is_refused_by_name(tmp_path, cache, content, message):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_file(cache, tmp_path / "t.csv")
    assert "\n" not in str(caught.value)
    assert not list(cache.root.glob(".new-*"))


def test_an_index_that_pandas_wrote_is_left_out():
    frame = pl.DataFrame({"": [0, 1, 2], "a": [5, 6, 7]})
    found = without_index(frame)
    assert found.frame.columns == ["a"] and "left out" in found.notes[0]
    assert without_index(frame.with_columns(pl.Series("", [0, 2, 5]))).frame.width == 2
    ends = pl.DataFrame({"a": [1, 2], "b": [3, 4], "": [None, None]})
    assert without_index(ends).frame.columns == ["a", "b"]
    assert without_index(ends).notes == (
        "the last column has no name and no values: it is left out",
    )


_CELL = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8)


@settings(max_examples=40, deadline=None)
@given(
    numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=2),
    separator=st.sampled_from(",;\t"),
    data=st.data(),
)
def test_numbers_and_words_come_back_as_they_were_written(
    tmp_path_factory, numbers, separator, data
):
    n = len(numbers)
    words = data.draw(st.lists(_CELL.filter(lambda word: word.strip()), min_size=n, max_size=n))
    frame = pl.DataFrame({"amount": numbers, "word": words})
    folder = tmp_path_factory.mktemp("t")
    buffer = io.BytesIO()
    frame.write_csv(buffer, separator=separator, quote_style="non_numeric")
    (folder / "t.csv").write_bytes(buffer.getvalue())
    found = read_file(Cache(folder / "cache"), folder / "t.csv", True).frame
    assert found["amount"].cast(pl.Float64).to_list() == numbers
    if found["word"].dtype == pl.String:  # else all of them look like numbers
        assert found["word"].to_list() == words
    np.testing.assert_equal(found.height, n)
