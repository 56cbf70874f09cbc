"""What the commands that look at a sweep share: its state in words, its logs for TensorBoard."""

from sweep.analysis.stored import load_frames
from sweep.cli.output import hint
from sweep.runner.look import Look
from sweep.store import SweepProgress
from sweep.sweep_folder import SweepFolder
from sweep.tasks.score_words import ScoreWords
from sweep.words import plain


def write_logs(folder: SweepFolder) -> None:
    """Write TensorBoard logs of a sweep from its records."""
    from sweep.analysis.exchange.tensorboard import write_tensorboard

    folder.refuse_links()
    write_tensorboard(load_frames(folder), folder.tensorboard)
    hint(f"logs in {folder.tensorboard}; see: tensorboard --logdir {folder.tensorboard}")


def state_text(found: Look) -> str:
    """Return the state in words, with the process at work if there is one."""
    return found.state if found.holder is None else f"{found.state}, {plain(found.holder)}"


def best_text(progress: SweepProgress, shown: ScoreWords) -> str:
    """Return the best score so far with its trial."""
    if progress.best_score is None:
        return "none yet"
    return f"{shown.score(progress.best_score)} (trial {progress.best_trial})"
