"""sweep report: the trials ranked, and the charts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweep.analysis.stored import load_frames
from sweep.cli import completion
from sweep.cli import options as opt
from sweep.cli.look import write_logs
from sweep.cli.output import display, hint
from sweep.errors import UsageError
from sweep.sweep_folder import DEFAULT_RESULTS, SweepFolder, find_sweep
from sweep.words import counted

if TYPE_CHECKING:
    from sweep.analysis.frames.load import SweepFrames

_MOST_ROWS = 500
"""Rows of a table if --top is not given: more is for programs, which take the other forms."""
_FORMATS = ("table", "json", "csv", "md", "parquet", "optuna")
_INTO_FOLDER = ("parquet", "optuna")


def report(
    name: opt.NameArgument = None,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            autocompletion=completion.values(*_FORMATS),
            help=f"Form of the report: {', '.join(_FORMATS)}.",
        ),
    ] = ("table"),
    top: Annotated[
        int | None,
        typer.Option(
            "--top",
            min=1,
            help=f"Number of best trials to show; by default all, or {_MOST_ROWS} in a table.",
        ),
    ] = None,
    width: opt.WidthOption = None,
    charts: Annotated[
        bool,
        typer.Option("--charts/--no-charts", help="Whether to write the charts, as PNG and SVG."),
    ] = True,
    all_charts: Annotated[
        bool,
        typer.Option(
            "--all-charts",
            help="Write all charts that there are, instead of three; this takes some seconds.",
        ),
    ] = False,
    smooth: Annotated[
        int,
        typer.Option(
            "--smooth",
            min=0,
            help="Number of epochs over which learning curves are averaged; 0 for none.",
        ),
    ] = 0,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="FILE",
            dir_okay=False,
            help="Write the report as an HTML page, too.",
        ),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            "--folder", metavar="DIR", help="Folder into which -o parquet and -o optuna write."
        ),
    ] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print only the JSON Schema of -o json.")
    ] = False,
    tensorboard: opt.TensorboardOption = False,
    results: opt.ResultsOption = DEFAULT_RESULTS,
) -> None:
    """Rank the trials by their validation scores, and draw the charts."""
    opt.check_output(output, _FORMATS)
    if schema:
        _print_schema()
        return
    if (output in _INTO_FOLDER) != (into is not None):
        raise UsageError("-o parquet and -o optuna need --folder DIR; other formats do not take it")
    if width is not None and output != "table":
        raise UsageError(f"--width is for a table, not for -o {output}")
    folder = find_sweep(results, name)
    if name is None:
        hint(f"sweep {folder.name}")
    frames = load_frames(folder)
    if into is not None:
        _write_files(frames, output, into)
    else:
        _print_report(frames, output, top, width)
    if charts or all_charts:
        _write_charts(folder, frames, smooth, all_charts)
    if html is not None:
        from sweep.analysis.page.write import write

        write(frames, html)
        hint(f"page in {html}")
    if tensorboard:
        write_logs(folder)


def _print_schema() -> None:
    from sweep.analysis.report.trials_json import json_schema

    typer.echo(json_schema(), nl=False)


def _write_files(frames: "SweepFrames", output: str, folder: Path) -> None:
    from sweep.analysis.exchange.optuna_study import write_study
    from sweep.analysis.exchange.parquet import write_parquet

    if output == "optuna":
        hint(f"writing {counted(len(frames.trials), 'trial')} into Optuna's storage …")
        typer.echo(write_study(frames, folder))
        return
    for path in write_parquet(frames, folder):
        typer.echo(path)


def _write_charts(folder: SweepFolder, frames: "SweepFrames", smooth: int, every: bool) -> None:
    from sweep.analysis.charts.catalogue import write_charts, write_further
    from sweep.analysis.report.trials_json import write_verdict

    folder.refuse_links()
    write_charts(frames, folder.charts, smooth)
    write_verdict(frames, folder.charts / "verdict.json")
    if every:
        _, left_out = write_further(frames, folder.charts)
        for stem, reason in left_out.items():
            hint(f"no chart {stem}: {reason}")
    hint(f"charts in {folder.charts}")


def _print_report(frames: "SweepFrames", output: str, top: int | None, width: int | None) -> None:
    from sweep.analysis.report.terminal import report as rendered
    from sweep.analysis.report.text_files import to_csv, to_markdown
    from sweep.analysis.report.trials_json import to_json

    if output == "table":
        display(rendered(frames, _MOST_ROWS if top is None else top), width)
        if top is None and len(frames.trials) > _MOST_ROWS:
            hint(f"all trials: sweep report {frames.address} --top {len(frames.trials)}")
        return
    write = {"json": to_json, "csv": to_csv, "md": to_markdown}[output]
    typer.echo(write(frames, top).rstrip("\n"))
