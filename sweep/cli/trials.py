"""Commands that look at single trials: compare, show. Neither starts TensorFlow."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from sweep.cli import options as opt
from sweep.cli.inspect import load_frames
from sweep.cli.output import display, hint, out, unfamiliar
from sweep.errors import UsageError
from sweep.store import Store
from sweep.sweep_folder import DEFAULT_RESULTS, SweepFolder, find_sweep

if TYPE_CHECKING:
    from sweep.analysis.answers.one_trial import Details
    from sweep.analysis.answers.two_trials import Comparison

_FORMATS = ("table", "json")
_LABEL_WIDTH = 11
_CURVE_WIDTH = 60

OutputOption = Annotated[str, typer.Option("--output", "-o", help="table or json.")]


def register(app: typer.Typer) -> None:
    app.command("compare")(compare)
    app.command("show")(show)


def compare(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME] A B", help="The sweep (the latest when left out) and two trials."
        ),
    ],
    output: OutputOption = "table",
    results: opt.ResultsOption = DEFAULT_RESULTS,
) -> None:
    """Compare two trials: the paired difference with its interval, settings side by side."""
    name, (a, b) = _arguments("compare [NAME] A B", arguments, 2)
    folder = _folder(results, name, output)
    from sweep.analysis.answers import two_trials as comparing

    frames = load_frames(folder)
    with unfamiliar(folder):
        with Store(folder.database, read_only=True) as store:
            found = comparing.compare(frames, store.losses(), a, b)
        if output == "json":
            _print_json(found.to_json())
        else:
            _print_comparison(found)


def show(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME] TRIAL", help="The sweep (the latest when left out) and the trial."
        ),
    ],
    output: OutputOption = "table",
    results: opt.ResultsOption = DEFAULT_RESULTS,
) -> None:
    """Show everything about one trial."""
    name, (trial,) = _arguments("show [NAME] TRIAL", arguments, 1)
    folder = _folder(results, name, output)
    from sweep.analysis.answers import one_trial

    frames = load_frames(folder)
    with unfamiliar(folder):
        with Store(folder.database, read_only=True) as store:
            found = one_trial.details(store, frames, trial)
        if output == "json":
            _print_json(found.to_json())
        else:
            _print_details(found, folder)


def _arguments(usage: str, given: Sequence[str], n_trials: int) -> tuple[str | None, list[int]]:
    """The sweep's name, if it was given, and the trials' numbers."""
    numbers = given[-n_trials:]
    if len(given) not in (n_trials, n_trials + 1):
        raise UsageError(f"expected: sweep {usage}; got: {' '.join(given)}")
    for number in numbers:
        if not number.isdecimal():
            raise UsageError(f"{number!r} is no trial, expected a number as in the report's column")
    name = given[0] if len(given) > n_trials else None
    return name, [int(number) for number in numbers]


def _folder(results: opt.ResultsOption, name: str | None, output: str) -> SweepFolder:
    if output not in _FORMATS:
        raise UsageError(f"--output is {output!r}, expected one of: {', '.join(_FORMATS)}")
    folder = find_sweep(results, name)
    if name is None:
        hint(f"sweep {folder.name}")
    return folder


def _print_json(value: Any) -> None:
    from sweep.analysis.report.trials_json import json_line

    typer.echo(json_line(value))


def _print_comparison(found: "Comparison") -> None:
    from sweep import words
    from sweep.analysis.answers.two_trials import label, meaning

    for line in meaning(found):
        out().print(line)
    if found.difference is not None:
        gone = found.difference
        places = words.decimals_of(gone.se)
        low, high = words.bce(gone.low, places), words.bce(gone.high, places)
        shown = words.with_error(gone.value, gone.se, places)
        out().print(f"A − B in val BCE: {shown}, 95 % interval {low} to {high}.")
    table = Table(box=None, pad_edge=False)
    for heading in ("", f"A: {label(found.a)}", f"B: {label(found.b)}", ""):
        table.add_column(heading)
    for (name, one), (_, other) in zip(_described(found.a), _described(found.b), strict=True):
        table.add_row(name, one, other)
    a, b = found.a["hyperparameters"], found.b["hyperparameters"]
    for name in found.names:
        one, other = words.settings([a.get(name), b.get(name)])
        table.add_row(words.plain(name), one, other, "≠" if name in found.differing else "")
    out().print()
    display(table)


def _described(row: Any) -> list[tuple[str, str]]:
    """A trial's results, label and text: of two trials, or of one."""
    from sweep import words
    from sweep.analysis.frames.status import standing

    places = words.decimals_of(float(row["val_bce_se"]))
    return [
        ("rank", words.count(row["rank"])),
        ("params", _count(row["params"])),
        ("val BCE", words.with_error(row["val_bce"], row["val_bce_se"], places)),
        ("train BCE", words.bce(row["train_bce"], places)),
        ("gap", words.bce(row["gap"], places)),
        ("tied", {True: "with the best", False: "no", None: words.MISSING}[row["tied"]]),
        ("class", row["class"] or words.MISSING),
        ("best epoch", _count(row["best_epoch"])),
        ("onset", _count(row["onset_epoch"])),
        ("epochs", words.count(row["epochs"])),
        ("status", standing(row["status"], row["epochs"])),
    ]


def _count(value: Any) -> str:
    import pandas as pd

    from sweep import words

    return words.count(None if pd.isna(value) else int(value))


def _print_details(found: "Details", folder: SweepFolder) -> None:
    from sweep import words
    from sweep.analysis.answers.one_trial import reason, sparkline
    from sweep.analysis.answers.two_trials import label

    row, best = found.row, found.best
    rank = f"rank {row['rank']} of {found.n_trials:,}"
    lines = [("trial", f"{label(row)} of sweep {found.sweep}, {rank}")]
    values = row["hyperparameters"]
    given = [name for name in found.names if name in values]
    shown = [f"{words.plain(name)}={words.settings([values[name]])[0]}" for name in given]
    lines.append(("settings", ", ".join(shown)))
    lines.append(("seed", str(row["seed"])))
    lines += [line for line in _described(row) if line[0] not in ("rank", "class", "gap")]
    gap = words.with_error(row["gap"], found.gap_se, words.decimals_of(found.gap_se))
    lines.append(("gap", gap))
    why = reason(found)
    lines.append(("class", f"{row['class']}: {why}" if why else words.MISSING))
    if best is not None:
        lines.append(("accuracy", f"{best['val_accuracy']:.3f}"))
        lines.append(("AUC", f"{best['val_auc']:.3f}"))
        lines.append(("rate", f"{best['learning_rate']:.3g} after the best epoch"))
    curve = sparkline(found.epochs["val_bce"].to_numpy(), _CURVE_WIDTH)
    if curve:
        lines.append(("val BCE by epoch", curve))
    kept = folder.checkpoints / found.checkpoint if found.checkpoint else "none"
    lines.append(("checkpoint", str(kept)))
    width = max(len(name) for name, _ in lines)
    for name, line in lines:
        out().print(f"{name:<{width}}  {line}", soft_wrap=True)
    _print_rungs(found)


def _print_rungs(found: "Details") -> None:
    from sweep import words

    table = Table(box=None, pad_edge=False)
    for heading in ("rung", "epochs", "trained", "status", "best val BCE", "trainer", "seconds"):
        table.add_column(heading, justify="left" if heading in ("status", "trainer") else "right")
    for one in found.rungs:
        score, seconds = one["score"], one["seconds"]
        table.add_row(
            str(one["rung"]),
            f"{one['first_epoch'] + 1}–{one['last_epoch']}",
            str(one["epochs"]),
            one["status"],
            words.MISSING if score is None else words.bce(score),
            one["trainer"] or words.MISSING,
            words.MISSING if seconds is None else words.seconds(seconds),
        )
    out().print()
    display(table)
    for one in found.rungs:
        if one["error"]:
            out().print(f"\nerror in rung {one['rung']}: {words.plain(one['error'])}")
            for line in (one["traceback"] or "").splitlines():
                out().print(f"  {words.plain(line)}", soft_wrap=True)
