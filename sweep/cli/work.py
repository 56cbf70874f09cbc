"""What the commands that train share: preparing, running with progress shown, how it ended."""

import atexit
import logging
import math
import re
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sweep.cli.output import err, hint, unfamiliar, warn
from sweep.cli.progress import LiveProgress, PlainProgress, Tally, rung_key
from sweep.cli.stopping import Stopping
from sweep.disk import of_this_process
from sweep.errors import BudgetEndedError, DataError, InvalidSpaceError, TooManyFailuresError
from sweep.records import PlanRecord, SweepState
from sweep.settings import Budget, Settings
from sweep.space import find as spaces
from sweep.space.source import is_unchanged, write_sources
from sweep.store import Progress, Store, SweepRow
from sweep.sweep_folder import SweepFolder

if TYPE_CHECKING:
    from sweep.runner.prepare import Prepared


def prepare(
    space: str, settings: Settings, cache: Path | None, *, compared: bool = False
) -> "Prepared":
    """Load the data, start Keras, then load and check all else that a sweep needs.

    `compared` says that the reference models will be wanted: they are trained meanwhile.
    """
    spaces.find_space(space)  # refuse wrong names before TensorFlow is waited for
    from sweep.data.split import load_split
    from sweep.references.beside import ReferencesBeside
    from sweep.training.fused.program.kept import default_root
    from sweep.training.start_keras import start_keras

    split = load_split(
        settings.data,
        train_rows=settings.train_rows,
        validation_rows=settings.validation_rows,
        test_rows=settings.test_rows,
        cache_dir=cache,
    )
    for line in split.concerns:
        warn(line)
    beside = compared and "tensorflow" not in sys.modules  # else there is no import to hide behind
    references = ReferencesBeside(split, settings.seed).models if beside else None
    start_keras(default_root())
    from sweep.runner import prepare as sweeps

    return sweeps.prepare(space, settings, split, references)


class _StderrHandler(logging.Handler):
    """Writes to what `sys.stderr` is at that moment: it changes while native messages are kept."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr, flush=True)


def log_to_stderr(verbose: bool) -> None:
    """With -v, what the layers log: which trials are fused, and each program compiled."""
    if verbose:
        handler = _StderrHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger = logging.getLogger("sweep")
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)


def _refuse_own_folder(folder: SweepFolder, sweep: SweepRow) -> None:
    path = _path(sweep)
    if Path(path).resolve().is_relative_to(folder.path.resolve()):
        raise InvalidSpaceError(
            f"the search space {path} lies in the sweep's own folder, from where nothing is run; "
            "did you get this sweep from somebody else?"
        )


def prepare_again(
    folder: SweepFolder,
    sweep: SweepRow,
    cache: Path | None,
    stored_space: bool,
    *,
    compared: bool = False,
) -> "Prepared":
    """What a stored sweep needs to go on. This runs its search space's file.

    Raises InvalidSpaceError when its space or data have changed, or when the space lies in the
    sweep's own folder: results may come from others, code in them is not run.
    """
    with unfamiliar(folder):
        if not stored_space:
            _refuse_own_folder(folder, sweep)
        space = _stored_space(sweep) if stored_space else _original_space(sweep)
        settings = sweep.settings
    prepared = prepare(str(space), settings, cache, compared=compared)
    from sweep.runner import prepare as sweeps

    with unfamiliar(folder):
        sweeps.check_unchanged(sweep, prepared)
        changes = sweeps.changed_versions(sweep)
    for change in changes:
        warn(f"numbers may differ in their last digits: {change}")
    return prepared


def _path(sweep: SweepRow) -> str:
    if sweep.space.path is None:
        raise DataError(f"sweep {sweep.name} is damaged: it does not say where its space lies")
    return sweep.space.path


def _original_space(sweep: SweepRow) -> Path:
    """The file that the sweep began with, unchanged."""
    named = _path(sweep)
    try:
        path = spaces.find_space(named)
    except InvalidSpaceError:
        what = "is gone"
    else:
        if is_unchanged(path, sweep.space.sha256, sweep.space.sources):
            return path
        what = f"has changed since sweep {sweep.name} began"
    stored = (
        ", or run the copy stored with the sweep, if you trust it, by adding --stored-space"
        if sweep.space.sources is not None
        else ", or start a new sweep"
    )
    raise InvalidSpaceError(f"the search space {named} {what}; put it back{stored}")


def _stored_space(sweep: SweepRow) -> Path:
    """The copy kept with the sweep, in a folder that goes with this process."""
    if sweep.space.sources is None:
        raise InvalidSpaceError(
            f"sweep {sweep.name} was begun by an older version, which stored no copy of its "
            f"search space; put {_path(sweep)} back"
        )
    folder = Path(tempfile.mkdtemp(prefix=of_this_process("sweep-space-")))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return write_sources(sweep.space.sources, Path(_path(sweep)).name, folder)


def run(
    folder: SweepFolder,
    prepared: "Prepared",
    budget: Budget,
    stopping: Stopping,
    tensorboard: bool,
) -> None:
    """Work on a stored sweep until something ends it, and say how it ended.

    Raises typer.Exit or SweepError with the exit code for it.
    """
    from sweep.runner import prepare as sweeps
    from sweep.training.native_messages import native_messages_to

    folder.refuse_links()
    with Store(folder.database) as store:
        with (
            native_messages_to(folder.native_log),
            _observer(store, store.sweep().plan) as observer,
        ):
            stopping.saving()
            work = sweeps.Work(folder, store, prepared, budget, observer, stopping.requested)
            state = sweeps.run(work)
        sweep, progress = store.sweep(), store.progress()
    if tensorboard:
        from sweep.cli.inspect import write_logs

        write_logs(folder)
    _end(state, sweep, progress, stopping)


def confirm(folder: SweepFolder, prepared: "Prepared", budget: Budget, stopping: Stopping) -> None:
    """Train the confirmations that are to do, and say how it ended.

    Raises typer.Exit or SweepError with the exit code for it.
    """
    from sweep.runner import prepare as sweeps
    from sweep.training.native_messages import native_messages_to

    name = folder.name
    with Store(folder.database) as store:
        with native_messages_to(folder.native_log), _observer(store, None) as observer:
            stopping.saving()
            work = sweeps.Work(folder, store, prepared, budget, observer, stopping.requested)
            ending = sweeps.confirm(work)
        progress = store.progress()
    if ending.state is SweepState.FINISHED:
        hint(f"confirmed; see: sweep report {name}")
        return
    left = progress.confirmations - progress.confirmations_done
    if ending.state is SweepState.INTERRUPTED:
        hint(f"stopped, state saved; {left} runs are left, go on with: sweep resume {name}")
        raise typer.Exit(stopping.code)
    kind = TooManyFailuresError if ending.state is SweepState.FAILED else BudgetEndedError
    raise kind(f"{ending.sentence}; {left} runs are left, go on with: sweep resume {name}")


def _observer(store: Store, plan: PlanRecord | None) -> Any:
    """Live on a terminal, plain lines elsewhere. `plan` is the search's, None without it."""
    progress, console = store.progress(), err()
    epochs = store.sweep().settings.max_epochs
    tally = Tally(plan, progress, epochs)
    if progress.best_score is not None:
        tally.best = (progress.best_score, str(progress.best_trial))
    if not console.is_terminal:
        return PlainProgress(console, tally)
    live = LiveProgress(console, tally, plan)
    done: Counter[Any] = Counter(rung_key(a) for a in store.ended())
    live.restore(done, progress.trials_failed)
    return live


def _end(state: SweepState, sweep: SweepRow, progress: Progress, stopping: Stopping) -> None:
    name = sweep.name
    if state is SweepState.FINISHED:
        hint(f"finished; see: sweep report {name}")
    elif state is SweepState.INTERRUPTED:
        hint(f"stopped, state saved; go on with: sweep resume {name}")
        raise typer.Exit(stopping.code)
    elif state is SweepState.FAILED:
        raise TooManyFailuresError(
            f"{sweep.message}; mend it and start anew, or go on with: "
            f"sweep resume {name} --max-failures N"
        )
    else:
        total = sweep.plan.all_assignments + progress.confirmations
        left = total - progress.assignments_done - progress.confirmations_done
        raise BudgetEndedError(
            f"{sweep.message}; {left} of {total} assignments are left out, what there is is valid; "
            f"go on with: sweep resume {name}"
        )


def budget(
    max_time: str | None, max_trials: int | None, target: float | None, max_failures: int
) -> Budget:
    """The options' values, checked. Raises InvalidSpaceError naming the first that cannot be."""
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
