"""Reads a stored sweep for the commands: its frames, its trials by name, its state in words."""

from typing import TYPE_CHECKING

from sweep.cli.output import hint
from sweep.errors import UsageError
from sweep.records import SweepState
from sweep.runner.look import Look, look
from sweep.store import Store, SweepProgress
from sweep.sweep_folder import SweepFolder
from sweep.tasks.score_words import ScoreWords
from sweep.words import plain, shortened

if TYPE_CHECKING:
    from sweep.analysis.frames.load import SweepFrames


_MOST_DIGITS = 18
"""Of a trial's number: more would not fit into the database."""
_MOST_SHOWN = 80


def load_frames(folder: SweepFolder) -> "SweepFrames":
    """Return a sweep as it is now; one whose process has died is interrupted.

    Raises DataError if its database is damaged.
    """
    from sweep.analysis.frames.load import load

    state = look(folder).state
    interrupted = state if state is SweepState.INTERRUPTED else None
    with Store(folder.database, read_only=True) as store:
        return load(store, interrupted, folder.name)


def write_logs(folder: SweepFolder) -> None:
    """Write TensorBoard logs of a sweep from its records."""
    from sweep.analysis.exchange.tensorboard import write_tensorboard

    folder.refuse_links()
    write_tensorboard(load_frames(folder), folder.tensorboard)
    hint(f"logs in {folder.tensorboard}; see: tensorboard --logdir {folder.tensorboard}")


def baseline_names(store: Store) -> dict[str, int]:
    """Return the number of each baseline by its name."""
    columns, rows = store.table("trial")
    name, trial = columns.index("baseline"), columns.index("trial")
    return {row[name]: row[trial] for row in rows if row[name] is not None}


def trial_called(store: Store, text: str) -> int:
    """Return the number of a trial, given as a number or as a baseline's name.

    Whether a trial of that number exists is not looked up. Raises UsageError naming the baselines.
    """
    if text.isdecimal() and len(text) <= _MOST_DIGITS:
        return int(text)
    names = baseline_names(store)
    if text in names:
        return names[text]
    baselines = f", or a baseline: {', '.join(names)}" if names else ""
    raise UsageError(
        f"{shortened(text, _MOST_SHOWN)!r} is no trial; expected a number from the report's column "
        f"trial{baselines}"
    )


def state_text(found: Look) -> str:
    """Return the state in words, with the process at work if there is one."""
    return found.state if found.holder is None else f"{found.state}, {plain(found.holder)}"


def best_text(progress: SweepProgress, shown: ScoreWords) -> str:
    """Return the best score so far with its trial."""
    if progress.best_score is None:
        return "none yet"
    return f"{shown.score(progress.best_score)} (trial {progress.best_trial})"
