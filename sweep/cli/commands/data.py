"""sweep data: fetch HIGGS, import a file; `info` is in `data_info`."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweep.cli import options as opt
from sweep.cli.commands import data_info
from sweep.cli.output import err, hint, out
from sweep.data.cache.cache import Cache, default_cache_dir
from sweep.data.ranges import DEFAULT_ROWS, DEFAULT_TRAIN_ROWS, DEFAULT_VALIDATION_ROWS
from sweep.errors import UsageError
from sweep.words import counted, plain

if TYPE_CHECKING:
    from sweep.data.cache.manifest import Manifest
    from sweep.data.higgs.download import Progress

_SECONDS_BETWEEN_LINES = 5.0
_INTERRUPTED = 130

data_app = typer.Typer(
    help="Fetch the HIGGS data, import a file, or show what is cached.",
    no_args_is_help=True,
)


@data_app.command()
def fetch(
    rows: Annotated[
        int | None,
        typer.Option(
            "--rows", min=1, help=f"Number of rows to fetch; by default {DEFAULT_ROWS:,}."
        ),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="Fetch all 11 million rows: a download of 2.8 GB, 1.2 GB in the cache."
        ),
    ] = False,
    url: Annotated[
        str | None,
        typer.Option("--url", help="Address to fetch from; by default the official ones."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Fetch even if the rows are cached already.")
    ] = False,
    cache: opt.CacheOption = None,
) -> None:
    """Fetch HIGGS from its official address: its first rows, or all."""
    from sweep.data.higgs.download import OFFICIAL_ADDRESSES, cached_enough, fetch_higgs

    if everything and rows is not None:
        raise UsageError("give --rows or --all, not both")
    wanted = None if everything else rows or DEFAULT_ROWS
    addresses = OFFICIAL_ADDRESSES if url is None else (url,)
    store = _cache(cache)
    manifest = None if force else cached_enough(store, wanted, addresses)
    if manifest is not None:
        hint("cached already; fetch again with --force")
    else:
        try:
            with _progress() as on_progress:
                manifest = fetch_higgs(store, rows=wanted, urls=addresses, on_progress=on_progress)
        except KeyboardInterrupt:
            hint(
                "interrupted; run the same command again to continue"
                if everything
                else "interrupted"
            )
            raise typer.Exit(_INTERRUPTED) from None
    _say(manifest, store)


@data_app.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A .csv or .csv.gz file with the columns of HIGGS."),
    ],
    cache: opt.CacheOption = None,
) -> None:
    """Make FILE the cached HIGGS data. It has a label and 28 features a row, and no header."""
    from sweep.data.higgs.import_file import import_higgs

    store = _cache(cache)
    _say(import_higgs(store, file), store)


data_app.command()(data_info.info)


def _cache(folder: Path | None) -> Cache:
    return Cache(default_cache_dir() if folder is None else folder)


def _say(manifest: "Manifest", cache: Cache) -> None:
    text = f"{manifest.origin.source}: {counted(manifest.rows, 'row')} cached in {cache.root}"
    out().print(plain(text), soft_wrap=True)
    left = manifest.rows - DEFAULT_VALIDATION_ROWS
    if left < DEFAULT_TRAIN_ROWS:
        least = f"--train-rows {left}" if left > 0 else "--validation-rows and --train-rows"
        hint(f"fewer rows than the default split needs: start sweeps with {least}")


@contextmanager
def _progress() -> Iterator[Callable[["Progress"], None]]:
    """Yield what shows a download on stderr: a bar on a terminal, else a line every few seconds."""
    if not err().is_terminal:
        yield _line_now_and_then()
        return
    from rich import progress as bars

    with bars.Progress(
        bars.TextColumn("{task.fields[rows]:,} rows"),
        bars.BarColumn(),
        bars.DownloadColumn(),
        bars.TransferSpeedColumn(),
        bars.TimeRemainingColumn(),
        console=err(),
    ) as bar:
        task = bar.add_task("fetch", total=None, rows=0)

        def show(now: "Progress") -> None:
            bar.update(task, completed=now.bytes_received, total=now.bytes_total, rows=now.rows)

        yield show


def _line_now_and_then() -> Callable[["Progress"], None]:
    last = time.monotonic()

    def show(now: "Progress") -> None:
        nonlocal last
        if time.monotonic() - last < _SECONDS_BETWEEN_LINES:
            return
        last = time.monotonic()
        total = "" if now.bytes_total is None else f" of about {now.bytes_total / 1e6:,.1f}"
        received = f"{now.bytes_received / 1e6:,.1f}{total} MB"
        err().print(f"fetched {received}, {counted(now.rows, 'row')} cached", soft_wrap=True)

    return show
