"""sweep compare: two trials side by side."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from sweep import words
from sweep.analysis.report.trial_results import results_of
from sweep.analysis.stored import load_frames, trial_called
from sweep.cli import completion
from sweep.cli import options as opt
from sweep.cli.output import display, out
from sweep.cli.trial_lines import open_sweep, print_json, split_arguments
from sweep.store import Store
from sweep.sweep_folder import DEFAULT_RESULTS

if TYPE_CHECKING:
    from sweep.analysis.answers.two_trials import Comparison


def compare(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME] A B",
            autocompletion=completion.sweep_then_trials,
            help="The sweep (by default the newest) and two trials: numbers or baselines' names.",
        ),
    ],
    output: opt.TableOrJsonOption = "table",
    results: opt.ResultsOption = DEFAULT_RESULTS,
) -> None:
    """Compare two trials: their paired difference and its interval. Settings stand side by side."""
    name, called = split_arguments("compare [NAME] A B", arguments, 2)
    folder = open_sweep(results, name, output)
    from sweep.analysis.answers import two_trials as comparing

    with Store(folder.database, read_only=True) as store:
        a, b = (trial_called(store, text) for text in called)
        frames, losses = load_frames(folder), store.losses()
    found = comparing.compare(frames, losses, a, b)
    if output == "json":
        print_json(found.to_json(), frames.sweep.scoring)
    else:
        _print_comparison(found)


def _results(found: "Comparison") -> list[list[tuple[str, str]]]:
    return [results_of(row, found.shown) for row in (found.a, found.b)]


def _print_comparison(found: "Comparison") -> None:
    from sweep.analysis.answers.two_trials import label, meaning
    from sweep.analysis.frames.names import shown_name

    for line in meaning(found):
        out().print(line)
    if found.difference is not None:
        gone, shown = found.difference, found.shown
        ends = shown.interval_of_difference(gone.low, gone.high, gone.se)
        value = shown.signed(gone.value, gone.se)
        out().print(f"A − B in {shown.val}: {value}, 95 % interval over the rows {ends}.")
    table = Table(box=None, pad_edge=False)
    for heading in ("", f"A: {label(found.a)}", f"B: {label(found.b)}", ""):
        table.add_column(heading)
    for (name, one), (_, other) in zip(*_results(found), strict=True):
        table.add_row(name, one, other)
    a, b = found.a["hyperparameters"], found.b["hyperparameters"]
    for name in found.names:
        one, other = words.settings([a.get(name), b.get(name)])
        table.add_row(shown_name(name), one, other, "≠" if name in found.differing else "")
    out().print()
    display(table)
