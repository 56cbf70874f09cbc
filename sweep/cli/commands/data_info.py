"""sweep data info: what will be done with a file, or which data are cached."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweep.cli import data_options as of_data
from sweep.cli import options as opt
from sweep.cli.output import display, hint, out, warn
from sweep.data.cache.cache import Cache, Dataset, default_cache_dir
from sweep.data.cache.file_set import is_own, read_files
from sweep.data.description import lines as data_lines
from sweep.data.kinds import AUTO, BUILTIN
from sweep.data.own_data import OwnData, numbers_of, own_data_of
from sweep.data.ranges import DEFAULT_ROWS
from sweep.errors import DataError
from sweep.records import Json
from sweep.words import counted, plain

if TYPE_CHECKING:
    import pandas as pd

    from sweep.data.split import Split
    from sweep.data.tables.overview import ColumnOverview


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
    store = Cache(default_cache_dir() if cache is None else cache)
    data = file or data
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
