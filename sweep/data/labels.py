"""What the labels of a split allow: whether anything can be learned and measured from its rows.

The counts of both classes are enough to tell, and they are kept with a sweep: what is refused or
warned of before a sweep begins can be said of a stored one too.
"""

import math

import numpy as np
from numpy.typing import NDArray

from sweep.data.split_record import ClassBalance, ClassCounts, SplitRecord
from sweep.errors import DataError

RARE = 0.05
"""Share of the rows below which a class is rare."""
_ERRORS = 5.0
"""Standard errors beyond which two shares do not differ by chance: once in two million splits."""
_SHUFFLE = "shuffle the file's rows, if they are sorted"


def refuse_one_class(balance: ClassBalance, source: str) -> None:
    """Raise DataError if nothing can be learned or measured on these rows: see `refusal`."""
    found = refusal(balance, source)
    if found is not None:
        raise DataError(found)


def refusal(balance: ClassBalance, source: str) -> str | None:
    """Why nothing can be learned or measured: a part has one class only. None if it can.

    A single validation row is of one class whatever the data are: `concerns` says what it lacks.
    """
    for part, counts, what, option in (
        ("training", balance.train, "nothing can be learned from them", "--train-rows"),
        ("validation", balance.validation, "nothing can be measured on them", "--validation-rows"),
    ):
        if min(counts.signal, counts.background) == 0 and _rows(counts) > (part == "validation"):
            label = 1 if counts.signal else 0
            rows = f"all {_rows(counts):,} {part} rows are"
            if _rows(counts) == 1:
                rows = f"the only {part} row is"
            return (
                f"{rows} of class {label} in {source}, {what}: "
                f"{_SHUFFLE}, or take more with {option}"
            )
    return None


def concerns(balance: ClassBalance) -> list[str]:
    """What makes scores on these rows doubtful, a sentence each, with the shares; often nothing."""
    found = [
        line
        for part, counts in (("training", balance.train), ("validation", balance.validation))
        for line in _of_part(part, counts)
    ]
    if differ(balance.train, balance.validation):
        found.append(
            f"class 1 is {percent(share(balance.train))} of the training rows, but "
            f"{percent(share(balance.validation))} of the validation rows, more than chance "
            f"allows: {_SHUFFLE} by label or in time"
        )
    return found


def concerns_of(data: SplitRecord) -> list[str]:
    """What makes scores on a split's rows doubtful, a sentence each; nothing if it is not known."""
    if data.warnings is not None:
        return list(data.warnings)
    return [] if data.class_balance is None else concerns(data.class_balance)


def class_counts(labels: NDArray[np.generic]) -> ClassCounts:
    """Count both classes among labels that are 0 or 1, of any type."""
    n_signal = int(labels.sum(dtype=np.int64))
    return ClassCounts(n_signal, len(labels) - n_signal)


def share(counts: ClassCounts) -> float:
    """Share of class 1 among the rows; NaN without rows."""
    return counts.signal / _rows(counts) if _rows(counts) else math.nan


def _of_part(part: str, counts: ClassCounts) -> list[str]:
    if part == "validation" and _rows(counts) == 1:
        return ["too few validation rows for an error: 1"]
    least = min(counts.signal, counts.background)
    if not least:
        label = 1 if counts.signal else 0
        return [f"all {_rows(counts):,} {part} rows are of class {label}"] if _rows(counts) else []
    if least / _rows(counts) >= RARE:
        return []
    label = 1 if counts.signal == least else 0
    of = percent(least / _rows(counts))
    return [
        f"class {label} is only {of} of the {part} rows ({least:,} of {_rows(counts):,}): look at "
        "the AUC, as the accuracy of always saying the other class is high"
    ]


def differ(one: ClassCounts, other: ClassCounts) -> bool:
    """Whether the shares differ by more than chance: the test of two proportions, pooled."""
    n_one, n_other = _rows(one), _rows(other)
    if min(n_one, n_other) < 2:
        return False
    pooled = (one.signal + other.signal) / (n_one + n_other)
    error = math.sqrt(pooled * (1 - pooled) * (1 / n_one + 1 / n_other))
    return abs(share(one) - share(other)) > _ERRORS * error > 0


def _rows(counts: ClassCounts) -> int:
    return counts.signal + counts.background


def percent(part: float) -> str:
    """3.1 %, 52.9 %."""
    return f"{100 * part:.3g} %"
