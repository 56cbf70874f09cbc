"""Fetching from a real server on the loopback: in ranges, without, and when it goes wrong."""

import threading
import time

import numpy as np
import pytest

from sweep.data.cache.cache import Cache
from sweep.data.higgs import download, range_requests
from sweep.data.higgs.download import cached_enough, fetch_higgs
from sweep.data.higgs.range_requests import Download, public
from sweep.errors import DataError, PlatformError
from tests.support.file_server import serving
from tests.support.higgs_rows import as_csv, as_gzip, random_rows

ROWS = 2_000
X, Y = random_rows(ROWS)
BODY = as_gzip(X, Y)


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


@pytest.fixture(autouse=True)
def _small_and_quick(monkeypatch):
    """Ranges and chunks that suit a small file; no waiting between tries."""
    monkeypatch.setattr(download, "_HEADROOM_BYTES", 0)
    monkeypatch.setattr(range_requests, "_LEAST_RANGE_BYTES", 1 << 10)
    monkeypatch.setattr(range_requests, "_CHUNK_BYTES", 1 << 13)
    monkeypatch.setattr(range_requests.time, "sleep", lambda seconds: None)


def check(cache, rows):
    """The first `rows` rows are cached, and nothing else lies there."""
    dataset = cache.open("higgs")
    np.testing.assert_array_equal(dataset.x, X[:rows])
    np.testing.assert_array_equal(dataset.y, Y[:rows])
    nothing_half_written(cache, {"higgs.json", dataset.manifest.folder})


def nothing_half_written(cache, expected=frozenset()):
    found = {path.name for path in cache.root.iterdir()} if cache.root.exists() else set()
    assert found - {".lock", ".fetch.lock"} == set(expected)


def refused(cache, served, rows=100):
    with pytest.raises(DataError) as caught:
        fetch_higgs(cache, rows=rows, urls=(served.url,))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_prefix_is_asked_for_by_range(cache):
    with serving(BODY) as served:
        manifest = fetch_higgs(cache, rows=1000, urls=(served.url,))
    check(cache, 1000)
    assert served.asked_ranges[0] == "bytes=0-262999"
    assert served.sent < len(BODY)
    assert manifest.origin.kind == "higgs"
    assert manifest.origin.address == served.url
    assert manifest.origin.source == f"HIGGS (fetched from {served.url})"


def test_a_range_that_was_too_short_is_topped_up(cache, monkeypatch):
    monkeypatch.setattr(download, "_COMPRESSED_ROW_BYTES", 50)
    with serving(BODY) as served:
        fetch_higgs(cache, rows=1000, urls=(served.url,))
    check(cache, 1000)
    assert len(served.requests) > 2
    assert all(headers["If-Range"] == '"one"' for headers in served.requests[1:])


def test_top_up_works_without_an_etag(cache, monkeypatch):
    monkeypatch.setattr(download, "_COMPRESSED_ROW_BYTES", 50)
    with serving(BODY, etag=None) as served:
        fetch_higgs(cache, rows=1000, urls=(served.url,))
    check(cache, 1000)


def test_a_server_without_ranges_is_cut_off_when_enough_has_come(cache):
    body = BODY + bytes(60_000_000)
    with serving(body, ranges=False) as served:
        fetch_higgs(cache, rows=1000, urls=(served.url,))
        check(cache, 1000)
    assert served.sent < 30_000_000


@pytest.mark.parametrize("ranges", [True, False])
def test_everything(cache, ranges):
    with serving(BODY, ranges=ranges) as served:
        fetch_higgs(cache, rows=None, urls=(served.url,))
    check(cache, ROWS)
    assert served.asked_ranges == [None]


def test_a_plain_csv_will_do(cache):
    with serving(as_csv(X[:300], Y[:300])) as served:
        fetch_higgs(cache, rows=200, urls=(served.url,))
    check(cache, 200)


@pytest.mark.parametrize("rows", [1500, None])
@pytest.mark.parametrize("ranges", [True, False])
def test_a_dropped_connection_is_taken_up_where_it_broke(cache, rows, ranges):
    with serving(BODY, ranges=ranges, drops=[100_000, 60_000 if ranges else 200_000]) as served:
        fetch_higgs(cache, rows=rows, urls=(served.url,))
    check(cache, rows or ROWS)
    assert len(served.requests) == 3
    assert served.asked_ranges[1].startswith("bytes=")
    assert served.requests[1]["If-Range"] == '"one"'


def test_a_connection_that_keeps_breaking_is_given_up(cache):
    with serving(BODY, drops=[100_000] + [0] * 20) as served:
        text = refused(cache, served, rows=1500)
    assert "broke after" in text and "run the command again" in text
    nothing_half_written(cache)


def test_of_everything_the_part_that_came_is_kept_and_gone_on_from(cache):
    with serving(BODY, drops=[300_000] + [0] * 20) as served:
        text = refused(cache, served, rows=None)
        assert "broke after" in text
        kept = {path.suffix: path.stat().st_size for path in cache.root.glob("higgs-*")}
        assert 200_000 < kept[".part"] <= 300_000
        served.requests.clear()
        served.drops.clear()
        fetch_higgs(cache, rows=None, urls=(served.url,))
        assert served.asked_ranges == [f"bytes={kept['.part']}-"]
        assert served.requests[0]["If-Range"] == '"one"'
    check(cache, ROWS)


def test_a_kept_part_survives_a_server_that_is_down(cache):
    with serving(BODY, drops=[300_000] + [0] * 20) as served:
        refused(cache, served, rows=None)
        served.status = 503
        assert "503" in refused(cache, served, rows=None)
        served.status = 200
        served.requests.clear()
        served.drops.clear()
        fetch_higgs(cache, rows=None, urls=(served.url,))
        assert served.asked_ranges[0].startswith("bytes=")
    check(cache, ROWS)


def test_an_interrupted_download_keeps_its_part(cache):
    def interrupt(progress):
        if progress.bytes_received > 200_000:
            raise KeyboardInterrupt

    with serving(BODY) as served:
        with pytest.raises(KeyboardInterrupt):
            fetch_higgs(cache, rows=None, urls=(served.url,), on_progress=interrupt)
        fetch_higgs(cache, rows=None, urls=(served.url,))
        assert int(served.asked_ranges[-1].removeprefix("bytes=").removesuffix("-")) > 200_000
    check(cache, ROWS)


def test_a_file_that_changed_is_fetched_from_its_start(cache):
    other = as_gzip(*random_rows(ROWS, seed=2))
    with serving(other, etag='"old"', drops=[300_000] + [0] * 20) as served:
        refused(cache, served, rows=None)
        served.body, served.etag = BODY, '"new"'
        served.drops.clear()
        fetch_higgs(cache, rows=None, urls=(served.url,))
    check(cache, ROWS)


def test_a_kept_part_that_was_damaged_is_found_out_and_dropped(cache):
    with serving(BODY, drops=[300_000] + [0] * 20) as served:
        refused(cache, served, rows=None)
        part = next(cache.root.glob("*.part"))
        data = bytearray(part.read_bytes())
        data[150_000] ^= 255
        part.write_bytes(data)
        served.drops.clear()
        assert refused(cache, served, rows=None)
        nothing_half_written(cache)
        fetch_higgs(cache, rows=None, urls=(served.url,))
    check(cache, ROWS)


def test_the_size_must_be_what_was_said(cache):
    with serving(BODY, extra_length=1000) as served:
        assert "its size is not what it said" in refused(cache, served, rows=None)
    nothing_half_written(cache)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (BODY[:-1000], "HIGGS.csv.gz is cut off"),
        (BODY[:-8] + bytes(4) + BODY[-4:], "HIGGS.csv.gz is damaged"),
        (BODY[:-4] + bytes(4), "HIGGS.csv.gz is damaged"),
        (b"<html>Not here</html>", "HIGGS.csv.gz is a web page"),
        (b"", "HIGGS.csv.gz is empty"),
        (b"hello\n", "row 1 has 1 columns, expected 29"),
    ],
    ids=["cut off", "wrong checksum", "wrong length", "web page", "empty", "text"],
)
def test_a_bad_file_is_refused_and_leaves_nothing(cache, body, expected):
    with serving(body) as served:
        assert expected in refused(cache, served, rows=None)
    nothing_half_written(cache)


def test_a_prefix_of_a_bad_file_is_refused_and_leaves_nothing(cache):
    damaged = BODY[:50_000] + bytes(100) + BODY[50_100:]
    with serving(damaged) as served:
        assert "HIGGS.csv.gz" in refused(cache, served, rows=1000)
    nothing_half_written(cache)


def test_fewer_rows_than_asked_for_are_refused(cache):
    with serving(BODY) as served:
        text = refused(cache, served, rows=3000)
    assert "has only 2,000 rows, not 3,000; lower --rows to 2000" in text
    nothing_half_written(cache)


@pytest.mark.parametrize(("status", "name"), [(404, "Not Found"), (403, "Forbidden")])
def test_http_errors_are_said(cache, status, name):
    with serving(b"no", status=status) as served:
        text = refused(cache, served)
    assert f"answers {status} {name}" in text
    assert "sweep data import FILE" in text
    nothing_half_written(cache)


def test_a_web_page_is_called_one(cache):
    with serving(b"hello", content_type="text/html; charset=utf-8") as served:
        assert "is a web page, expected" in refused(cache, served)


def test_no_network(cache):
    with serving(BODY) as served:
        pass  # nobody listens there any more
    text = refused(cache, served)
    assert f"cannot fetch {served.url}: " in text and "refused" in text


@pytest.mark.parametrize("url", ["nonsense", "file:///etc/passwd", "http://"])
def test_an_address_that_is_none(cache, url):
    with pytest.raises(DataError, match="cannot fetch"):
        fetch_higgs(cache, urls=(url,))


def test_the_second_address_is_tried_when_the_first_does_not_answer(cache):
    with serving(b"", status=404) as first, serving(BODY) as second:
        manifest = fetch_higgs(cache, rows=100, urls=(first.url, second.url))
    assert manifest.origin.address == second.url
    check(cache, 100)


def test_a_full_disk_leaves_nothing(cache, monkeypatch):
    def full(self, values):
        raise PlatformError("no space left")

    monkeypatch.setattr("sweep.data.cache.array_file.ArrayWriter.append", full)
    with serving(BODY) as served, pytest.raises(PlatformError, match="no space"):
        fetch_higgs(cache, rows=None, urls=(served.url,))
    nothing_half_written(cache)


def test_a_refused_fetch_leaves_what_was_cached(cache):
    with serving(BODY) as served:
        fetch_higgs(cache, rows=100, urls=(served.url,))
        served.body = b"hello\n"
        refused(cache, served)
    check(cache, 100)


def test_two_fetches_at_once_both_succeed(cache):
    errors = []

    def work(url):
        try:
            fetch_higgs(cache, rows=None, urls=(url,))
        except BaseException as error:
            errors.append(error)

    with serving(BODY) as served:
        threads = [threading.Thread(target=work, args=(served.url,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not errors
    check(cache, ROWS)


class TestOfficialAddress:
    """What is demanded of the official file, from a server that plays its part."""

    @pytest.fixture
    def official(self, monkeypatch):
        with serving(BODY) as served:
            monkeypatch.setattr(download, "OFFICIAL_ADDRESSES", (served.url,))
            monkeypatch.setattr(download, "_check_space", lambda cache, part: None)
            yield served

    def test_its_first_rows(self, cache, official):
        manifest = fetch_higgs(cache, rows=500, urls=(official.url,))
        check(cache, 500)
        assert manifest.origin.source == "HIGGS (UCI)"

    def test_a_number_that_is_no_printed_float32_is_damage(self, cache, official):
        text = as_csv(X[:300], Y[:300]).replace(b"e-01", b"e-02", 1)
        spot = text.index(b"\n", 3000) + 40
        official.body = text[:spot] + bytes([text[spot] ^ 1]) + text[spot + 1 :]
        assert "is damaged: not every number is a float32" in refused(cache, official)

    def test_all_of_it_must_be_the_published_file(self, cache, official, monkeypatch):
        assert "is not the file that was published" in refused(cache, official, rows=None)
        nothing_half_written(cache)
        sha256 = download.hashlib.sha256(BODY).hexdigest()
        monkeypatch.setattr(download, "PUBLISHED_SHA256", sha256)
        fetch_higgs(cache, rows=None, urls=(official.url,))
        check(cache, ROWS)


def test_too_little_space_for_all_of_it_is_said_at_once(cache, monkeypatch):
    monkeypatch.setattr(download.shutil, "disk_usage", lambda path: type("", (), {"free": 10**9}))
    with pytest.raises(PlatformError, match=r"has 1\.0 GB free, the whole file needs 4\.1 GB"):
        fetch_higgs(cache, rows=None)


def test_what_is_cached_is_enough_when_it_has_the_rows(cache):
    with serving(BODY) as served:
        fetch_higgs(cache, rows=100, urls=(served.url,))
    assert cached_enough(cache, 100, (served.url,)).rows == 100
    assert cached_enough(cache, 101, (served.url,)) is None
    assert cached_enough(cache, None, (served.url,)) is None
    assert cached_enough(cache, 100, ("http://example.org/other.csv.gz",)) is None
    (cache.root / cache.manifest("higgs").folder / "x.npy").write_bytes(b"")
    assert cached_enough(cache, 100, (served.url,)) is None


def test_progress_counts_up(cache):
    seen = []
    with serving(BODY) as served:
        fetch_higgs(cache, rows=None, urls=(served.url,), on_progress=seen.append)
    assert seen[-1].rows == ROWS
    assert seen[-1].bytes_received == seen[-1].bytes_total == len(BODY)
    received = [progress.bytes_received for progress in seen]
    assert received == sorted(received)


def test_a_closed_download_closes_its_connection():
    with serving(BODY + bytes(50_000_000)) as served:
        chunks = Download(served.url).chunks()
        next(chunks)
        chunks.close()
        time.sleep(0.05)
        assert served.sent < 20_000_000


def test_addresses_are_shown_without_secrets():
    assert public("https://me:secret@example.org:81/a.gz?key=1#x") == "https://example.org:81/a.gz"


def test_a_length_that_no_file_has_is_one_line(cache):
    with serving(BODY, said_length="9" * 5000) as served:
        assert "impossible Content-Length" in refused(cache, served)
    nothing_half_written(cache)


def test_a_server_that_sends_a_byte_now_and_then_is_given_up(cache, monkeypatch):
    monkeypatch.setattr(range_requests, "_SLOW_SECONDS", 0.2)
    with serving(BODY, byte_seconds=0.01) as served:
        said = refused(cache, served)
    assert "bytes in 0 s, which is given up" in said and "--url" in said
    assert served.sent < 200
