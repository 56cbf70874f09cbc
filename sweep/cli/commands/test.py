"""sweep test: one trial on rows that no trial was chosen by."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from sweep.cli import completion
from sweep.cli import options as opt
from sweep.cli import output as printing
from sweep.cli.output import display, out
from sweep.errors import NotFoundError
from sweep.records import Json
from sweep.sweep_folder import DEFAULT_RESULTS, SweepFolder, find_sweep
from sweep.verbs.testing import OpenedTestRows, open_test_rows
from sweep.words import counted

if TYPE_CHECKING:
    from sweep.analysis.answers.chosen_trials import Choice


def test(
    name: opt.NameArgument = None,
    rule: Annotated[
        str,
        typer.Option(
            "--rule",
            autocompletion=completion.values("best", "simplest"),
            help="Which trial to test: best, or simplest (of those that are tied with the best). "
            "The best is that with the lowest mean of expected scores over seeds, and its run with "
            "the lowest seed number is tested; before `sweep confirm`, the best of those trained "
            "in full.",
        ),
    ] = "best",
    trial: Annotated[
        int | None,
        typer.Option(
            "--trial",
            min=0,
            autocompletion=completion.trials,
            help="Number of the trial whose own run is tested, in place of --rule.",
        ),
    ] = None,
    ensemble: opt.EnsembleOption = False,
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
    folder = _sweep(results, name)
    opened = open_test_rows(
        folder,
        printing,
        rule=rule,
        trial=trial,
        ensemble=ensemble,
        again=again,
        stored_space=stored_space,
        other_numerics=other_numerics,
        cache=cache,
    )
    _show(folder.address, opened, output)


def _sweep(results: Path, name: str | None) -> SweepFolder:
    """The sweep called `name`, or the newest. A number may be meant for a trial's."""
    try:
        return find_sweep(results, name)
    except NotFoundError as error:
        if name is None or not name.isdecimal():
            raise
        meant = f"to test trial {name} of the newest sweep: sweep test --trial {name}"
        raise NotFoundError(f"{error}; {meant}") from error


def _show(address: str, opened: OpenedTestRows, output: str) -> None:
    from sweep.analysis.report import openings as ledger
    from sweep.analysis.report.commands import export_command

    openings, found = opened.openings, opened.taken
    last, shown = openings[-1], found.shown
    if output == "json":
        from sweep.cli.trial_lines import print_json

        object_ = {
            "schema": "sweep.test/1",
            "test": ledger.to_json(openings),
            "choice": _choice(found.choice, ensemble=found.ensemble),
        }
        print_json(object_, opened.scoring)
        return
    table = Table(box=None, pad_edge=False)
    table.add_column(f"trial {last.of_trial}")
    table.add_column("value", justify="right")
    table.add_column("95 % confidence interval")
    for row in (*ledger.chosen_rows(found.choice, last, shown), *ledger.rows(last, shown)):
        table.add_row(*row)
    display(table)
    rows = counted(last.rows, "test row")
    out().print(f"\n{rows}; {ledger.lines(openings, shown)[0]}")
    reason = ledger.reason(found.choice, shown, ensemble=found.ensemble)
    command = export_command(address, found.choice, ensemble=found.ensemble)
    out().print(f"Tested was trial {last.of_trial}: {reason}. To have it: {command}")


def _choice(choice: "Choice", *, ensemble: bool) -> Json:
    runs = choice.runs if ensemble else (choice.run,)
    return {
        "trial": choice.trial,
        "runs": [run.trial for run in runs],
        "seed_numbers": [run.seed_number for run in runs],
        "run_val_score": [run.val_score for run in runs],
        "mean_val_score": choice.mean,
        "seeds": len(choice.runs) if choice.mean is not None else None,
    }
