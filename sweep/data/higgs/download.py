"""Gets HIGGS from its official address into the cache: its first rows, or all of it."""

import hashlib
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from sweep.data.cache.cache import HIGGS_KEY, Cache
from sweep.data.cache.manifest import Manifest, Origin
from sweep.data.higgs.gunzip import decompressed
from sweep.data.higgs.partial import Partial, open_partial, part_path
from sweep.data.higgs.range_requests import (
    BrokenConnectionError,
    ChangedError,
    Download,
    NoAnswerError,
    public,
)
from sweep.data.higgs.rows import Block, parse_rows
from sweep.data.ranges import DEFAULT_ROWS, WHOLE_FILE_ROWS
from sweep.errors import DataError, PlatformError, SweepError

OFFICIAL_ADDRESSES = (
    "http://mlphysics.ics.uci.edu/data/higgs/HIGGS.csv.gz",
    "https://archive.ics.uci.edu/ml/machine-learning-databases/00280/HIGGS.csv.gz",
)
PUBLISHED_BYTES = 2_816_407_858
PUBLISHED_SHA256 = "ea302c18164d4e3d916a1e2e83a9a8d07069fa6ebc7771e4c0540d54e593b698"

_OFFICIAL_SOURCE = "HIGGS (UCI)"
_COMPRESSED_ROW_BYTES = 263  # 256 on average
_HEADROOM_BYTES = 1 << 16
_CACHED_ROW_BYTES = 28 * 4 + 1
_STARTS = 3
_OTHER_WAYS = (
    "import a file that you have with: sweep data import FILE, "
    "or use the built-in events with: --data builtin"
)


@dataclass(frozen=True)
class Progress:
    """How far a download is."""

    bytes_received: int
    bytes_total: int | None
    """That will come, about; None if not known."""
    rows: int
    """Rows in the cache so far."""


def cached_enough(cache: Cache, rows: int | None, urls: Sequence[str]) -> Manifest | None:
    """Return the manifest of the cached HIGGS data, if fetching again would bring nothing new."""
    try:
        dataset = cache.open(HIGGS_KEY)
    except DataError:
        return None
    if dataset is None or dataset.manifest.origin.address not in {public(url) for url in urls}:
        return None
    wanted = WHOLE_FILE_ROWS if rows is None else rows
    return dataset.manifest if dataset.manifest.rows >= wanted else None


def fetch_higgs(
    cache: Cache,
    *,
    rows: int | None = DEFAULT_ROWS,
    urls: Sequence[str] = OFFICIAL_ADDRESSES,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Manifest:
    """Fetch the first `rows` rows, or all, into the cache, from the first address that answers.

    Whatever goes wrong, the cache stays as it was; of a whole file the compressed part that came
    is kept, and the next call goes on from it. Raises DataError when no address answers, the
    connection breaks too often, or what comes is not HIGGS; PlatformError when the disk is full.
    """
    refusals = []
    for url in urls:
        try:
            return _fetch_from(cache, url, rows, on_progress)
        except NoAnswerError as refusal:
            refusals.append(str(refusal))
    raise DataError(f"{'; '.join(refusals)}; {_OTHER_WAYS}")


def _fetch_from(
    cache: Cache, url: str, rows: int | None, on_progress: Callable[[Progress], None]
) -> Manifest:
    name = f"higgs-{hashlib.sha256(url.encode()).hexdigest()[:8]}"
    if rows is None and url in OFFICIAL_ADDRESSES:
        _check_space(cache, part_path(cache.root, name))
    with open_partial(cache.root, name) if rows is None else nullcontext() as partial:
        for start in range(1, _STARTS + 1):
            try:
                manifest = _fetch_once(cache, url, rows, partial, on_progress)
            except (NoAnswerError, BrokenConnectionError):
                raise
            except SweepError as error:
                if partial is not None:
                    partial.discard()
                if not isinstance(error, ChangedError) or start == _STARTS:
                    raise
            else:
                if partial is not None:
                    partial.discard()
                return manifest
    raise AssertionError("unreachable")


def _fetch_once(
    cache: Cache,
    url: str,
    rows: int | None,
    partial: Partial | None,
    on_progress: Callable[[Progress], None],
) -> Manifest:
    progress = Progress(0, None, 0)

    def report(progress_now: Progress) -> None:
        nonlocal progress
        progress = progress_now
        on_progress(progress)

    def on_bytes(received: int, total: int | None) -> None:
        if rows is not None:
            total = min(rows * _COMPRESSED_ROW_BYTES, total or sys.maxsize)
        report(replace(progress, bytes_received=received, bytes_total=total))

    def counted(blocks: Iterable[Block]) -> Iterator[Block]:
        for x, y in blocks:
            yield x, y
            report(replace(progress, rows=progress.rows + len(y)))

    official = url in OFFICIAL_ADDRESSES
    name = public(url).rsplit("/", 1)[-1] or public(url)
    source = _OFFICIAL_SOURCE if official else f"HIGGS (fetched from {public(url)})"
    first = None if rows is None else rows * _COMPRESSED_ROW_BYTES + _HEADROOM_BYTES
    with closing(Download(url, first, partial, on_bytes=on_bytes).chunks()) as chunks:
        whole = official and rows is None
        text = decompressed(_published(chunks, name) if whole else chunks, name)
        blocks = parse_rows(text, name, rows=rows, exact=official and not whole)
        return cache.store(HIGGS_KEY, Origin("higgs", source, public(url)), counted(blocks))


def _published(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    """`chunks`, which must be the published file, to the byte. Raises DataError at their end."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != PUBLISHED_SHA256:
        raise DataError(
            f"{name} is not the file that was published in 2014 (its sha256 differs); get it "
            "again, or download it yourself and use: sweep data import FILE"
        )


def _check_space(cache: Cache, part: Path) -> None:
    """Better now than after an hour. Raises PlatformError."""
    kept = part.stat().st_size if part.exists() else 0
    folder = next(path for path in (cache.root, *cache.root.absolute().parents) if path.exists())
    needed = PUBLISHED_BYTES - kept + WHOLE_FILE_ROWS * _CACHED_ROW_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise PlatformError(
            f"{cache.root} has {free / 1e9:.1f} GB free, the whole file needs {needed / 1e9:.1f} "
            "GB; choose another folder with --cache, or fewer rows with --rows"
        )
