"""Commands that search: spaces, plan, start, resume, stop."""

import logging
import math
import os
import re
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table

from sweep import space as spaces
from sweep.cli import options as opt
from sweep.cli.output import clean, duration, err, hint, out, warn
from sweep.cli.progress import LiveProgress, PlainProgress, Tally, rung_key
from sweep.cli.stopping import Stopping
from sweep.errors import (
    BudgetEndedError,
    InvalidSpaceError,
    LockedError,
    PlatformError,
    TooManyFailuresError,
    UsageError,
)
from sweep.folder import DEFAULT_RESULTS, SweepFolder, find_sweep, free_name
from sweep.settings import Budget, Settings
from sweep.store import Store

if TYPE_CHECKING:
    from sweep.runner.sweep import Prepared

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
    out().print(table)


def plan(
    space: opt.SpaceArgument,
    max_epochs: opt.MaxEpochsOption = _DEFAULT.max_epochs,
    factor: opt.FactorOption = _DEFAULT.factor,
    iterations: opt.IterationsOption = _DEFAULT.iterations,
    seed: opt.SeedOption = _DEFAULT.seed,
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
        data=data,
        train_rows=train_rows,
        validation_rows=validation_rows,
        test_rows=test_rows,
        batch_size=batch_size,
        trainer=trainer,
        baselines=baselines,
    )
    prepared = _prepare(space, settings, cache)
    _print_plan(prepared)


def start(
    space: opt.SpaceArgument,
    name: str | None = typer.Option(None, envvar="SWEEP_NAME", help="Name of the sweep."),
    max_epochs: opt.MaxEpochsOption = _DEFAULT.max_epochs,
    factor: opt.FactorOption = _DEFAULT.factor,
    iterations: opt.IterationsOption = _DEFAULT.iterations,
    seed: opt.SeedOption = _DEFAULT.seed,
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
    _log_to_stderr(verbose)
    budget = _budget(max_time, max_trials, target, max_failures)
    path = spaces.find_space(space)
    folder = SweepFolder(results, name or free_name(results, path.stem))
    _refuse_existing(folder)
    with Stopping() as stopping:
        prepared = _prepare(space, settings, cache)
        folder.create()
        with folder.locked():
            _refuse_existing(folder)
            stopping.attend(folder)
            from sweep.runner import sweep as sweeps

            sweeps.create(folder, prepared)
            hint(f"sweep {folder.name} on {prepared.split.source}, in {folder.path}")
            _run(folder, prepared, budget, stopping, tensorboard)


def resume(
    name: opt.NameArgument = None,
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
    _log_to_stderr(verbose)
    folder = find_sweep(results, name)
    budget = _budget(max_time, max_trials, target, max_failures)
    if name is None:
        hint(f"sweep {folder.name}")
    with Stopping() as stopping, folder.locked():
        stopping.attend(folder)
        with Store(folder.database) as store:
            sweep = store.sweep()
        if sweep.state == "finished":
            hint(f"sweep {sweep.name} is finished; see: sweep report {sweep.name}")
            return
        prepared = _prepare(sweep.space["path"], Settings.from_json(sweep.settings), cache)
        from sweep.runner import sweep as sweeps

        sweeps.check_unchanged(sweep, prepared)
        for change in sweeps.changed_versions(sweep):
            warn(f"numbers may differ in their last digits: {change}")
        _run(folder, prepared, budget, stopping, tensorboard)


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


def _prepare(space: str, settings: Settings, cache: Path | None) -> "Prepared":
    spaces.find_space(space)  # refuse a wrong name before TensorFlow is waited for
    from sweep.training.platform import start_keras

    start_keras()
    from sweep.runner.sweep import prepare

    return prepare(space, settings, cache)


def _log_to_stderr(verbose: bool) -> None:
    """With -v, what the layers log: which trials are fused, and each program compiled."""
    if verbose:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger = logging.getLogger("sweep")
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)


def _refuse_existing(folder: SweepFolder) -> None:
    if folder.exists:
        raise UsageError(
            f"sweep {folder.name} exists already; go on with it by: sweep resume {folder.name}, "
            "or choose another --name"
        )


def _run(
    folder: SweepFolder,
    prepared: "Prepared",
    budget: Budget,
    stopping: Stopping,
    tensorboard: bool,
) -> None:
    from sweep.runner import sweep as sweeps
    from sweep.training.platform import native_messages_to

    with Store(folder.database) as store:
        with native_messages_to(folder.native_log), _observer(store) as observer:
            stopping.saving()
            state = sweeps.run(folder, store, prepared, budget, observer, stopping.requested)
        message = store.sweep().message
    if tensorboard:
        from sweep.cli.inspect import write_logs

        write_logs(folder)
    _end(folder.name, state, message, stopping)


def _observer(store: Store) -> Any:
    """Live on a terminal, plain lines elsewhere."""
    sweep, progress, console = store.sweep(), store.progress(), err()
    tally = Tally(sweep.plan, progress.epochs_done, progress.assignments_done)
    if progress.best_score is not None:
        tally.best = (progress.best_score, str(progress.best_trial))
    if not console.is_terminal:
        return PlainProgress(console, tally)
    live = LiveProgress(console, tally, sweep.plan)
    done: Counter[Any] = Counter(rung_key(a) for a in store.ended())
    live.restore(done, progress.trials_failed)
    return live


def _end(name: str, state: str, message: str | None, stopping: Stopping) -> None:
    if state == "finished":
        hint(f"finished; see: sweep report {name}")
    elif state == "interrupted":
        hint(f"stopped, state saved; go on with: sweep resume {name}")
        raise typer.Exit(stopping.code)
    elif state == "failed":
        raise TooManyFailuresError(
            f"{message}; mend it and start anew, or go on with: "
            f"sweep resume {name} --max-failures N"
        )
    else:
        raise BudgetEndedError(
            f"{message}; what there is is valid; go on with: sweep resume {name}"
        )


def _budget(
    max_time: str | None, max_trials: int | None, target: float | None, max_failures: int
) -> Budget:
    for option, value in (("--max-trials", max_trials), ("--max-failures", max_failures)):
        if value is not None and value < 1:
            raise InvalidSpaceError(f"{option} is {value}, expected at least 1")
    if target is not None and not 0 < target < math.inf:
        raise InvalidSpaceError(f"--target is {target}, expected a validation BCE above 0")
    return Budget(_seconds(max_time), max_trials, target, max_failures)


def _seconds(text: str | None) -> float | None:
    """Seconds meant by 90, 90s, 45m or 2h. Raises InvalidSpaceError for anything else."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip())
    if match is None:
        raise InvalidSpaceError(f"--max-time is {text!r}, expected such as 90, 90s, 45m or 2h")
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


def _print_fused(prepared: "Prepared", console: Console) -> None:
    """How many trials will be trained together, and why the others not."""
    if prepared.settings.trainer == "keras":
        return
    from sweep.training.auto import count_refusals

    searched = [root.hyperparameters for root in prepared.plan.roots]
    counts = count_refusals(prepared.space.build, [*searched, *prepared.baselines.values()])
    fused = counts.pop(None, 0)
    console.print(f"{fused} of {fused + sum(counts.values())} trials are fused with others")
    for reason, count in counts.most_common():
        console.print(f"{count} left to Keras: {clean(str(reason))}")


def _print_plan(prepared: "Prepared") -> None:
    from sweep.runner.calibrate import estimate
    from sweep.training.platform import native_messages_to

    table = Table(box=None, pad_edge=False)
    for column in ("iteration", "bracket", "rung", "trials", "from epoch", "to epoch", "epochs"):
        table.add_column(column, justify="right")
    for r in prepared.plan.rungs:
        cells = (r.iteration, r.bracket, r.rung, r.trials, r.first_epoch, r.last_epoch, r.epochs)
        table.add_row(*(f"{cell:,}" for cell in cells))
    console = out()
    console.print(table)
    made = prepared.plan_json()
    console.print(
        f"\n{made['trials']} trials, {made['assignments']} assignments, {made['epochs']:,} epochs"
        f"; {made['baselines']} baselines beside, {made['baseline_epochs']:,} epochs"
    )
    _print_fused(prepared, console)
    hint("training the smallest and the largest model for a moment …")
    with native_messages_to(Path(os.devnull)):
        found = estimate(prepared)
    console.print(f"models of {found.smallest:,} to {found.largest:,} trainable parameters")
    console.print(
        f"about {duration(found.seconds)} on this machine if nothing stops early, "
        f"on {prepared.split.source}"
    )
