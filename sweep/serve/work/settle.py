"""How a job ended: by its exit code if it is known, else by what its sweep has stored."""

from dataclasses import dataclass
from pathlib import Path

from sweep.errors import (
    BudgetEndedError,
    SweepError,
    TooManyFailuresError,
)  # fmt: skip
from sweep.records import SweepState
from sweep.runner.look import Look, look
from sweep.serve.queue.job import Job, JobKind, JobState, Wanted
from sweep.serve.work.plans import error_line, last_error
from sweep.store import Store
from sweep.sweep_folder import SweepFolder

_LOG_BYTES = 8_192
_STOPPED = (128 + 2, 128 + 15)
"""Exit codes of a command that was asked to stop and has saved its state."""


@dataclass(frozen=True)
class EndedJob:
    """What became of a job's process. `state` None means that it was killed and may go on."""

    state: JobState | None
    error: str | None = None
    epochs: int = 0
    """Recorded epochs of its sweep, by which it is told whether it got further."""


def look_at(folder: SweepFolder) -> Look | None:
    """Return a job's sweep; None if it does not exist yet or cannot be read."""
    try:
        return look(folder) if folder.exists else None
    except SweepError:
        return None


def mark_of(kind: JobKind, folder: SweepFolder) -> int:
    """Return what grows in a sweep when a job's own work is entered into it.

    Assignments planned for an extension, repeats for a confirmation, openings for a test.
    """
    found = look_at(folder)
    if found is None:
        return 0
    if kind is JobKind.EXTEND:
        return found.sweep.plan.all_assignments
    if kind is JobKind.CONFIRM:
        return found.progress.confirmations
    if kind is JobKind.TEST:
        with Store(folder.database, read_only=True) as store:
            return len(store.openings())
    return 0


def goes_on(job: Job, folder: SweepFolder) -> bool:
    """Return whether a job's next process continues what an earlier one has entered."""
    if job.kind is JobKind.START:
        return folder.exists
    if job.kind in (JobKind.EXTEND, JobKind.CONFIRM):
        return job.mark is not None and mark_of(job.kind, folder) > job.mark
    return job.kind is JobKind.RESUME


def how_it_ended(
    job: Job, code: int | None, folder: SweepFolder, log: Path, model: Path
) -> EndedJob:
    """Return what became of a job whose process is gone. `code` is None if nobody saw it end.

    `model` is the file that an export writes, whole or not at all.
    """
    found = look_at(folder)
    epochs = 0 if found is None else _epochs(found)
    if code is None and job.kind is JobKind.EXPORT and model.is_file():
        return EndedJob(JobState.FINISHED, epochs=epochs)
    if code is None or code < 0:
        return _unseen(job, found, folder, log, epochs, killed=code is not None)
    if code in _STOPPED:
        return _stopped(job, found, epochs)
    if code == 0:
        return EndedJob(JobState.FINISHED, epochs=epochs)
    error = last_error(end_of(log))
    states = {
        TooManyFailuresError.exit_code: JobState.FAILED,
        BudgetEndedError.exit_code: JobState.BUDGET,
    }
    return EndedJob(states.get(code, JobState.FAILED), error, epochs)


def _stopped(job: Job, found: Look | None, epochs: int) -> EndedJob:
    if job.wanted is Wanted.CANCEL:
        return EndedJob(JobState.CANCELLED, epochs=epochs)
    if job.wanted is not None:
        return EndedJob(JobState.PREEMPTED, epochs=epochs)
    return EndedJob(JobState.INTERRUPTED, "it was stopped from outside the queue", epochs)


def _unseen(
    job: Job, found: Look | None, folder: SweepFolder, log: Path, epochs: int, *, killed: bool
) -> EndedJob:
    """Return how a job ended whose process was killed, or ended while no service watched."""
    if job.wanted is Wanted.CANCEL:
        return EndedJob(JobState.CANCELLED, epochs=epochs)
    entered = goes_on(job, folder) or (job.kind is JobKind.TEST and _is_tested(job, folder))
    if found is None or not entered:
        error = error_line(f"\n{end_of(log)}".rpartition("\n$ ")[2])  # of its latest command
        if not killed and error is not None:
            return EndedJob(JobState.FAILED, error, epochs)
        return EndedJob(None, epochs=epochs)
    if job.kind is JobKind.TEST:
        return EndedJob(JobState.FINISHED, epochs=epochs)
    unconfirmed = found.progress.confirmations > found.progress.confirmations_done
    if found.sweep.state is SweepState.FINISHED and not unconfirmed:
        return EndedJob(JobState.FINISHED, epochs=epochs)
    if found.sweep.state in (SweepState.FAILED, SweepState.BUDGET) and not killed:
        return EndedJob(JobState(found.sweep.state.value), found.sweep.message, epochs)
    if found.sweep.state is SweepState.INTERRUPTED and job.wanted is not None:
        return EndedJob(JobState.PREEMPTED, epochs=epochs)
    return EndedJob(None, epochs=epochs)


def _is_tested(job: Job, folder: SweepFolder) -> bool:
    with Store(folder.database, read_only=True) as store:
        ledger = store.openings()
    return job.mark is not None and len(ledger) > job.mark and ledger[-1].score is not None


def _epochs(found: Look) -> int:
    return found.progress.epochs_done + found.progress.confirmation_epochs


def end_of(log: Path) -> str:
    """Return the last lines of a job's log."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _LOG_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
