"""sweep data: fetch HIGGS, import a file, show what is cached."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweep.cli import data_options as of_data
from sweep.cli import options as opt
from sweep.cli.output import display, err, hint, out, warn
from sweep.data.cache.cache import Cache, Dataset, default_cache_dir
from sweep.data.cache.file_set import is_own, read_files
from sweep.data.description import lines as data_lines
from sweep.data.kinds import AUTO, BUILTIN
from sweep.data.own_data import OwnData, numbers_of, own_data_of
from sweep.data.ranges import DEFAULT_ROWS, DEFAULT_TRAIN_ROWS, DEFAULT_VALIDATION_ROWS
from sweep.errors import DataError, UsageError
from sweep.records import Json
from sweep.words import counted, plain

if TYPE_CHECKING:
    import pandas as pd

    from sweep.data.cache.manifest import Manifest
    from sweep.data.higgs.download import Progress
    from sweep.data.split import Split
    from sweep.data.tables.overview import ColumnOverview

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


@data_app.command()
def info(
    context: typer.Context,
    file: Annotated[
        str | None,
        typer.Argument(metavar="[FILE]", help="A file, or a folder of .npy files, to describe."),
    ] = None,
    data: Annotated[
        str,
        typer.Option(
            "--data",
            envvar="SWEEP_DATASET",
            help="Data to describe, named as for `sweep start`: auto, builtin, higgs, or a file.",
        ),
    ] = AUTO,
    train_rows: of_data.TrainRowsOption = None,
    validation_rows: of_data.ValidationRowsOption = None,
    test_rows: of_data.TestRowsOption = None,
    label: of_data.LabelOption = None,
    drop: of_data.DropOption = None,
    task: of_data.TaskOption = of_data.DEFAULT.task,
    missing: of_data.MissingOption = of_data.DEFAULT.missing,
    max_levels: of_data.MaxLevelsOption = of_data.DEFAULT.max_levels,
    standardize: of_data.StandardizeOption = None,
    header: of_data.HeaderOption = None,
    split: of_data.SplitOption = of_data.DEFAULT.split,
    split_column: of_data.SplitColumnOption = of_data.DEFAULT.split_column,
    split_seed: of_data.SplitSeedOption = of_data.DEFAULT.split_seed,
    class_weight: of_data.ClassWeightOption = of_data.DEFAULT.class_weight,
    output: opt.TableOrJsonOption = "table",
    charts: Annotated[
        Path | None,
        typer.Option(
            "--charts", metavar="DIR", help="Folder into which to write histograms of the features."
        ),
    ] = None,
    cache: opt.CacheOption = None,
) -> None:
    """Say what will be done with a file, before anything is trained.

    Without a file, say which data are cached.
    """
    from sweep.data.split import is_higgs_format, load_split, open_data
    from sweep.data.tables.overview import to_json

    opt.check_output(output, opt.TABLE_OR_JSON)
    store, data = _cache(cache), file or data
    own = own_data_of(context.params)
    if not is_higgs_format(data, own):
        found = _describe_own(data, own, store, output)
        if charts is not None:
            _write_charts(found, charts, output)
        return
    if output == "json":
        numbers = numbers_of(context.params)
        found = load_split(data, **numbers, own=own, cache_dir=store.root)
        _print_json(to_json([], found))
        return
    key, dataset = open_data(data, store, DEFAULT_ROWS)
    if data == AUTO and dataset.manifest.origin.kind == BUILTIN:
        hint("no HIGGS cached; get it with: sweep data fetch")
    _describe_higgs(key, dataset, store, charts)


def _describe_higgs(key: str, dataset: Dataset, store: Cache, charts: Path | None) -> None:
    from sweep.data.summary import feature_table, label_concerns, part_table, visible_rows

    _print_facts(store, key, dataset)
    _print_table("rows", part_table(dataset))
    for line in label_concerns(dataset):
        warn(line)
    n_visible = visible_rows(dataset)
    _print_table(
        f"features, first {counted(n_visible, 'row')}", feature_table(dataset.x[:n_visible])
    )
    if charts is not None:
        from sweep.analysis.charts.features import write_features

        for path in write_features(dataset, charts):
            out().print(f"chart: {plain(path)}", soft_wrap=True)


def _describe_own(data: str, own: OwnData, store: Cache, output: str) -> "Split":
    """Print what stands in a file, then what a sweep would make of it, or why not; the split."""
    from sweep.data.tables.overview import columns_of, to_json, with_use
    from sweep.data.tables.own_split import own_split
    from sweep.data.tables.reading import read_file

    read = read_file(store, Path(data), own.header)
    columns = columns_of(read)
    try:
        split = own_split(read, own)
    except DataError:
        if output == "table":
            _print_columns(columns)
        raise
    columns = with_use(columns, split)
    if output == "json":
        _print_json(to_json(columns, split))
        return split
    out().print(f"source: {plain(split.source)}, {counted(split.manifest.rows or 0, 'row')}")
    _print_columns(columns)
    out().print()
    for line in data_lines(split.manifest):
        out().print(plain(line), soft_wrap=True)
    for line in split.concerns:
        warn(line)
    return split


def _write_charts(split: "Split", folder: Path, output: str) -> None:
    from sweep.analysis.charts.features import write_columns

    for path in write_columns(split, folder):
        if output == "table":
            out().print(f"chart: {plain(path)}", soft_wrap=True)


def _print_json(values: Json) -> None:
    json.dump(values, sys.stdout, indent=1)
    print()


def _print_columns(columns: "list[ColumnOverview]") -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("", "column", "holds", "missing", "different", "use", "models see"):
        right = name in ("", "missing", "different")
        table.add_column(name, justify="right" if right else "left")
    for one in columns:
        different = "–" if one.different is None else f"{one.different:,}"
        table.add_row(
            str(one.position), plain(one.name), plain(one.kind), f"{one.missing:,}", different,
            one.use, one.becomes,
        )  # fmt: skip
    display(table)


def _cache(folder: Path | None) -> Cache:
    return Cache(default_cache_dir() if folder is None else folder)


def _say(manifest: "Manifest", cache: Cache) -> None:
    text = f"{manifest.origin.source}: {counted(manifest.rows, 'row')} cached in {cache.root}"
    out().print(plain(text), soft_wrap=True)
    left = manifest.rows - DEFAULT_VALIDATION_ROWS
    if left < DEFAULT_TRAIN_ROWS:
        least = f"--train-rows {left}" if left > 0 else "--validation-rows and --train-rows"
        hint(f"fewer rows than the default split needs: start sweeps with {least}")


def _print_facts(cache: Cache, key: str, dataset: Dataset) -> None:
    manifest = dataset.manifest
    facts = {
        "source": manifest.origin.source,
        "from": manifest.origin.address,
        "cached": manifest.created or "no, the cache cannot be written",
        "file": str(cache.manifest_path(key)),
        "sha256 of x": manifest.sha256_x,
        "sha256 of y": manifest.sha256_y,
    }
    others = [_describe(cache, other) for other in cache.keys() if other != key]  # noqa: SIM118
    for name, text in facts.items():
        out().print(f"{name + ':':<13}{plain(text)}", soft_wrap=True)
    for other in others:
        out().print(f"{'also cached:':<13}{plain(other)}", soft_wrap=True)


def _describe(cache: Cache, key: str) -> str:
    try:
        found = read_files(cache, key) if is_own(key) else cache.manifest(key)
    except DataError as error:
        return str(error)
    return key if found is None else f"{found.origin.source}, {counted(found.rows, 'row')}"


def _print_table(title: str, frame: "pd.DataFrame") -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column(str(frame.index.name))
    for column in frame.columns:
        table.add_column(str(column), justify="right")
    for name, *values in frame.itertuples():
        table.add_row(str(name), *(_cell(value) for value in values))
    out().print(f"\n{title}")
    display(table)


def _cell(value: float) -> str:
    if value != value:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


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
