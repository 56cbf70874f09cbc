"""sweep show: everything about one trial."""

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
from sweep.sweep_folder import DEFAULT_RESULTS, SweepFolder

if TYPE_CHECKING:
    from sweep.analysis.answers.one_trial import Details

_CURVE_WIDTH = 60
"""Characters of the curve of validation scores."""


def show(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME] TRIAL",
            autocompletion=completion.sweep_then_trials,
            help="The sweep (by default the newest) and the trial: a number or a baseline's name.",
        ),
    ],
    output: opt.TableOrJsonOption = "table",
    results: opt.ResultsOption = DEFAULT_RESULTS,
) -> None:
    """Show everything about one trial."""
    name, (called,) = split_arguments("show [NAME] TRIAL", arguments, 1)
    folder = open_sweep(results, name, output)
    from sweep.analysis.answers import one_trial

    with Store(folder.database, read_only=True) as store:
        trial = trial_called(store, called)
        frames = load_frames(folder)
        found = one_trial.details(store, frames, trial)
    if output == "json":
        print_json(found.to_json(), frames.sweep.scoring)
    else:
        _print_details(found, folder, frames.sweep.data.is_unseen)


_OF_EPOCHS = frozenset(("params", "best epoch", "onset", "epochs"))
"""What is not known of a trial that a script's own `run_trial` trains."""


def _print_details(found: "Details", folder: SweepFolder, is_unseen: bool) -> None:
    from sweep.analysis.answers.one_trial import reason, sparkline
    from sweep.analysis.answers.two_trials import label

    row, best, shown = found.row, found.best, found.shown
    rank = f"rank {row['rank']} of {found.n_trials:,}"
    lines = [("trial", f"{label(row)} of sweep {found.sweep}, {rank}")]
    values = row["hyperparameters"]
    given = [name for name in found.names if name in values]
    settings = [f"{words.plain(name)}={words.settings([values[name]])[0]}" for name in given]
    lines.append(("settings", ", ".join(settings)))
    lines.append(("seed", str(row["seed"])))
    left_out = {"rank", "class", "gap"} | (_OF_EPOCHS if is_unseen else set())
    lines += [line for line in results_of(row, shown) if line[0] not in left_out]
    lines.append(("gap", shown.gap_with_error(row["gap"], found.gap_se)))
    why = reason(found)
    lines.append(("class", f"{row['class']}: {why}" if why else words.MISSING))
    if best is not None:
        for name, column in (("accuracy", "val_accuracy"), ("AUC", "val_auc")):
            if best[column] == best[column] and shown.short != name:  # an amount has neither
                lines.append((name, f"{best[column]:.3f}"))
        for name, value in row["metrics"].items():
            shown_value = words.MISSING if value is None else words.amount(value)
            is_ours = any(name == taken for taken, _ in lines)
            lines.append((words.cut(f"model's {name}" if is_ours else name), shown_value))
        if best["learning_rate"] == best["learning_rate"]:
            lines.append(("rate", f"{best['learning_rate']:.3g} after the best epoch"))
    curve = sparkline(shown.shown_all(found.epochs["val_score"].to_numpy()), _CURVE_WIDTH)
    if curve and not is_unseen:
        lines.append((f"{shown.val} by epoch", curve))
    kept = folder.checkpoints / found.checkpoint if found.checkpoint else "none"
    lines.append(("checkpoint", str(kept)))
    width = max(len(name) for name, _ in lines)
    for name, line in lines:
        out().print(f"{name:<{width}}  {line}", soft_wrap=True)
    _print_rungs(found)


def _print_rungs(found: "Details") -> None:
    import pandas as pd

    table = Table(box=None, pad_edge=False)
    has_rungs = found.row["baseline"] is not None or not pd.isna(found.row["rung"])
    headings = ("epochs", "trained", "status", f"best {found.shown.val}", "trainer", "seconds")
    has_workers = any(one["worker"] is not None for one in found.rungs)
    shown = (*(["rung"] if has_rungs else []), *headings, *(["worker"] if has_workers else []))
    for heading in shown:
        table.add_column(heading, justify="left" if heading in ("status", "trainer") else "right")
    for one in found.rungs:
        score, seconds = one["score"], one["seconds"]
        table.add_row(
            *([str(one["rung"])] if has_rungs else []),
            f"{one['first_epoch'] + 1}–{one['last_epoch']}",
            str(one["epochs"]),
            one["status"],
            words.MISSING if score is None else found.shown.score(score),
            one["trainer"] or words.MISSING,
            words.MISSING if seconds is None else words.seconds(seconds),
            *([words.count(one["worker"])] if has_workers else []),
        )
    out().print()
    display(table)
    for one in found.rungs:
        if one["error"]:
            where = f" in rung {one['rung']}" if has_rungs else ""
            out().print(f"\nerror{where}: {words.plain(one['error'])}")
            for line in (one["traceback"] or "").splitlines():
                out().print(f"  {words.plain(line)}", soft_wrap=True)
