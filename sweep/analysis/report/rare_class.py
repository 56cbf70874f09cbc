"""What a rare class calls for beside the score: how well it is found among the others."""

from sweep import words
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.ranking import is_scored
from sweep.data.split_record import SplitRecord
from sweep.statistics.intervals import auc_error, average_precision_error
from sweep.tasks.rare import AUC, AVERAGE_PRECISION, rare_class


def notes(frames: SweepFrames) -> list[str]:
    """Return what is known of the best trial's AUC and average precision if a class is rare.

    Their errors are of the validation rows, told by the numbers of rows alone.
    """
    counts = _counts(frames.sweep.data)
    best = frames.trials[is_scored(frames.trials)].head(1)
    if counts is None or best.empty or (rare := rare_class(counts)) is None:
        return []
    n_rare, n_rows = counts[rare], sum(counts)
    (row,) = best.to_dict("records")
    named = f" of {_named(frames.sweep.data, rare)} against the others" * (len(counts) > 2)
    of_trial = f"AUC{named} of trial {row['trial']} at its best epoch"
    found = [f"A class is rare: {n_rare / n_rows:.1%} of the validation rows"]
    measures = row["metrics"]
    area = row["val_auc"] if len(counts) == 2 else measures.get(AUC)
    precision = measures.get(AVERAGE_PRECISION)
    if area is not None and area == area:
        error = auc_error(float(area), n_rare, n_rows - n_rare)
        found.append(f"{of_trial} {_shown(area, error)}")
    if precision is not None:
        error = average_precision_error(float(precision), n_rare)
        share = f"{n_rare / n_rows:.2g}"
        found.append(
            f"average precision {_shown(precision, error)}, which is {share} without any skill"
        )
    return [f"{'; '.join(found)}."]


def _shown(value: float, error: float) -> str:
    return (
        words.with_error(float(value), error, words.decimals_of(error)) if error else f"{value:g}"
    )


def _named(data: SplitRecord, number: int) -> str:
    return repr(words.cut(data.known_task.classes[number]))


def _counts(data: SplitRecord) -> tuple[int, ...] | None:
    """Validation rows of each class, in the order of the classes; None if they are not known."""
    if data.class_rows is not None:
        return data.class_rows.validation
    if data.class_balance is None:
        return None
    return data.class_balance.validation.background, data.class_balance.validation.signal
