"""Commands that search: spaces, plan, start, resume, stop."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from sweep.cli import options as opt
from sweep.cli import work
from sweep.cli.commands.confirm import go_on
from sweep.cli.output import clean, display, duration, hint, out
from sweep.cli.stopping import Stopping
from sweep.errors import DataError, LockedError, PlatformError, UsageError
from sweep.records import SweepState
from sweep.settings import Budget, Settings
from sweep.space import find as spaces
from sweep.store import Store
from sweep.sweep_folder import DEFAULT_RESULTS, SweepFolder, find_sweep, free_name, new_folder
from sweep.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweep.records import PlannedRung
    from sweep.runner.estimate import Survey
    from sweep.runner.prepare import Prepared

_DEFAULT = Settings()
_STOP_PATIENCE_SECONDS = 30


def register(app: typer.Typer) -> None:
    for command in (list_spaces, plan, start, resume, stop):
        name = "spaces" if command is list_spaces else command.__name__
        app.command(name)(command)


def list_spaces() -> None:
    """List the search spaces that ship with the program."""
    table = Table(box=None, pad_edge=False)
    for column in ("space", "what it covers", "file"):
        table.add_column(column)
    for stem, path in spaces.shipped_spaces().items():
        table.add_row(stem, spaces.summary(path), str(path))
    display(table)


def plan(
    space: opt.SpaceArgument,
    max_epochs: opt.MaxEpochsOption = _DEFAULT.max_epochs,
    factor: opt.FactorOption = _DEFAULT.factor,
    iterations: opt.IterationsOption = _DEFAULT.iterations,
    seed: opt.SeedOption = _DEFAULT.seed,
    seeds: opt.SeedsOption = _DEFAULT.seeds,
    data: opt.DataOption = _DEFAULT.data,
    train_rows: opt.TrainRowsOption = _DEFAULT.train_rows,
    validation_rows: opt.ValidationRowsOption = _DEFAULT.validation_rows,
    test_rows: opt.TestRowsOption = _DEFAULT.test_rows,
    batch_size: opt.BatchSizeOption = _DEFAULT.batch_size,
    trainer: opt.TrainerOption = _DEFAULT.trainer,
    baselines: opt.BaselinesOption = _DEFAULT.baselines,
    cache: opt.CacheOption = None,
) -> None:
    """Show what a search would run, and about how long it takes."""
    settings = Settings(
        max_epochs=max_epochs,
        factor=factor,
        iterations=iterations,
        seed=seed,
        seeds=seeds,
        data=data,
        train_rows=train_rows,
        validation_rows=validation_rows,
        test_rows=test_rows,
        batch_size=batch_size,
        trainer=trainer,
        baselines=baselines,
    )
    prepared = work.prepare(space, settings, cache)
    _print_plan(prepared)


def start(
    space: opt.SpaceArgument,
    name: str | None = typer.Option(None, envvar="SWEEP_NAME", help="Name of the sweep."),
    max_epochs: opt.MaxEpochsOption = _DEFAULT.max_epochs,
    factor: opt.FactorOption = _DEFAULT.factor,
    iterations: opt.IterationsOption = _DEFAULT.iterations,
    seed: opt.SeedOption = _DEFAULT.seed,
    seeds: opt.SeedsOption = _DEFAULT.seeds,
    data: opt.DataOption = _DEFAULT.data,
    train_rows: opt.TrainRowsOption = _DEFAULT.train_rows,
    validation_rows: opt.ValidationRowsOption = _DEFAULT.validation_rows,
    test_rows: opt.TestRowsOption = _DEFAULT.test_rows,
    batch_size: opt.BatchSizeOption = _DEFAULT.batch_size,
    patience: opt.PatienceOption = _DEFAULT.patience or 0,
    trainer: opt.TrainerOption = _DEFAULT.trainer,
    baselines: opt.BaselinesOption = _DEFAULT.baselines,
    max_time: opt.MaxTimeOption = None,
    max_trials: opt.MaxTrialsOption = None,
    target: opt.TargetOption = None,
    keep: opt.KeepOption = _DEFAULT.keep,
    max_failures: opt.MaxFailuresOption = Budget.max_failures,
    tensorboard: opt.TensorboardOption = False,
    verbose: opt.VerboseOption = False,
    results: opt.ResultsOption = DEFAULT_RESULTS,
    cache: opt.CacheOption = None,
) -> None:
    """Search a space with Hyperband, its baselines beside it."""
    settings = Settings(
        max_epochs=max_epochs,
        factor=factor,
        iterations=iterations,
        seed=seed,
        seeds=seeds,
        data=data,
        train_rows=train_rows,
        validation_rows=validation_rows,
        test_rows=test_rows,
        batch_size=batch_size,
        patience=patience or None,
        trainer=trainer,
        baselines=baselines,
        keep=keep,
    )
    work.log_to_stderr(verbose)
    budget = work.budget(max_time, max_trials, target, max_failures)
    path = spaces.find_space(space)
    folder = SweepFolder(results, name or free_name(results, path.stem))
    _refuse_existing(folder)
    with Stopping() as stopping:
        prepared = work.prepare(space, settings, cache, compared=True)
        folder = new_folder(results, path.stem) if name is None else folder.created()
        with folder.locked() as lock:
            _refuse_existing(folder)
            stopping.attend(folder, lock)
            from sweep.runner import prepare as sweeps

            sweeps.create(folder, prepared)
            hint(f"sweep {folder.name} on {prepared.split.source}, in {folder.path}")
            work.run(folder, prepared, budget, stopping, tensorboard)


def resume(
    name: opt.NameArgument = None,
    stored_space: opt.StoredSpaceOption = False,
    max_time: opt.MaxTimeOption = None,
    max_trials: opt.MaxTrialsOption = None,
    target: opt.TargetOption = None,
    max_failures: opt.MaxFailuresOption = Budget.max_failures,
    tensorboard: opt.TensorboardOption = False,
    verbose: opt.VerboseOption = False,
    results: opt.ResultsOption = DEFAULT_RESULTS,
    cache: opt.CacheOption = None,
) -> None:
    """Go on with a sweep that was stopped or killed."""
    work.log_to_stderr(verbose)
    folder = find_sweep(results, name)
    budget = work.budget(max_time, max_trials, target, max_failures)
    if name is None:
        hint(f"sweep {folder.name}")
    with Stopping() as stopping, folder.locked() as lock:
        stopping.attend(folder, lock)
        with Store(folder.database) as store:
            sweep, problems = store.sweep(), store.problems()
            # a damaged database is not read further
            unconfirmed = not problems and any(a.confirms is not None for a in store.pending())
            compared = not problems and not store.references()
        if problems:
            raise DataError(
                f"{folder.database} is damaged ({problems[0]}); restore it from a copy, "
                f"or look closer with: sweep doctor {folder.name}"
            )
        if sweep.state is SweepState.FINISHED and unconfirmed:
            go_on(folder, budget, stopping, stored_space, cache)
            return
        if sweep.state is SweepState.FINISHED:
            hint(f"sweep {sweep.name} is finished; see: sweep report {sweep.name}")
            return
        prepared = work.prepare_again(folder, sweep, cache, stored_space, compared=compared)
        work.run(folder, prepared, budget, stopping, tensorboard)


def stop(name: opt.NameArgument = None, results: opt.ResultsOption = DEFAULT_RESULTS) -> None:
    """Stop a running sweep, wherever it runs, so that it can be resumed."""
    folder = find_sweep(results, name)
    holder = folder.holder()
    if holder is None:
        hint(f"sweep {folder.name} is not running")
        return
    deadline = time.monotonic() + _STOP_PATIENCE_SECONDS
    try:
        folder.stop_request.touch()
        while folder.holder() is not None:
            if time.monotonic() > deadline:
                raise LockedError(
                    f"sweep {folder.name} has not stopped within {_STOP_PATIENCE_SECONDS} s: "
                    f"{holder} does not answer; kill it where it runs, what it saved stays"
                )
            time.sleep(0.1)
        folder.stop_request.unlink(missing_ok=True)
    except OSError as error:
        raise PlatformError(
            f"cannot ask sweep {folder.name} to stop: {folder.stop_request} cannot be written "
            f"({error.strerror}); stop {holder} where it runs"
        ) from error
    hint(f"sweep {folder.name} stopped; go on with: sweep resume {folder.name}")


def _refuse_existing(folder: SweepFolder) -> None:
    if folder.exists:
        raise UsageError(
            f"sweep {folder.name} exists already; go on with it by: sweep resume {folder.name}, "
            "or choose another --name"
        )


def _print_fused(survey: "Survey", console: Console) -> None:
    """How many trials will be trained together, and why the others not."""
    counts = survey.refusals
    if not counts:
        return
    fused = counts.pop(None, 0)
    console.print(
        f"{fused} of {fused + sum(counts.values())} trials are fused with others; "
        f"programs to compile: {survey.programs}"
    )
    for reason, number in counts.most_common():
        console.print(f"{number} left to Keras: {clean(str(reason))}")


def rung_table(rungs: "Sequence[PlannedRung]") -> Table:
    """A line per rung: how many trials train from which epoch to which."""
    table = Table(box=None, pad_edge=False)
    for column in ("iteration", "bracket", "rung", "trials", "from epoch", "to epoch", "epochs"):
        table.add_column(column, justify="right")
    for r in rungs:
        cells = (r.iteration, r.bracket, r.rung, r.trials, r.first_epoch, r.last_epoch, r.epochs)
        table.add_row(*(f"{cell:,}" for cell in cells))
    return table


def _print_plan(prepared: "Prepared") -> None:
    from sweep.runner.estimate import Survey
    from sweep.training.native_messages import native_messages_to

    console = out()
    made = prepared.plan_record()
    if prepared.plan.rungs:
        display(rung_table(prepared.plan.rungs))
        console.print()
    console.print(
        f"{counted(made.trials or 0, 'trial')}, {counted(made.assignments, 'assignment')}, "
        f"{counted(made.epochs or 0, 'epoch')}; {counted(made.baselines, 'baseline')} beside, "
        f"{counted(made.baseline_epochs, 'epoch')}"
    )
    if made.confirmations:
        epochs = made.confirmations * prepared.settings.max_epochs
        console.print(
            f"{made.confirmations} baseline runs more with other seeds, {epochs:,} epochs"
        )
    survey = Survey(prepared)
    _print_fused(survey, console)
    smallest, largest = survey.extremes()
    console.print(f"models of {smallest:,} to {largest:,} trainable parameters")
    hint("training a small and a large model for a moment …")
    with native_messages_to(Path(os.devnull)):
        seconds = survey.seconds()
    console.print(
        f"about {duration(seconds)} on this machine if nothing stops early, "
        f"on {prepared.split.source}"
    )
