"""Which rows validate, train and test. Row numbers count from 0; an end is exclusive.

As in TensorFlow's tutorial: the first 1,000 rows validate, the next 10,000 train. The rows behind
them test; of the whole file the last 500,000 do, by the data set's convention.
"""

from dataclasses import dataclass

from sweep.errors import DataError
from sweep.exact import Count
from sweep.words import counted

DEFAULT_VALIDATION_ROWS = 1_000
DEFAULT_TRAIN_ROWS = 10_000
DEFAULT_TEST_ROWS = 10_000
DEFAULT_ROWS = DEFAULT_VALIDATION_ROWS + DEFAULT_TRAIN_ROWS + DEFAULT_TEST_ROWS

WHOLE_FILE_ROWS = 11_000_000
WHOLE_FILE_TEST_ROWS = 500_000


@dataclass(frozen=True)
class RowRanges:
    """First row and end of each part of a split; the parts do not overlap."""

    validation: tuple[Count, Count]
    train: tuple[Count, Count]
    test: tuple[Count, Count]

    def to_json(self) -> dict[str, list[int]]:
        return {
            "validation": list(self.validation),
            "train": list(self.train),
            "test": list(self.test),
        }


def row_ranges(
    rows: int,
    *,
    source: str,
    train_rows: int = DEFAULT_TRAIN_ROWS,
    validation_rows: int = DEFAULT_VALIDATION_ROWS,
    test_rows: int | None = None,
) -> RowRanges:
    """Return the parts' ranges within `rows` rows. `test_rows=None`: the default, or what is left.

    Raises DataError saying how many rows are needed and present, and which option to lower.
    """
    _check_counts(train_rows, validation_rows, test_rows)
    used = validation_rows + train_rows
    needed = used + (test_rows or 0)
    if needed > rows:
        raise DataError(_too_few(rows, source, train_rows, validation_rows, test_rows))
    validation, train = (0, validation_rows), (validation_rows, used)
    if rows < WHOLE_FILE_ROWS:
        n_test = min(DEFAULT_TEST_ROWS, rows - used) if test_rows is None else test_rows
        return RowRanges(validation, train, (used, used + n_test))
    n_test = min(WHOLE_FILE_TEST_ROWS, rows - used) if test_rows is None else test_rows
    return RowRanges(validation, train, (rows - n_test, rows))


def default_ranges(rows: int, source: str) -> RowRanges | None:
    """Return the default ranges, or None if `rows` are too few for them."""
    try:
        return row_ranges(rows, source=source)
    except DataError:
        return None


def _check_counts(train_rows: int, validation_rows: int, test_rows: int | None) -> None:
    for option, value, least in (
        ("--train-rows", train_rows, 1),
        ("--validation-rows", validation_rows, 1),
        ("--test-rows", 0 if test_rows is None else test_rows, 0),
    ):
        if value < least:
            raise DataError(f"{option} is {value}, expected at least {least}")


def _too_few(
    rows: int, source: str, train_rows: int, validation_rows: int, test_rows: int | None
) -> str:
    parts = [f"{validation_rows:,} validation", f"{train_rows:,} training"]
    if test_rows:
        parts.append(f"{test_rows:,} test")
    needed = validation_rows + train_rows + (test_rows or 0)
    left = rows - validation_rows - (test_rows or 0)
    lower = "--train-rows" if left > 0 else "--validation-rows, --train-rows and --test-rows"
    to = f" to {left} or less" if left > 0 else ""
    return (
        f"{source} has {counted(rows, 'row')}, {needed:,} are needed ({' + '.join(parts)}); "
        f"lower {lower}{to}, or get more rows"
    )
