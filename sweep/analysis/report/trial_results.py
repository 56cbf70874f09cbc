"""A trial's results as labels with their texts: what `sweep show` and the service's pages say."""

from typing import TYPE_CHECKING, Any

from sweep import words
from sweep.tasks.score_words import ScoreWords

if TYPE_CHECKING:
    import pandas as pd


def results_of(row: "pd.Series[Any]", shown: ScoreWords) -> list[tuple[str, str]]:
    """Return a trial's results as labels with their texts. `row` is of `SweepFrames.trials`."""
    from sweep.analysis.frames.trial_status import standing

    places, root = shown.decimals(float(row["val_score_se"])), shown.root(row["val_score"])
    score = shown.with_error(row["val_score"], row["val_score_se"], places)
    return [
        ("rank", words.count(row["rank"])),
        ("params", _count(row["params"])),
        (shown.val, f"{score} ({root})" if root else score),
        (shown.train, shown.score(row["train_score"], places)),
        ("gap", shown.gap(row["gap"], places)),
        ("tied", {True: "with the best", False: "no", None: words.MISSING}[row["tied"]]),
        ("class", row["class"] or words.MISSING),
        ("best epoch", _count(row["best_epoch"])),
        ("onset", _count(row["onset_epoch"])),
        ("epochs", words.count(row["epochs"])),
        ("status", standing(row["status"], row["epochs"])),
    ]


def _count(value: Any) -> str:
    import pandas as pd

    return words.count(None if pd.isna(value) else int(value))
