"""What a rare class calls for beside the score: how well it is found among the others."""

import re

from sweep import words
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.ranking import is_scored
from sweep.data.split_record import SplitRecord
from sweep.statistics.intervals import auc_error

RARE = 0.2
"""Share of the validation rows below which a class is found by few, whatever the accuracy."""
_PRECISION = re.compile(r"precision|(^|_)(pr|ap)(_|$)", re.IGNORECASE)


def notes(frames: SweepFrames) -> list[str]:
    """Return what is known of the best trial's AUC and average precision if a class is rare."""
    counts = _counts(frames.sweep.data)
    best = frames.trials[is_scored(frames.trials)].head(1)
    if counts is None or len(counts) != 2 or best.empty or not min(counts):
        return []
    share = min(counts) / sum(counts)
    if share >= RARE:
        return []
    found = [f"A class is rare: {share:.1%} of the validation rows"]
    (row,) = best.to_dict("records")
    area = float(row["val_auc"])
    if area == area:
        error = auc_error(area, counts[1], counts[0])
        shown = words.with_error(area, error, words.decimals_of(error))
        found.append(f"AUC of trial {row['trial']} at its best epoch {shown}")
    precision = {n: v for n, v in row["metrics"].items() if _PRECISION.search(n) and v is not None}
    found += [f"{words.cut(name)} {words.amount(value)}" for name, value in precision.items()]
    if not precision:
        found.append(
            "--objective average_precision ranks by how well it is found, with an error; for its "
            'value beside the score, give the model keras.metrics.AUC(curve="PR") as a metric'
        )
    return [f"{'; '.join(found)}."]


def _counts(data: SplitRecord) -> tuple[int, ...] | None:
    """Validation rows of each class, in the order of the classes; None if they are not known."""
    if data.class_rows is not None:
        return data.class_rows.validation
    if data.class_balance is None:
        return None
    return data.class_balance.validation.background, data.class_balance.validation.signal
