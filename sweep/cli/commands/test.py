"""sweep test: the chosen trial on rows that nobody has seen, once."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from sweep.cli import options as opt
from sweep.cli import work
from sweep.cli.inspect import load_frames
from sweep.cli.output import display, hint, out, unfamiliar
from sweep.errors import NotFoundError, UsageError
from sweep.store import Opening, Store
from sweep.sweep_folder import DEFAULT_RESULTS, SweepFolder, find_sweep

if TYPE_CHECKING:
    from sweep.analysis.frames.load import SweepFrames

_FORMATS = ("table", "json")


def register(app: typer.Typer) -> None:
    app.command("test")(test)


def test(
    name: opt.NameArgument = None,
    rule: Annotated[
        str, typer.Option("--rule", help="best, or simplest: of those as good as the best.")
    ] = "best",
    trial: Annotated[
        int | None, typer.Option("--trial", min=0, help="This trial instead of one by rule.")
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Open the test rows once more; every report will say so."),
    ] = False,
    output: Annotated[str, typer.Option("--output", "-o", help="table or json.")] = "table",
    stored_space: opt.StoredSpaceOption = False,
    other_numerics: opt.OtherNumericsOption = False,
    results: opt.ResultsOption = DEFAULT_RESULTS,
    cache: opt.CacheOption = None,
) -> None:
    """Evaluate one trial on the sealed test rows; made to be done once."""
    if output not in _FORMATS:
        raise UsageError(f"--output is {output!r}, expected one of: {', '.join(_FORMATS)}")
    from sweep.analysis.answers.which_trials import RULES

    if rule not in RULES:
        raise UsageError(f"--rule is {rule!r}, expected one of: {', '.join(RULES)}")
    folder = find_sweep(results, name)
    with folder.locked(), Store(folder.database) as store:
        _refuse_again(folder, store, again)
        if trial is None:
            trial = _chosen(load_frames(folder), rule)
        else:
            rule = "trial"
        with unfamiliar(folder):
            found = store.exportable(trial)
        if found is None:
            raise NotFoundError(
                f"sweep {folder.name} has no trained trial {trial}; see: sweep report {folder.name}"
            )
        prepared = work.prepare_again(
            folder, store.sweep(), cache, stored_space, work.Numbers.asked(other_numerics)
        )
        from sweep.runner.test_rows import open_test

        if found.file is None:
            hint(f"training trial {trial} again, {found.epochs} epochs …")
        hint(f"opening the test rows for trial {trial} of sweep {folder.name}")
        open_test(folder, store, prepared, trial, found, rule, cache)
        openings = store.openings()
    _show(openings, output)


def _refuse_again(folder: SweepFolder, store: Store, again: bool) -> None:
    with unfamiliar(folder):
        openings = store.openings()
    if openings and not again:
        from sweep.analysis.report.ledger import when

        last = openings[-1]
        raise UsageError(
            f"the test rows of sweep {folder.name} were opened for trial {last.trial} on "
            f"{when(last)}, see: sweep report {folder.name}; once more, as every report will say, "
            "with --again"
        )


def _chosen(frames: "SweepFrames", rule: str) -> int:
    from sweep.analysis.answers.which_trials import chosen

    trial = chosen(frames, rule)
    if trial is None:
        raise NotFoundError(f"sweep {frames.sweep.name} has no trial that is {rule} yet")
    return trial


def _show(openings: list[Opening], output: str) -> None:
    from sweep import words
    from sweep.analysis.report import ledger

    last = openings[-1]
    if output == "json":
        from sweep.analysis.report.trials_json import json_line

        typer.echo(json_line({"schema": "sweep.test/1", "test": ledger.to_json(openings)}))
        return
    table = Table(box=None, pad_edge=False)
    table.add_column(f"trial {last.trial}")
    table.add_column("value", justify="right")
    table.add_column("95 % confidence interval")
    table.add_row("validation BCE", words.bce(last.val_bce), "it was chosen by this")
    for row in ledger.rows(last):
        table.add_row(*row)
    display(table)
    out().print(f"\n{last.rows:,} test rows; {ledger.lines(openings)[0]}")
