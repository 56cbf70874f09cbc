"""How raw columns become the numbers that models see, fitted on training rows only.

A value is kept as it was fitted: validation and test rows, and rows given to an exported model,
are prepared by the same numbers.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sweep.errors import DataError
from sweep.exact import Finite, Flag, Text
from sweep.records import Json
from sweep.words import cut

if TYPE_CHECKING:
    import polars as pl

_DATE = re.compile(
    r"(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2\d{4})(?:[T ]\d{1,2}:\d{2}.*)?"
)
MISSING_LEVEL = ""
"""The level of words that stands for a missing one."""


@dataclass(frozen=True)
class ColumnPreparation:
    """What is done with one raw column.

    Numbers become (value − mean) / spread, after `fill` has taken the place of missing ones. They
    are rounded to float32 before, as Keras rounds what a model is given.
    Words become a column for each level: 1 where the row has it, else 0.
    """

    name: Text
    levels: tuple[Text, ...] | None = None
    """Of words, in the order of their columns; "" stands for a missing one. None of numbers."""
    fill: Finite | None = None
    """In place of missing numbers; None where none are allowed."""
    indicator: Flag = False
    """Whether a further column says 1 where the number is missing."""
    mean: Finite = 0.0
    spread: Finite = 1.0

    @property
    def scale(self) -> float:
        """Prepared numbers are value · scale + offset, in double precision, then rounded."""
        return 1.0 / self.spread

    @property
    def offset(self) -> float:
        """See `scale`."""
        return -self.mean / self.spread

    @property
    def names(self) -> list[str]:
        """Names of the prepared columns: "age", "age is missing", "colour=red"."""
        if self.levels is not None:
            return [f"{self.name}={level or '(missing)'}" for level in self.levels]
        return [self.name, f"{self.name} is missing"] if self.indicator else [self.name]


@dataclass(frozen=True)
class Preparation:
    """What is done with each raw column, in the order in which the file has them."""

    columns: tuple[ColumnPreparation, ...]
    standardized: Flag = False
    """Whether numbers were given mean 0 and spread 1 over the training rows."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all prepared columns."""
        return tuple(name for column in self.columns for name in column.names)

    @property
    def all_numbers(self) -> bool:
        """Whether every raw column is one of numbers."""
        return all(column.levels is None for column in self.columns)

    def to_json(self) -> Json:
        return asdict(self)


def fit(
    train: "pl.DataFrame", *, missing: str, max_levels: int, standardize: bool, source: str
) -> Preparation:
    """Return the preparation that these training rows give; columns are Float64 or String.

    `missing` is mean, median or indicator, or "" where nothing may be missing. Raises DataError
    naming a column with too many different words, or with dates.
    """
    import polars as pl

    columns = tuple(
        _fit_words(series, max_levels, source)
        if series.dtype == pl.String
        else _fit_numbers(series, missing, standardize, source)
        for series in train.iter_columns()
    )
    return Preparation(columns, standardize)


def prepare(raw: "pl.DataFrame", preparation: Preparation) -> NDArray[np.float32]:
    """Return the prepared rows, (rows, columns), of raw columns that are Float64 or String.

    A word that is no level gives zeros. Raises DataError naming a column that float32 cannot hold.
    """
    found = np.empty((raw.height, len(preparation.names)), dtype=np.float32)
    at = 0
    for column in preparation.columns:
        for values in _prepared(raw[column.name], column):
            with np.errstate(over="ignore"):
                found[:, at] = values
            if not np.isfinite(found[:, at]).all():
                raise _too_large(column.name)
            at += 1
    return found


def n_unknown(raw: "pl.DataFrame", preparation: Preparation) -> dict[str, int]:
    """Return, by column, the number of rows with a word that is no level; without those of none."""
    found = {}
    for column in preparation.columns:
        if column.levels is not None:
            words = raw[column.name].fill_null(MISSING_LEVEL)
            count = int((~words.is_in(list(column.levels))).sum())
            if count:
                found[column.name] = count
    return found


def _fit_words(series: "pl.Series", max_levels: int, source: str) -> ColumnPreparation:
    levels = tuple(sorted(series.fill_null(MISSING_LEVEL).unique().to_list()))
    if all(_DATE.fullmatch(level.strip()) for level in levels if level) and any(levels):
        raise DataError(
            f"{source}: column {series.name!r} holds dates, such as {max(levels)}, expected "
            "numbers or words; turn it into numbers, such as the month or the days since a start, "
            f"or leave it out with --drop {series.name!r}"
        )
    if len(levels) > max_levels:
        raise _too_many_words(series.name, levels, max_levels, source)
    return ColumnPreparation(series.name, levels)


def _too_many_words(name: str, levels: tuple[str, ...], max_levels: int, source: str) -> DataError:
    """Say why a column has so many different words: they may be numbers, but for a few."""
    no_numbers = [level for level in levels if level and not _is_number(level)]
    example = cut(no_numbers[0] if no_numbers else levels[-1])
    leave_out = f"leave the column out with --drop {name!r}"
    if len(no_numbers) < len(levels) / 2:
        return DataError(
            f"{source}: column {name!r} holds words among its numbers, such as {example!r}: mend "
            f"them in the file, or {leave_out}"
        )
    plainly = ""
    if next((sign for sign in example if sign.isalnum()), "").isdigit():  # as in $1,234 and 5 kg
        plainly = "; numbers are written plainly, as in 1234.5"
    return DataError(
        f"{source}: column {name!r} has {len(levels):,} different words, such as {example!r}, and "
        f"at most {max_levels} become columns{plainly}; {leave_out}, or raise --max-levels"
    )


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _fit_numbers(
    series: "pl.Series", missing: str, standardize: bool, source: str
) -> ColumnPreparation:
    if missing and series.null_count() == len(series):
        raise DataError(
            f"{source}: column {series.name!r} has no value in the training rows; leave it out "
            f"with --drop {series.name!r}"
        )
    fill = None
    if missing:
        there = series.drop_nulls().to_numpy()
        fill = float(np.float32(np.median(there) if missing == "median" else there.mean()))
    values = _rounded(series if fill is None else series.fill_null(fill))
    mean, spread = 0.0, 1.0
    if not np.isfinite(values).all():
        raise _too_large(series.name)
    if standardize:
        mean = float(values.mean())
        spread = float(values.std()) if values.min() < values.max() else 1.0
    indicator = missing == "indicator" and series.null_count() > 0
    return ColumnPreparation(
        series.name, fill=fill, indicator=indicator, mean=mean, spread=spread or 1.0
    )


def _prepared(series: "pl.Series", column: ColumnPreparation) -> Iterator[NDArray[np.generic]]:
    """The columns that a raw column becomes, each (rows,)."""
    if column.levels is not None:
        words = series.fill_null(MISSING_LEVEL)
        for level in column.levels:
            yield (words == level).to_numpy()
        return
    if column.fill is None and series.null_count():
        raise DataError(f"column {column.name!r} has missing values, which were not there before")
    values = _rounded(series if column.fill is None else series.fill_null(column.fill))
    if column.mean == 0.0 and column.spread == 1.0:
        yield values
    else:
        yield values * column.scale + column.offset
    if column.indicator:
        yield series.is_null().to_numpy()


def _too_large(name: str) -> DataError:
    return DataError(
        f"column {name!r} has values that float32 cannot hold; change its unit, or leave it out "
        f"with --drop {name!r}"
    )


def _rounded(series: "pl.Series") -> NDArray[np.float64]:
    """Numbers of float32, to be reckoned with in double precision."""
    with np.errstate(over="ignore"):
        return series.to_numpy().astype(np.float32).astype(np.float64)
