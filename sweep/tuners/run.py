"""Runs a prepared search of a script to its end."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

import numpy as np

from sweep.errors import TooManyFailuresError
from sweep.records import SweepState
from sweep.runner.workers import IN_PROCESS, Workers
from sweep.settings import Budget
from sweep.store import Store
from sweep.sweep_folder import SweepFolder
from sweep.tuners.ending import has_epochs
from sweep.tuners.searched import Begun
from sweep.tuners.showing import Show
from sweep.tuners.watching import Watcher
from sweep.verbs.interrupting import Interruption, stopped

_NO_LIMIT = 10**9
"""Of failures in all: those in a row are counted here."""


def run(
    folder: SweepFolder,
    begun: Begun,
    max_consecutive: int,
    show: Show,
    workers: Workers = IN_PROCESS,
    heard_by: Any = None,
) -> None:
    """Train what is left. The folder must be locked.

    `heard_by` is a tuner that is to be told when trials begin and end.

    Raises KeyboardInterrupt once it was asked to stop and the epoch has been saved, and
    TooManyFailuresError after so many failed trials in a row.
    """
    from sweep.runner import run as running

    folder.refuse_links()
    with (
        Store(folder.database) as store,
        Interruption(folder) as stopping,
        _native_messages(folder),
    ):
        watcher = _watcher(store, max_consecutive, show)
        watcher.heard_by = heard_by
        work = running.Work(
            folder,
            store,
            begun.prepared,
            Budget(max_failures=_NO_LIMIT),
            watcher,
            lambda: watcher.has_failed or stopping.requested(),
            workers,
        )
        state = running.run(work)
        message = store.sweep().message
    _ended(folder, watcher, state, message)


def _ended(folder: SweepFolder, watcher: Watcher, state: SweepState, message: str | None) -> None:
    """Raise the error of a search that has not come to its end."""
    if watcher.has_failed:
        raise TooManyFailuresError(
            f"{watcher.max_consecutive} trials in a row failed (max_consecutive_failed_trials), "
            f"the last with {watcher.last_error}; see: sweep report {folder.path}"
        )
    if state is SweepState.FAILED:
        why = message or f"no trial came to its end, the last failed with {watcher.last_error}"
        raise TooManyFailuresError(f"{why}; see: sweep report {folder.path}")
    if state is SweepState.INTERRUPTED:
        raise stopped(folder)


def run_opaque(tuner: Any, given: Any, named: dict[str, Any], show: Show) -> None:
    """Run a search whose training is the user's own. The folder must be locked.

    Raises what `run` raises, and UsageError if the search began with something else.
    """
    from sweep.training.fused.program.kept import default_root
    from sweep.training.start_keras import start_keras
    from sweep.tuners.dry_run import opaque_space
    from sweep.tuners.given_build import GivenBuild
    from sweep.tuners.opaque import search_opaque
    from sweep.tuners.space import script_space

    start_keras(default_root(), None)
    limit = tuner.arguments.max_consecutive_failed_trials
    kind = type(tuner)
    own = (kind, tuner.build) if tuner.has_own_run_trial else tuner.build
    trains = tuner.own_training or tuner.build
    script = script_space(GivenBuild(trains, tuner.arguments), None, own)
    space = opaque_space(tuner, script, given, named)
    with Interruption(tuner.folder) as stopping, _native_messages(tuner.folder):
        state, watcher = search_opaque(
            tuner,
            space,
            given,
            named,
            lambda store: _watcher(store, limit, show),
            stopping.requested,
        )
    _ended(tuner.folder, watcher, state, None)


def repeat_best(
    folder: SweepFolder, begun: Begun, seeds: int, show: Show, workers: Workers = IN_PROCESS
) -> None:
    """Train the best trials of an ended Hyperband under fresh seeds. The folder must be locked.

    Those repeats are what `executions_per_trial` is to Hyperband here: a trial climbs with one
    seed, and only the best are worth others. Raises KeyboardInterrupt as `run` does.
    """
    from sweep.runner import run as running
    from sweep.verbs.confirming import TOP, add_repeats

    added = add_repeats(folder, TOP, seeds)
    if added.pending == 0:
        return
    show.line(
        f"executions_per_trial: a trial of Hyperband climbs with one seed; the {TOP} best are "
        f"trained again under {seeds} fresh seeds each, {added.pending} runs"
    )
    with Store(folder.database) as store, Interruption(folder) as stopping:
        watcher = _watcher(store, _NO_LIMIT, show)
        budget = Budget(max_failures=_NO_LIMIT)
        asked = stopping.requested
        work = running.Work(folder, store, begun.prepared, budget, watcher, asked, workers)
        ending = running.confirm(work)
    if ending.state is SweepState.INTERRUPTED:
        raise stopped(folder)


def _watcher(store: Store, max_consecutive: int, show: Show) -> Watcher:
    sweep, progress = store.sweep(), store.progress()
    best = None
    if progress.best_score is not None and progress.best_trial is not None:
        best = (progress.best_score, progress.best_trial)
    return Watcher(
        shown=sweep.score_words,
        n_assignments=sweep.plan.all_assignments
        + max(sweep.plan.confirmations, progress.confirmations),
        n_done=progress.assignments_done + progress.confirmations_done,
        show=show,
        max_consecutive=max_consecutive,
        counts_epochs=has_epochs(sweep),
        best=best,
    )


@contextmanager
def chance_kept() -> Iterator[None]:
    """Put back the user's own random numbers of Python and NumPy: trials draw theirs from seeds."""
    state, of_numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(state)
        np.random.set_state(of_numpy)


def _native_messages(folder: SweepFolder) -> Any:
    """Messages of TensorFlow's C++ parts go to the sweep's log; a notebook's are its own."""
    from sweep.training.native_messages import native_messages_to

    with suppress(Exception):
        if sys.stderr is sys.__stderr__ and sys.stderr is not None and sys.stderr.fileno() == 2:
            return native_messages_to(folder.native_log)
    return nullcontext()
