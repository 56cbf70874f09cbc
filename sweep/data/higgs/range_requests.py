"""Bytes of a file over HTTP, as they arrive: in ranges, resumed after a broken connection.

Knows nothing of gzip or rows. A consumer that has enough closes the iterator, and with it the
connection.
"""

import re
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from sweep.data.higgs.partial import Partial, Remote
from sweep.errors import DataError
from sweep.words import counted

if TYPE_CHECKING:
    import requests

_CHUNK_BYTES = 1 << 17
_TIMEOUTS_SECONDS = (10.0, 30.0)  # to connect, between bytes
_RETRIES = 5
_SLOWEST = 1_000
"""Bytes a second below which a server is given up: all of HIGGS would take a month."""
_SLOW_SECONDS = 60.0
"""How long a server may stay below the slowest rate."""
_LEAST_RANGE_BYTES = 1 << 16
_ABSURD = re.compile(r"\d{17}")
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


class NoAnswerError(DataError):
    """An address does not answer, or not with the file; another address may."""


class BrokenConnectionError(DataError):
    """The connection broke too often. What has come is good and can be continued."""


class ChangedError(DataError):
    """The file is not the one that was begun: the download must start again."""


class TooSlowError(BrokenConnectionError):
    """The server sends, but so slowly that nobody would wait for the end; what came is good."""


class _BrokenError(Exception):
    """A connection broke; the next one may not. Never leaves this file."""


@dataclass(frozen=True)
class Download:
    """A file to get over HTTP: from where, how much of it, and how patiently."""

    url: str
    first_bytes: int | None = None
    partial: Partial | None = None
    """Keeps what came for the next process; a kept part is read first, then gone on from."""
    pause_seconds: float = 0.5
    """Before the first retry; doubles with each one in a row."""
    on_bytes: Callable[[int, int | None], None] = lambda received, total: None
    """Told bytes received and in all, if known."""

    def chunks(self) -> Generator[bytes, None, None]:
        """Yield the file from its first byte on, until its end or until nobody asks for more.

        Asks for more when `first_bytes` were not enough. Raises NoAnswerError when nothing comes,
        BrokenConnectionError, TooSlowError or ChangedError.
        """
        offset, remote = 0, None if self.partial is None else self.partial.remote
        for chunk in self._kept():
            offset += len(chunk)
            yield chunk
        ask, came, failures = self.first_bytes, False, 0
        while remote is None or remote.total is None or offset < remote.total:
            try:
                with closing(_open(self.url, offset, ask, remote)) as body:
                    remote = self._begin(body.remote, offset)
                    for chunk in body.chunks():
                        offset += len(chunk)
                        came, failures = True, 0
                        self._keep(chunk, offset, remote.total)
                        yield chunk
                if body.is_last:
                    return
            except _BrokenError as error:
                failures += 1
                if not came:
                    raise NoAnswerError(f"cannot fetch {public(self.url)}: {error}") from error
                if failures > _RETRIES:
                    raise BrokenConnectionError(
                        f"the connection to {public(self.url)} broke after "
                        f"{counted(offset, 'byte')} ({error}); run the command again"
                    ) from error
                time.sleep(self.pause_seconds * 2 ** (failures - 1))
            else:
                ask = None if ask is None else max(_LEAST_RANGE_BYTES, offset // 4)

    def _kept(self) -> Iterator[bytes]:
        if self.partial is None:
            return
        received, remote = 0, self.partial.remote
        for chunk in self.partial.replay():
            received += len(chunk)
            self.on_bytes(received, None if remote is None else remote.total)
            yield chunk

    def _begin(self, remote: Remote, offset: int) -> Remote:
        if self.partial is not None and offset == 0:
            self.partial.begin(remote)
        return remote

    def _keep(self, chunk: bytes, received: int, total: int | None) -> None:
        if self.partial is not None:
            self.partial.append(chunk)
        self.on_bytes(received, total)


@dataclass(frozen=True)
class _Body:
    """An answer whose headers are read and whose bytes are to come."""

    response: "requests.Response"
    remote: Remote
    is_last: bool
    """The end of this answer is the end of the file."""
    skip_bytes: int
    """Bytes to leave out: the server sends from the start what we have already."""

    def chunks(self) -> Iterator[bytes]:
        """Its bytes as they arrive. Raises _BrokenError if fewer come than were said, or none.

        Raises TooSlowError if they come below `_SLOWEST` for `_SLOW_SECONDS`.
        """
        from urllib3.exceptions import HTTPError

        skip, came, pace = self.skip_bytes, self.is_last, _Pace(self.remote.url)
        try:
            # read1 returns what has arrived; read would wait for a whole chunk, however slow it is
            while chunk := self.response.raw.read1(_CHUNK_BYTES, decode_content=False):
                came = True
                if skip < len(chunk):
                    yield chunk[skip:]
                skip = max(0, skip - len(chunk))
                pace.check(len(chunk))
        except (HTTPError, OSError) as error:
            raise _BrokenError(_reason(error)) from error
        if not came:
            raise _BrokenError("it sent nothing")

    def close(self) -> None:
        self.response.close()


@dataclass
class _Pace:
    """How fast bytes arrive, looked at once in `_SLOW_SECONDS`."""

    url: str
    _since: float = field(default_factory=time.monotonic)
    _bytes: int = 0

    def check(self, n_bytes: int) -> None:
        """Count bytes that arrived. Raises TooSlowError at the end of a slow stretch."""
        self._bytes += n_bytes
        seconds = time.monotonic() - self._since
        if seconds < _SLOW_SECONDS:
            return
        if self._bytes < _SLOWEST * seconds:
            raise TooSlowError(
                f"{public(self.url)} sent {counted(self._bytes, 'byte')} in {seconds:.0f} s, "
                "which is given up; try later, or another address with --url"
            )
        self._since, self._bytes = time.monotonic(), 0


def _open(url: str, offset: int, ask: int | None, remote: Remote | None) -> _Body:
    """Ask for `ask` bytes, or all, from `offset` on. `remote` is what an earlier answer said."""
    import requests

    headers = {"Accept-Encoding": "identity"}
    if offset or ask is not None:
        headers["Range"] = f"bytes={offset}-{'' if ask is None else offset + ask - 1}"
    if offset and remote is not None and remote.validator:
        headers["If-Range"] = remote.validator
    try:
        response = requests.get(url, headers=headers, stream=True, timeout=_TIMEOUTS_SECONDS)
    except (requests.ConnectionError, requests.Timeout) as error:
        raise _BrokenError(_reason(error)) from error
    except (requests.RequestException, ValueError) as error:
        raise NoAnswerError(f"cannot fetch {public(url)}: {_reason(error)}") from error
    try:
        return _read_headers(response, url, offset, remote)
    except BaseException:
        response.close()
        raise


def _read_headers(
    response: "requests.Response", url: str, offset: int, remote: Remote | None
) -> _Body:
    status = response.status_code
    if status == 429 or status >= 500:
        raise _BrokenError(f"it answers {status} {response.reason}")
    first, total = _span(response, url)
    found = Remote(url, total, _validator(response))
    changed = ChangedError(f"{public(url)} has changed, or its size is not what it said")
    if status == 416 and offset:  # nothing is left; what it sends is a page that says so
        if total != offset or (remote is not None and remote.total not in (None, total)):
            raise changed
        return _Body(response, found, is_last=True, skip_bytes=sys.maxsize)
    if status not in (200, 206):
        raise NoAnswerError(f"{public(url)} answers {status} {response.reason}")
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise NoAnswerError(f"{public(url)} is a web page, expected a .csv or .csv.gz file")
    if offset and not found.continues(remote):
        raise changed
    if status == 206 and first != offset:
        raise NoAnswerError(f"{public(url)} answers with bytes from {first:,}, not {offset:,}")
    return _Body(response, found, status == 200, 0 if status == 206 else offset)


def _span(response: "requests.Response", url: str) -> tuple[int, int | None]:
    """First byte of an answer, and bytes of the whole file if they are said.

    Raises NoAnswerError for a number of bytes that no file has.
    """
    for name in ("Content-Range", "Content-Length"):
        if _ABSURD.search(response.headers.get(name, "")):
            raise NoAnswerError(f"{public(url)} answers with an impossible {name}")
    span = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if span is not None:
        return int(span[1] or 0), None if span[3] == "*" else int(span[3])
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() and response.status_code == 200 else None


def _validator(response: "requests.Response") -> str:
    """What If-Range accepts: a strong ETag or a date; empty when there is neither."""
    etag = response.headers.get("ETag", "")
    if etag and not etag.startswith("W/"):
        return etag
    return response.headers.get("Last-Modified", "")


def _reason(error: BaseException) -> str:
    """The innermost cause, in a few words."""
    while True:
        inner = next((a for a in error.args if isinstance(a, BaseException)), None)
        inner = inner or getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            break
        error = inner
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.rsplit(">: ", 1)[-1].rsplit("): ", 1)[-1]


def public(url: str) -> str:
    """Return `url` without a password or a query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
