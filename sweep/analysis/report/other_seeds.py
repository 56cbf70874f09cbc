"""The table of repeated trials as text: their mean over seeds, and what needs explaining."""

import pandas as pd

from sweep import words
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.other_seeds import bias, is_by_expected
from sweep.analysis.report import openings
from sweep.analysis.report.table import Column, optional, trial_names
from sweep.tasks.score_words import ScoreWords

TITLE = "Repeats under other seeds"


def columns(frames: SweepFrames) -> list[Column]:
    """Return the columns of the table of repeats, the lowest mean first."""
    rows, shown = frames.confirmed, frames.score_words
    decimals = [shown.decimals(error) for error in rows["val_score_se"]]
    pairs = [
        shown.with_error(value, error, n)
        for value, error, n in zip(rows["val_score"], rows["val_score_se"], decimals, strict=True)
    ]
    ends = [
        shown.interval(low, high, n) if low == low else words.MISSING
        for low, high, n in zip(
            rows["val_score_low"], rows["val_score_high"], decimals, strict=True
        )
    ]
    scores = list(zip(rows["search_val_score"], decimals, strict=True))
    differences = Column("own − mean", _differences(rows, shown, decimals))
    return [
        Column("place", [words.count(rank) for rank in rows["rank"]]),
        Column("trial", trial_names(rows), left=True),
        Column("params", [words.count(n) for n in optional(rows["params"])]),
        Column("seeds", [words.count(n) for n in rows["seeds"]]),
        Column(f"mean {shown.val} ± SE", pairs),
        Column("95 % interval", ends),
        Column("own score", [shown.score(value, n) for value, n in scores]),
        *([differences] if rows["bias"].notna().any() else []),
        Column(
            "gap", [shown.gap(value, n) for value, n in zip(rows["gap"], decimals, strict=True)]
        ),
        Column("onset", [_onset(row) for _, row in rows.iterrows()]),
        Column("epochs", [words.count(round(n)) for n in rows["epochs"]]),
        Column("seconds", [words.seconds(value) for value in rows["seconds"]]),
    ]


def notes(frames: SweepFrames) -> list[str]:
    """Return the notes that a reader of the table of repeats needs."""
    shown = frames.score_words
    own = (
        "A searched trial's own run is left out, because it was chosen for its score; a "
        "baseline's own run counts."
    )
    executions = frames.sweep.settings.executions
    if executions > 1:
        own = (
            f"The search had {executions} runs of each trial and chose by their mean, which is "
            "shown; of a trial that was confirmed since, the mean is over the later runs alone."
        )
    covers = "SE and interval cover both the seeds and the validation rows."
    if is_by_expected(frames.confirmed):
        covers = (
            "SE covers the seeds and the validation rows; the interval is that of the score "
            "to expect on new rows, and covers the choice of the epochs, too. The order is that of "
            "these expected scores."
        )
    found = [
        f"mean: over the repeats, each trained in full under another seed. {own} {covers}",
        "onset: the median over seeds, with the earliest and the latest; "
        f"{_NEVER}: in most runs, or in all, {shown.val} did not {shown.rise} for good.",
    ]
    average = bias(frames.confirmed)
    if average is not None:
        how_far = shown.signed(average.value, average.error)
        if average.trials == 1:
            how_far = f"{how_far}, too few to tell,"
        elif not average.is_sure:
            how_far = f"no difference found ({how_far}; 95 % confidence)"
        found.append(
            f"own − mean: {shown.below} 0 if the score in the search was better than the repeats; "
            f"{how_far} on average over {words.counted(average.trials, 'searched trial')}. The "
            "repeats use the same validation rows, so selection bias from these rows is not in "
            "it: see sweep test."
        )
    taken = openings.note(frames)
    return found if taken is None else [*found, taken]


_NEVER = "never"


def _differences(rows: pd.DataFrame, shown: ScoreWords, decimals: list[int]) -> list[str]:
    return [
        words.MISSING if value != value else shown.signed_at(value, n)
        for value, n in zip(rows["bias"], decimals, strict=True)
    ]


def _onset(row: "pd.Series[float]") -> str:
    """40 (35–52), 40 (35–never), never (35–never), never."""
    if row["overfit"] == 0:
        return _NEVER
    middle, first, last = (
        _NEVER if pd.isna(row[name]) else words.count(row[name])
        for name in ("onset_epoch", "onset_first", "onset_last")
    )
    return middle if first == last else f"{middle} ({first}–{last})"
