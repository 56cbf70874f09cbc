"""What a rare class calls for beside the score: how well it is found among the others."""

from collections.abc import Hashable
from typing import Any

from sweep import words
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.ranking import is_scored
from sweep.data.split_record import SplitRecord
from sweep.statistics.intervals import auc_error, average_precision_error
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.rare import AUC, AVERAGE_PRECISION, rare_class


def notes(frames: SweepFrames) -> list[str]:
    """Return what is known of the best trial's AUC and average precision if a class is rare.

    Their errors are of the validation rows, told by the numbers of rows alone; of what the trials
    are ranked by, it is that of the table.
    """
    counts = _counts(frames.sweep.data)
    best = frames.trials[is_scored(frames.trials)].head(1)
    if counts is None or best.empty or (rare := rare_class(counts)) is None:
        return []
    n_rare, n_rows = counts[rare], sum(counts)
    (row,) = best.to_dict("records")
    is_of_several = len(counts) > 2
    named = f" of {_named(frames.sweep.data, rare)} against the others" if is_of_several else ""
    of_trial = f"AUC{named} of trial {row['trial']} at its best epoch"
    found = [f"A class is rare: {100 * n_rare / n_rows:.3g} % of the validation rows"]
    measures = row["metrics"]
    area = row["val_auc"] if len(counts) == 2 else measures.get(AUC)
    precision = measures.get(AVERAGE_PRECISION)
    if area is not None and area == area:
        error = _ranked(frames, row, ObjectiveName.AUC, len(counts))
        error = error or auc_error(float(area), n_rare, n_rows - n_rare)
        found.append(f"{of_trial} {_shown(area, error)}")
    if precision is not None:
        error = _ranked(frames, row, ObjectiveName.AVERAGE_PRECISION, len(counts))
        error = error or average_precision_error(float(precision), n_rare)
        share = f"{n_rare / n_rows:.2g}"
        found.append(
            f"average precision {_shown(precision, error)}, which is {share} without any skill"
        )
    return [f"{'; '.join(found)}."]


def _ranked(
    frames: SweepFrames, row: dict[Hashable, Any], objective: ObjectiveName, n_classes: int
) -> float:
    """The standard error of a trial's score if that is the objective of two classes; else 0."""
    error = float(row["val_score_se"])
    is_it = frames.sweep.scoring.objective is objective and n_classes == 2
    return error if is_it and error > 0 else 0.0


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
