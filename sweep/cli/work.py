"""What the commands that train share: preparing, running with progress shown, how it ended."""

import atexit
import logging
import math
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sweep.cli import output
from sweep.cli.look import write_logs
from sweep.cli.output import err, hint, warn
from sweep.cli.progress import LiveProgress, PlainProgress, Tally, rung_key
from sweep.cli.stopping import Stopping
from sweep.errors import BudgetEndedError, InvalidSpaceError, TooManyFailuresError
from sweep.records import PlanRecord, SweepState
from sweep.runner.cold_start import prepare_again
from sweep.runner.confirm import Added
from sweep.runner.same_numbers import AllowedNumbers
from sweep.runner.workers import IN_PROCESS, Workers
from sweep.settings import Budget
from sweep.store import Store, SweepProgress, SweepRow
from sweep.sweep_folder import SweepFolder
from sweep.words import counted

if TYPE_CHECKING:
    from sweep.runner.prepare import Prepared
    from sweep.runner.run import Work


_MANY = 1000
"""Failed trials, where an advice is to go on in spite of them."""


class _StderrHandler(logging.Handler):
    """Writes to what `sys.stderr` is at that moment: it changes while native messages are kept."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr, flush=True)


def log_to_stderr(verbose: bool) -> None:
    """Show what the layers log, for -v: which trials are fused, and each program compiled."""
    if verbose:
        handler = _StderrHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger = logging.getLogger("sweep")
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)


def say_of_space(prepared: "Prepared") -> None:
    """Print how the space's file was read, and what in it has no effect."""
    for line in (*prepared.space.said, *prepared.scored.said):
        hint(line)
    for line in prepared.space.warnings:
        warn(line)


def run(
    folder: SweepFolder,
    prepared: "Prepared",
    budget: Budget,
    stopping: Stopping,
    tensorboard: bool,
    workers: Workers = IN_PROCESS,
) -> None:
    """Work on a stored sweep until something ends it, and say how it ended.

    Raises typer.Exit or SweepError with the exit code for it.
    """
    from sweep.runner import run as running

    folder.refuse_links()
    with Store(folder.database) as store:
        plan = store.sweep().plan
        with _working(folder, store, prepared, budget, stopping, workers, plan) as work:
            state = running.run(work)
        sweep, progress = store.sweep(), store.progress()
    if tensorboard:
        write_logs(folder)
    _end(state, folder.address, sweep, progress, stopping)


def confirm(
    folder: SweepFolder,
    prepared: "Prepared",
    budget: Budget,
    stopping: Stopping,
    workers: Workers = IN_PROCESS,
    *,
    until_decided: bool = False,
) -> None:
    """Train the confirmations that are to do, and say how it ended.

    If `until_decided` they are a round of many, whose end is no news.

    Raises typer.Exit or SweepError with the exit code for it.
    """
    from sweep.runner import run as running

    name = folder.address
    with Store(folder.database) as store:
        with _working(folder, store, prepared, budget, stopping, workers, None) as work:
            ending = running.confirm(work)
        progress = store.progress()
    if ending.state is SweepState.FINISHED:
        if ending.sentence is not None:
            raise TooManyFailuresError(f"{ending.sentence}; see: sweep report {name}")
        if not until_decided:
            hint(f"confirmed; see: sweep report {name}")
        return
    n_left = progress.confirmations - progress.confirmations_done
    again = f"confirm {name} --until decided" if until_decided else f"resume {name}"
    what_next = f"{_left(n_left, 'run')}, continue with: sweep {again}"
    if ending.state is SweepState.INTERRUPTED:
        hint(f"stopped, state saved; {what_next}")
        raise typer.Exit(stopping.code)
    if ending.state is SweepState.FAILED:
        what_next = f"{what_next} --max-failures {_MANY}" if n_left else f"see: sweep report {name}"
        raise TooManyFailuresError(f"{ending.sentence}; {what_next}")
    raise BudgetEndedError(f"{ending.sentence}; {what_next}")


def confirm_stored(
    folder: SweepFolder,
    budget: Budget,
    stopping: Stopping,
    stored_space: bool,
    cache: Path | None,
    numbers: AllowedNumbers,
    workers: Workers = IN_PROCESS,
    added: Added | None = None,
    *,
    until_decided: bool = False,
) -> None:
    """Train the confirmations that are still to do, `added` ones too. The folder must be locked.

    A sweep that cannot be trained here is refused before these are stored.
    """
    with Store(folder.database) as store:
        sweep = store.sweep()
    prepared = prepare_again(folder, sweep, cache, stored_space, say=output, numbers=numbers)
    if added is not None:
        with Store(folder.database) as store:
            added.store(store)
    confirm(folder, prepared, budget, stopping, workers, until_decided=until_decided)


@contextmanager
def _working(
    folder: SweepFolder,
    store: Store,
    prepared: "Prepared",
    budget: Budget,
    stopping: Stopping,
    workers: Workers,
    plan: PlanRecord | None,
) -> "Iterator[Work]":
    """Give what is to be trained, its progress shown and libraries' messages kept meanwhile."""
    from sweep.runner.run import Work
    from sweep.training.fused.epoch_threads import join_left
    from sweep.training.native_messages import native_messages_to

    with native_messages_to(folder.native_log), _observer(store, plan) as observer:
        stopping.saving()
        yield Work(folder, store, prepared, budget, observer, stopping.requested, workers)
    atexit.unregister(join_left)  # `cli.main` ends past the dismantling of libraries


def _observer(store: Store, plan: PlanRecord | None) -> PlainProgress | LiveProgress:
    """Return live progress on a terminal, plain lines elsewhere. `plan` is the search's, if any."""
    progress, console = store.progress(), err()
    sweep = store.sweep()
    tally = Tally(plan, progress, sweep.settings.max_epochs, sweep.score_words)
    if progress.best_score is not None:
        tally.best = (progress.best_score, str(progress.best_trial))
    if not console.is_terminal:
        return PlainProgress(console, tally)
    live = LiveProgress(console, tally, plan)
    done = Counter(rung_key(a) for a in store.ended())
    live.restore(done, progress.trials_failed)
    return live


def _left(number: int, noun: str) -> str:
    """1 run is left, 3 runs are left."""
    return f"{counted(number, noun)} {'is' if number == 1 else 'are'} left"


def _end(
    state: SweepState, name: str, sweep: SweepRow, progress: SweepProgress, stopping: Stopping
) -> None:
    """Say how work on a sweep ended; `name` is what a command names it by."""
    if state is SweepState.FINISHED:
        if sweep.message is not None:
            raise TooManyFailuresError(f"finished, but {sweep.message}; see: sweep report {name}")
        hint(f"finished; see: sweep report {name}")
    elif state is SweepState.INTERRUPTED:
        hint(f"stopped, state saved; continue with: sweep resume {name}")
        raise typer.Exit(stopping.code)
    elif state is SweepState.FAILED:
        go_on = f", or continue with: sweep resume {name} --max-failures {_MANY}"
        is_left = progress.assignments > progress.assignments_done
        raise TooManyFailuresError(
            f"{sweep.message}; fix that and start a new sweep{go_on if is_left else ''}"
        )
    else:
        total = sweep.plan.all_assignments + progress.confirmations
        left = total - progress.assignments_done - progress.confirmations_done
        raise BudgetEndedError(
            f"{sweep.message}; {left:,} of {counted(total, 'assignment')} are left, "
            f"the results so far are valid; continue with: sweep resume {name}"
        )


def budget(
    max_time: str | None, max_trials: int | None, target: float | None, max_failures: int
) -> Budget:
    """Return the options' values, checked. Raises InvalidSpaceError naming the first wrong one."""
    for option, value in (("--max-trials", max_trials), ("--max-failures", max_failures)):
        if value is not None and value < 1:
            raise InvalidSpaceError(f"{option} is {value}, expected at least 1")
    if target is not None and not 0 < target < math.inf:
        raise InvalidSpaceError(f"--target is {target}, expected a validation score above 0")
    return Budget(_seconds(max_time), max_trials, target, max_failures)


def _seconds(text: str | None) -> float | None:
    """Return the seconds in a text as 90, 90s, 45m or 2h. Raises InvalidSpaceError."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip())
    if match is None:
        raise InvalidSpaceError(f"--max-time is {text!r}, expected for example 90, 90s, 45m or 2h")
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]
