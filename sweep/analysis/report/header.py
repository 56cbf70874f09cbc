"""The facts above the table: of which sweep and data the numbers are, and what was done."""

from collections import Counter
from typing import Any

import pandas as pd

from sweep import words as text
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.trial_status import TrialStatus
from sweep.data.description import split_words, task_words
from sweep.data.labels import concerns_of
from sweep.records import SweepState

_ENDED = (TrialStatus.FINISHED, TrialStatus.STOPPED, TrialStatus.FAILED)
_COUNTED = tuple(TrialStatus)


def header(frames: SweepFrames) -> list[tuple[str, str]]:
    """Return label and text of each line above the table: sweep, data, split, seed, state, work."""
    sweep, trials = frames.sweep, frames.trials
    done = progress(frames)
    state = sweep.state if sweep.message is None else f"{sweep.state}: {sweep.message}"
    lines = [
        ("sweep", sweep.name),
        ("space", sweep.space.name),
        ("data", sweep.data.source),
        *(("task", task_words(task)) for task in [sweep.data.task] if task is not None),
        *((("split", split_words(sweep.data)),) if not sweep.data.is_unseen else ()),
        *(("labels", line) for line in concerns_of(sweep.data)),
        *(("search", line) for line in _search(frames)),
        *_measured(frames),
        ("seed", str(sweep.settings.seed)),
        ("state", state),
        ("trials", f"{done['trials_begun']:,} of {_number(done['trials_planned'])}{_ends(trials)}"),
    ]
    if not sweep.data.is_unseen:
        lines.append(("epochs", f"{done['epochs']:,} of at most {_number(done['epochs_planned'])}"))
    if len(frames.confirmations):
        n_ended = int(frames.confirmations["status"].isin(_ENDED).sum())
        of = f"{n_ended:,} of {text.counted(len(frames.confirmations), 'repeat')}"
        lines.append(("other seeds", f"{of} done, of {text.trials(_confirmed(frames))}"))
    if sweep.state is SweepState.BUDGET and done["left_out"]:
        left = done["left_out"]
        epochs = text.counted(left["epochs"], "epoch")
        lines.append(("left out", f"{text.trials(left['trials'])}, {epochs}"))
    n_failed, n_search = done["failed"], int(trials["baseline"].isna().sum())
    if n_failed:
        error, count = Counter(trials["error"].dropna()).most_common(1)[0]
        share = "all" if count == n_failed else f"{count:,} of them"
        lines.append(("failed", f"{text.trials(n_failed)}, {share} with: {error}"))
    if len(trials) > n_search:
        names = trials.loc[trials["baseline"].notna()].sort_values("trial")["baseline"]
        lines.append(("baselines", ", ".join(names)))
    if frames.workers:
        hosts = len({one.host for one in frames.workers})
        crew = f"{text.counted(len(frames.workers), 'worker')} on {text.counted(hosts, 'host')}"
        gone = [one for one in frames.workers if one.left_at is not None]
        here = sum(one.left_at - one.joined_at for one in gone if one.left_at is not None)
        busy = f", busy {sum(one.busy for one in gone) / here:.0%} of their time" if here else ""
        lines.append(("trained by", f"{crew} in all{busy}"))
    numerics = sweep.settings.numerics
    if numerics is not None and numerics.accepted:
        lines.append(("numerics", f"also trained under others: {'; '.join(numerics.accepted)}"))
    return [(label, text.cut(line)) for label, line in lines]


def _confirmed(frames: SweepFrames) -> int:
    return int(frames.confirmations["confirms"].nunique())


def progress(frames: SweepFrames) -> dict[str, Any]:
    """Return trials and epochs, done and planned, and the number of trials by status."""
    plan, counts = frames.sweep.plan, Counter(frames.trials["status"])
    begun, epochs = len(frames.trials) - counts[TrialStatus.PENDING], len(frames.epochs)
    trials_planned, epochs_planned = plan.all_trials, plan.all_epochs
    left_out = None
    if frames.sweep.state is not SweepState.FINISHED and trials_planned is not None:
        left_out = {"trials": trials_planned - begun, "epochs": (epochs_planned or 0) - epochs}
    return {
        "trials": len(frames.trials),
        "trials_begun": begun,
        "trials_planned": trials_planned,
        "epochs": epochs,
        "epochs_planned": epochs_planned,
        "left_out": left_out,
        **{status: counts[status] for status in _COUNTED},
    }


def _measured(frames: SweepFrames) -> list[tuple[str, str]]:
    """What the scores measure, unless it is the BCE in nats, as ever."""
    if frames.sweep.scoring.is_binary_crossentropy:
        return []
    return [("score", frames.score_words.description)]


def _search(frames: SweepFrames) -> list[str]:
    """Return how configurations were chosen; nothing of Hyperband, of which the trials tell."""
    sweep = frames.sweep
    is_other = not sweep.settings.has_rungs and sweep.settings.iterations > 0
    return [sweep.settings.search_in_words(sweep.plan.trials)] if is_other else []


def _number(value: int | None) -> str:
    return "an unknown number" if value is None else f"{value:,}"


def _ends(trials: pd.DataFrame) -> str:
    """Return how many trials ended how: ": 2 finished, 23 stopped early, 123 cut"."""
    words = {TrialStatus.STOPPED: "stopped early", TrialStatus.CUT: "cut by Hyperband"}
    counts = Counter(trials["status"])
    found = [f"{counts[status]:,} {words.get(status, status)}" for status in _COUNTED]
    found = [line for line, status in zip(found, _COUNTED, strict=True) if counts[status]]
    return f": {', '.join(found)}" if found else ""
