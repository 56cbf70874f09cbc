"""sweep extend: more iterations, more brackets or more epochs for a finished sweep."""

from typing import TYPE_CHECKING, Annotated

import typer

from sweep.cli import options as opt
from sweep.cli import work
from sweep.cli.output import display, hint, out
from sweep.cli.search import rung_table
from sweep.cli.stopping import Stopping
from sweep.errors import UsageError
from sweep.records import SweepState
from sweep.settings import Budget
from sweep.store import Store
from sweep.sweep_folder import DEFAULT_RESULTS, find_sweep
from sweep.words import counted

if TYPE_CHECKING:
    from sweep.runner.prepare import Prepared


def register(app: typer.Typer) -> None:
    app.command("extend")(extend)


def extend(
    name: opt.NameArgument = None,
    max_epochs: Annotated[
        int | None,
        typer.Option("--max-epochs", min=1, help="Train the best of each bracket on, up to here."),
    ] = None,
    add_iterations: Annotated[
        int, typer.Option("--add-iterations", min=0, help="So many whole Hyperbands more.")
    ] = 0,
    add_brackets: Annotated[
        int, typer.Option("--add-brackets", min=0, help="So many brackets more, in their order.")
    ] = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be added.")
    ] = False,
    stored_space: opt.StoredSpaceOption = False,
    other_numerics: opt.OtherNumericsOption = False,
    max_time: opt.MaxTimeOption = None,
    max_trials: opt.MaxTrialsOption = None,
    target: opt.TargetOption = None,
    max_failures: opt.MaxFailuresOption = Budget.max_failures,
    tensorboard: opt.TensorboardOption = False,
    verbose: opt.VerboseOption = False,
    results: opt.ResultsOption = DEFAULT_RESULTS,
    cache: opt.CacheOption = None,
) -> None:
    """Add iterations, brackets or epochs to a finished sweep; all it has trained is used on."""
    work.log_to_stderr(verbose)
    folder = find_sweep(results, name)
    budget = work.budget(max_time, max_trials, target, max_failures)
    with Stopping() as stopping, folder.locked() as lock:
        stopping.attend(folder, lock)
        with Store(folder.database) as store:
            sweep = store.sweep()
        if sweep.state is not SweepState.FINISHED:
            raise UsageError(
                f"sweep {folder.name} is {sweep.state}, only a finished one can be extended; "
                f"go on with it by: sweep resume {folder.name}"
            )
        before = work.prepare_again(
            folder, sweep, cache, stored_space, work.Numbers.asked(other_numerics)
        )
        from sweep.runner.extend import extended

        after = extended(before, max_epochs, add_iterations, add_brackets)
        _print_added(folder.name, before, after)
        if dry_run:
            return
        with Store(folder.database) as store:
            store.extend(after.settings, after.plan_record())
        work.run(folder, after, budget, stopping, tensorboard)


def _print_added(name: str, before: "Prepared", after: "Prepared") -> None:
    known = set(before.plan.rungs)
    console = out()
    display(rung_table([rung for rung in after.plan.rungs if rung not in known]))
    old, new = before.plan_record(), after.plan_record()
    trials, epochs = old.trials or 0, old.epochs or 0
    new_trials, new_epochs = (new.trials or 0) - trials, (new.epochs or 0) - epochs
    longer = new.baseline_epochs - old.baseline_epochs
    console.print(
        f"\n{counted(new_trials, 'new trial')}, "
        f"{counted(new.assignments - old.assignments, 'assignment')}, "
        f"{counted(new_epochs, 'epoch')} at most; {longer:,} more of the baselines"
    )
    there = f"{counted(trials, 'trial')} in {counted(epochs, 'epoch')}"
    hint(f"sweep {name}: {there} are there already")
