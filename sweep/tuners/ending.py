"""What is said at the end of a search from a script: the verdict, its cost, how to see more."""

from sweep.analysis.stored import load_frames
from sweep.store import SweepRow
from sweep.sweep_folder import SweepFolder
from sweep.words import counted, duration


def end_lines(folder: SweepFolder) -> list[str]:
    """Return three lines: the verdict, what the search cost, and how to see more."""
    from sweep.analysis.answers.verdict import verdict
    from sweep.analysis.report.verdict_words import lines

    frames = load_frames(folder)
    words = [text for label, text in lines(verdict(frames)) if label == "verdict"]
    seconds = frames.sweep.active_seconds
    trials, epochs = len(frames.trials), len(frames.epochs)
    spent = [counted(trials, "run"), counted(epochs, "epoch"), duration(seconds)]
    if not has_epochs(frames.sweep):
        del spent[1]
    seeds = ""
    if not frames.sweep.data.is_unseen:  # else only the script can train again
        seeds = f"; by how much other seeds differ: sweep confirm {folder.address}"
    return [
        f"verdict: {' '.join(words)}",
        f"cost: {', '.join(spent)}",
        f"more: tuner.sweep, or in a terminal: sweep report {folder.address}{seeds}",
    ]


def has_epochs(sweep: SweepRow) -> bool:
    """Return whether it is known how many epochs its trials have had.

    Only the script knows it of what it trains itself, unless Hyperband says how many there are.
    """
    return not sweep.data.is_unseen or sweep.settings.has_rungs
