"""sweep extend: more iterations, brackets, epochs or trials for a finished sweep."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from sweep.cli import options as opt
from sweep.cli import output, work
from sweep.cli.output import display, hint, out, warn
from sweep.cli.rung_table import rung_table
from sweep.cli.stopping import Stopping
from sweep.errors import UsageError
from sweep.records import PlannedRung, SweepState
from sweep.runner.cold_start import prepare_again
from sweep.runner.longer import longer
from sweep.runner.same_numbers import AllowedNumbers
from sweep.settings import Budget
from sweep.store import Store
from sweep.sweep_folder import DEFAULT_RESULTS, find_sweep
from sweep.words import counted

if TYPE_CHECKING:
    from sweep.runner.prepare import Prepared


def extend(
    name: opt.NameArgument = None,
    max_epochs: Annotated[
        int | None,
        typer.Option(
            "--max-epochs",
            min=1,
            help="Train the best trials of each bracket further, up to this epoch.",
        ),
    ] = None,
    add_iterations: Annotated[
        int,
        typer.Option(
            "--add-iterations",
            min=0,
            help="Number of times to run all of Hyperband's brackets again.",
        ),
    ] = 0,
    add_brackets: Annotated[
        int,
        typer.Option(
            "--add-brackets", min=0, help="Number of brackets to add, in Hyperband's order."
        ),
    ] = 0,
    trials: Annotated[
        int | None,
        typer.Option(
            "--trials",
            min=1,
            help="Number of configurations in all, of a search other than hyperband.",
        ),
    ] = None,
    trial: Annotated[
        list[int] | None,
        typer.Option(
            "--trial",
            min=0,
            help="Train just this trial on, to --max-epochs; may be given several times.",
        ),
    ] = None,
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
    pool: opt.PoolOption = None,
    mixed: opt.MixedOption = False,
    verbose: opt.VerboseOption = False,
    results: opt.ResultsOption = DEFAULT_RESULTS,
    cache: opt.CacheOption = None,
) -> None:
    """Add iterations, brackets, epochs or trials to a finished sweep. Nothing is trained twice."""
    work.log_to_stderr(verbose)
    workers = opt.workers_of(pool, mixed)
    folder = find_sweep(results, name)
    budget = work.budget(max_time, max_trials, target, max_failures)
    with Stopping() as stopping, folder.locked() as lock:
        stopping.attend(folder, lock)
        with Store(folder.database) as store:
            sweep = store.sweep()
        if sweep.state is not SweepState.FINISHED:
            raise UsageError(
                f"sweep {folder.name} {sweep.state.said}, and only a finished one can be extended; "
                f"continue it with: sweep resume {folder.address}"
            )
        if trial and (add_iterations or add_brackets or trials is not None):
            raise UsageError(
                "--trial trains chosen trials on, and adds nothing else; leave out "
                "--add-iterations, --add-brackets and --trials"
            )
        if trial and max_epochs is None:
            raise UsageError("--trial needs --max-epochs: the epoch to which to train on")
        numbers = AllowedNumbers.asked(other_numerics)
        before = prepare_again(folder, sweep, cache, stored_space, say=output, numbers=numbers)
        if trial and max_epochs is not None:
            with Store(folder.database) as store:
                added = longer(store, folder.name, trial, max_epochs)
                hint(
                    f"{counted(len(added.planned), 'trial')} to train on to epoch {max_epochs}: "
                    f"{counted(added.epochs, 'epoch')} at most"
                )
                if dry_run:
                    return
                added.store(store)
            work.run(folder, before, budget, stopping, tensorboard, workers)
            return
        from sweep.runner.extend import extended

        after = extended(before, max_epochs, add_iterations, add_brackets, trials)
        for line in after.concerns:
            warn(line)
        _print_added(folder.name, before, after)
        if dry_run:
            return
        with Store(folder.database) as store:
            store.extend(after.settings, after.plan_record())
        work.run(folder, after, budget, stopping, tensorboard, workers)


def _print_added(name: str, before: "Prepared", after: "Prepared") -> None:
    console = out()
    display(rung_table(_added(before.plan.rungs, after.plan.rungs)))
    old, new = before.plan_record(), after.plan_record()
    trials, epochs = old.trials or 0, old.epochs or 0
    new_trials, new_epochs = (new.trials or 0) - trials, (new.epochs or 0) - epochs
    longer = new.baseline_epochs - old.baseline_epochs
    runs = f"{counted(new.assignments - old.assignments, 'assignment')}, "
    repeats = new.confirmations - old.confirmations
    if not after.settings.has_rungs:
        runs = f"{counted(repeats, 'more run')} of these with other seeds, " if repeats else ""
    console.print(
        f"\n{counted(new_trials, 'new trial')}, {runs}"
        f"{counted(new_epochs, 'epoch')} at most; "
        f"{counted(longer, 'more epoch')} of the baselines"
    )
    there = f"{counted(trials, 'trial')}, {counted(epochs, 'epoch')}"
    hint(f"planned for sweep {name} before: {there}")


def _added(before: Sequence[PlannedRung], after: Sequence[PlannedRung]) -> list[PlannedRung]:
    """Return the rungs that are new; of one that has more trials than before, these alone."""
    known = {replace(rung, trials=0): rung.trials for rung in before}
    more = [
        replace(rung, trials=rung.trials - known.get(replace(rung, trials=0), 0)) for rung in after
    ]
    return [rung for rung in more if rung.trials]
