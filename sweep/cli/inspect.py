"""Commands that look at sweeps: ls, status, report, export. None but export starts TensorFlow."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from sweep.cli import options as opt
from sweep.cli import work
from sweep.cli.output import clean, display, duration, hint, out, unfamiliar
from sweep.errors import NotFoundError, SweepError, UsageError
from sweep.records import SweepState
from sweep.store import Progress, Store, SweepRow
from sweep.sweep_folder import DEFAULT_RESULTS, SweepFolder, find_sweep, sweep_folders
from sweep.words import counted

if TYPE_CHECKING:
    from sweep.analysis.frames.load import SweepFrames

_MOST_ROWS = 500
"""Of a table, when nobody says how many: more is for programs, which take the other forms."""
_FORMATS = ("table", "json", "csv", "md", "parquet", "optuna")
_INTO_FOLDER = ("parquet", "optuna")


def register(app: typer.Typer) -> None:
    app.command("ls")(list_sweeps)
    app.command("status")(status)
    app.command("report")(report)
    app.command("export")(export)


def list_sweeps(results: opt.ResultsOption = DEFAULT_RESULTS) -> None:
    """List the sweeps, the newest last."""
    table = Table(box=None, pad_edge=False)
    for column in ("sweep", "space", "data", "state", "assignments", "best val BCE", "started"):
        table.add_column(column)
    folders = sweep_folders(results)
    for folder in folders:
        table.add_row(*_row(folder))
    if folders:
        display(table)
    else:
        hint(f"no sweeps in {results}; start one with: sweep start capacity")


def status(name: opt.NameArgument = None, results: opt.ResultsOption = DEFAULT_RESULTS) -> None:
    """Say how far a sweep is, also while it runs."""
    folder = find_sweep(results, name)
    with unfamiliar(folder):
        for label, line in _facts(folder):
            out().print(f"{label:<11}{clean(line)}", soft_wrap=True)


def _facts(folder: SweepFolder) -> list[tuple[str, str]]:
    with Store(folder.database, read_only=True) as store:
        sweep, progress = store.sweep(), store.progress()
    total, epochs = sweep.plan.all_assignments, sweep.plan.all_epochs or 0
    facts = [
        ("sweep", f"{sweep.name} ({_state(folder, sweep)})"),
        ("space", f"{sweep.space.name}, seed {sweep.settings.seed}"),
        ("data", sweep.data.source),
        ("progress", f"{progress.assignments_done} of {total} assignments"),
        ("epochs", f"{progress.epochs_done:,} of at most {epochs:,}"),
        ("failed", counted(progress.trials_failed, "trial") if progress.trials_failed else ""),
        ("seeds", _seeds(progress)),
        ("best", _best(progress)),
        ("worked", duration(sweep.active_seconds)),
        ("left", _left(folder, sweep, progress, epochs)),
        ("message", sweep.message or ""),
    ]
    return [(label, line) for label, line in facts if line]


def _seeds(progress: Progress) -> str:
    if not progress.confirmations:
        return ""
    return f"{progress.confirmations_done} of {progress.confirmations} runs with other seeds"


def _left(folder: SweepFolder, sweep: SweepRow, progress: Progress, planned: int) -> str:
    """Seconds and epochs to go, while a process is at work."""
    if folder.holder() is None or not progress.epochs_done:
        return ""
    left = planned - progress.epochs_done - progress.epochs_left_out
    seconds = sweep.active_seconds / progress.epochs_done * left
    return f"about {duration(seconds)} at this rate, {left:,} epochs at most"


def report(
    name: opt.NameArgument = None,
    output: Annotated[str, typer.Option("--output", "-o", help=f"{', '.join(_FORMATS)}.")] = (
        "table"
    ),
    top: Annotated[
        int | None,
        typer.Option(
            "--top",
            min=1,
            help=f"Show only the best so many trials; a table shows {_MOST_ROWS} unless told.",
        ),
    ] = None,
    charts: Annotated[
        bool, typer.Option("--charts/--no-charts", help="Write the charts, PNG and SVG.")
    ] = True,
    all_charts: Annotated[
        bool,
        typer.Option("--all-charts", help="Write further charts too; takes some seconds."),
    ] = False,
    smooth: Annotated[
        int, typer.Option("--smooth", min=0, help="Average learning curves over so many epochs.")
    ] = 0,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write the report as one HTML page, too."),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option("--folder", metavar="DIR", help="Where -o parquet and -o optuna write."),
    ] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of -o json, and nothing else.")
    ] = False,
    tensorboard: opt.TensorboardOption = False,
    results: opt.ResultsOption = DEFAULT_RESULTS,
) -> None:
    """Rank the trials by validation BCE and chart capacity against overfitting."""
    if output not in _FORMATS:
        raise UsageError(f"--output is {output!r}, expected one of: {', '.join(_FORMATS)}")
    if schema:
        _print_schema()
        return
    if (output in _INTO_FOLDER) != (into is not None):
        raise UsageError(f"--folder DIR goes with -o {' and -o '.join(_INTO_FOLDER)}, and only so")
    folder = find_sweep(results, name)
    if name is None:
        hint(f"sweep {folder.name}")
    with unfamiliar(folder):
        frames = load_frames(folder)
        if into is not None:
            _write_files(frames, output, into)
        else:
            _print_report(frames, output, top)
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


def write_logs(folder: SweepFolder) -> None:
    """TensorBoard logs of a sweep, from its records."""
    from sweep.analysis.exchange.tensorboard import write_tensorboard

    folder.refuse_links()
    write_tensorboard(load_frames(folder), folder.tensorboard)
    hint(f"logs in {folder.tensorboard}; see: tensorboard --logdir {folder.tensorboard}")


def load_frames(folder: SweepFolder) -> "SweepFrames":
    """A sweep as it is now. One whose process has died is interrupted.

    Raises DataError when its database is damaged.
    """
    from sweep.analysis.frames.load import load

    with unfamiliar(folder), Store(folder.database, read_only=True) as store:
        died = store.sweep().state is SweepState.RUNNING and folder.holder() is None
        return load(store, SweepState.INTERRUPTED if died else None)


def _print_report(frames: "SweepFrames", output: str, top: int | None) -> None:
    from sweep.analysis.report.terminal import report as rendered
    from sweep.analysis.report.text_files import to_csv, to_markdown
    from sweep.analysis.report.trials_json import to_json

    if output == "table":
        display(rendered(frames, _MOST_ROWS if top is None else top))
        if top is None and len(frames.trials) > _MOST_ROWS:
            hint(f"all trials: sweep report {frames.sweep.name} --top {len(frames.trials)}")
        return
    write = {"json": to_json, "csv": to_csv, "md": to_markdown}[output]
    typer.echo(write(frames, top).rstrip("\n"))


def export(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME [TRIAL]] FILE.keras",
            help="The sweep (the latest when left out), the trial (the best when left out), "
            "and the file to write.",
        ),
    ],
    retrain: Annotated[
        bool,
        typer.Option("--retrain", help="Train it again when its checkpoint has been removed."),
    ] = False,
    other_numerics: opt.OtherNumericsOption = False,
    results: opt.ResultsOption = DEFAULT_RESULTS,
    cache: opt.CacheOption = None,
) -> None:
    """Write a trial's best model as an ordinary Keras file, and verify it."""
    name, trial, path = _export_arguments(arguments)
    folder = find_sweep(results, name)
    with unfamiliar(folder), Store(folder.database, read_only=True) as store:
        sweep = store.sweep()
        trial = _best_trial(store) if trial is None else trial
        found = store.exportable(trial)
    if found is None:
        raise NotFoundError(
            f"sweep {folder.name} has no trained trial {trial}; see: sweep report {folder.name}"
        )
    if found.file is None and not retrain:
        raise NotFoundError(
            f"the checkpoint of trial {trial} has been removed, its records are there; train it "
            f"again, to the same numbers, by: sweep export --retrain {folder.name} {trial} {path}"
        )
    trains = found.file is None and not other_numerics
    numerics = work.Numbers.SAME if trains else work.Numbers.BESIDE
    prepared = work.prepare_again(folder, sweep, cache, False, numerics)
    from sweep.runner.retrain import state_of
    from sweep.training.export import export_best

    if found.file is None:
        hint(f"training trial {trial} again, {found.epochs} epochs …")
    state = state_of(folder, sweep.identity, prepared, trial, found)
    bce = export_best(
        path,
        prepared.space.build,
        found.hyperparameters,
        found.seed,
        state,
        prepared.split.validation,
        found.score,
    )
    hint(f"trial {trial} of {folder.name}, epoch {state.early_stopping.best_epoch}:")
    out().print(f"{path}: validation BCE {bce:.6f}, as recorded")


def _export_arguments(arguments: list[str]) -> tuple[str | None, int | None, Path]:
    *rest, file = arguments
    path = Path(file)
    if path.suffix != ".keras" or len(rest) > 2:
        raise UsageError(
            "expected: sweep export [NAME [TRIAL]] FILE.keras; "
            f"got: sweep export {' '.join(arguments)}"
        )
    if not path.parent.is_dir():
        raise UsageError(f"folder {path.parent} does not exist; make it first")
    if len(rest) == 2 and not rest[1].isdigit():
        raise UsageError(f"TRIAL is {rest[1]!r}, expected a number as in the report's column")
    return (rest[0] if rest else None), (int(rest[1]) if len(rest) == 2 else None), path


def _best_trial(store: Store) -> int:
    best = store.progress().best_trial
    if best is None:
        raise NotFoundError("no trial has been evaluated yet")
    return best


def _row(folder: SweepFolder) -> list[str]:
    try:
        with unfamiliar(folder):
            with Store(folder.database, read_only=True) as store:
                sweep, progress = store.sweep(), store.progress()
            total = sweep.plan.all_assignments
            cells = [
                sweep.space.name,
                sweep.data.source,
                _state(folder, sweep),
                f"{progress.assignments_done}/{total}",
                _best(progress),
                datetime.fromtimestamp(sweep.created_at).strftime("%Y-%m-%d %H:%M"),
            ]
    except SweepError as error:
        cells = ["", "", f"damaged: {error}", "", "", ""]
    return [folder.name, *map(clean, cells)]


def _best(progress: Progress) -> str:
    if progress.best_score is None:
        return "none yet"
    return f"{progress.best_score:.4f} (trial {progress.best_trial})"


def _state(folder: SweepFolder, sweep: SweepRow) -> str:
    """The stored state, but for a sweep whose process has died."""
    holder = folder.holder()
    if holder is not None:
        return f"{SweepState.RUNNING}, {clean(holder)}"
    return SweepState.INTERRUPTED if sweep.state is SweepState.RUNNING else sweep.state
