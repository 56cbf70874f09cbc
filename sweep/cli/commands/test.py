"""sweep test: one trial on rows that no trial was chosen by."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from sweep.cli import completion
from sweep.cli import options as opt
from sweep.cli import output as printing
from sweep.cli.look import load_frames
from sweep.cli.output import display, hint, out
from sweep.errors import NotFoundError, UsageError
from sweep.runner.cold_start import prepare_again
from sweep.runner.same_numbers import Numbers
from sweep.store import Opening, Store
from sweep.sweep_folder import DEFAULT_RESULTS, SweepFolder, find_sweep
from sweep.words import counted

if TYPE_CHECKING:
    from sweep.analysis.frames.load import SweepFrames


def test(
    name: opt.NameArgument = None,
    rule: Annotated[
        str,
        typer.Option(
            "--rule",
            autocompletion=completion.values("best", "simplest"),
            help="Which trial to test: best, or simplest (of those that are tied with the best).",
        ),
    ] = "best",
    trial: Annotated[
        int | None,
        typer.Option(
            "--trial",
            min=0,
            autocompletion=completion.trials,
            help="Number of the trial to test, in place of --rule.",
        ),
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Open the test rows again; every report will say so."),
    ] = False,
    output: opt.TableOrJsonOption = "table",
    stored_space: opt.StoredSpaceOption = False,
    other_numerics: opt.OtherNumericsOption = False,
    results: opt.ResultsOption = DEFAULT_RESULTS,
    cache: opt.CacheOption = None,
) -> None:
    """Evaluate one trial on the sealed test rows. Meant to be done once."""
    opt.check_output(output, opt.TABLE_OR_JSON)
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
        found = store.exportable(trial)
        if found is None:
            raise NotFoundError(
                f"sweep {folder.name} has no trained trial {trial}; see: sweep report {folder.name}"
            )
        numbers, sweep = Numbers.asked(other_numerics), store.sweep()
        prepared = prepare_again(folder, sweep, cache, stored_space, say=printing, numbers=numbers)
        from sweep.runner.test_rows import open_test

        if found.file is None:
            hint(f"training trial {trial} again, {counted(found.epochs, 'epoch')} …")
        hint(f"opening the test rows for trial {trial} of sweep {folder.name}")
        open_test(folder, store, prepared, trial, found, rule, cache)
        openings = store.openings()
    _show(openings, output)


def _refuse_again(folder: SweepFolder, store: Store, again: bool) -> None:
    openings = store.openings()
    if openings and not again:
        from sweep.analysis.report.ledger import when

        last = openings[-1]
        raise UsageError(
            f"the test rows of sweep {folder.name} were opened for trial {last.trial} on "
            f"{when(last)}, see: sweep report {folder.name}; to open them again, "
            "which every report will say, add --again"
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
