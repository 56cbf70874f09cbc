"""What the columns of a table are: numbers or words, with nulls where a value is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from sweep.errors import DataError
from sweep.words import counted

if TYPE_CHECKING:
    import polars as pl

NO_VALUE = ("", "?", "na", "n/a", "nan", "null")
"""What stands for a missing value, in small letters."""
_NO_NUMBER = (*NO_VALUE, "none", "-", ".")
"""The same in a column whose other values are numbers."""
_TRUTH = ({"true", "false"}, {"true"}, {"false"})
_INDEX_NAMES = ("", "Unnamed: 0")
_MOST_NAMED = 20


@dataclass(frozen=True)
class Columns:
    """A table whose columns are Float64, or String, each null where a value is missing."""

    frame: "pl.DataFrame"
    notes: tuple[str, ...] = ()
    """What was converted, a sentence each."""


def plain_columns(frame: "pl.DataFrame", source: str, *, truth: bool = False) -> Columns:
    """Return a table's columns as numbers or words; True and False are words if `truth`, else 1, 0.

    Raises DataError naming a column of dates, lists or another kind, or with infinite numbers.
    """
    import polars as pl

    notes: list[str] = []
    found = []
    for series in frame.iter_columns():
        plain, note = _plain(series, source, truth)
        if note:
            notes.append(note)
        if plain.dtype == pl.Float64 and plain.is_infinite().any():
            row = int(plain.is_infinite().fill_null(False).arg_max() or 0) + 1
            raise DataError(
                f"{source}, row {row:,}: column {series.name!r} is infinite, expected a finite "
                f"number; mend or remove the row{'' if truth else leave_out(series.name)}"
            )
        found.append(plain)
    # by name: polars gives a column whose name is empty a name of its own
    return Columns(pl.DataFrame({plain.name: plain for plain in found}), tuple(notes))


def leave_out(name: str) -> str:
    """Return the end of an advice: or to leave out a column that is no label."""
    return f", or leave the column out with --drop {name!r}"


def without_index(frame: "pl.DataFrame") -> Columns:
    """Return the table without a first column that has no name and numbers the rows."""
    first = frame.columns[0]
    if first not in _INDEX_NAMES or not frame[first].dtype.is_integer() or frame.width < 2:
        return Columns(frame)
    if not counts_up(frame[first]):
        return Columns(frame)
    return Columns(frame.drop(first), ("the first column numbers the rows: it is left out",))


def counts_up(series: "pl.Series") -> bool:
    """Whether the values are consecutive integers from 0 or 1."""
    start = series[0]
    if series.null_count() or start not in (0, 1) or len(series) < 3:
        return False
    return bool((series.diff().drop_nulls() == 1).all())


def find_columns(given: Sequence[str], names: Sequence[str], option: str, source: str) -> list[str]:
    """Return the columns that an option names, by name or by position: from 1, or −1 for the last.

    Several may stand between commas.

    Raises DataError, which lists the columns, if there is no such column.
    """
    found = []
    for wanted in _apart(given, names):
        name = _find(wanted, names)
        if name is None:
            near = get_close_matches(wanted, names, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise DataError(
                f"{option} is {wanted!r}, but {source} has no such column{hint}; "
                f"its columns: {listed(names)}"
            )
        if name not in found:
            found.append(name)
    return found


def listed(names: Sequence[str]) -> str:
    """a, b, c; at most 20 of them."""
    more = f", … ({len(names) - _MOST_NAMED} more)" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _apart(given: Sequence[str], names: Sequence[str]) -> list[str]:
    """What is between commas, unless a column has that name."""
    return [
        one
        for wanted in given
        for one in ([wanted] if wanted in names else map(str.strip, wanted.split(",")))
        if one
    ]


def _find(wanted: str, names: Sequence[str]) -> str | None:
    if wanted in names:
        return wanted
    same = [name for name in names if name.strip().lower() == wanted.strip().lower()]
    if len(same) == 1:
        return same[0]
    try:
        position = int(wanted)
    except ValueError:
        return None
    if 1 <= position <= len(names):
        return names[position - 1]
    return names[position] if -len(names) <= position < 0 else None


def _plain(series: "pl.Series", source: str, truth: bool) -> tuple["pl.Series", str]:
    """The column as Float64 or String, and what was converted."""
    import polars as pl

    kind = series.dtype
    if kind == pl.Null:
        return series.cast(pl.Float64), ""
    if kind == pl.Boolean and truth:
        return series.replace_strict([False, True], ["False", "True"], return_dtype=pl.String), ""
    if kind == pl.Boolean or kind.is_numeric():
        return series.cast(pl.Float64).fill_nan(None), ""
    if kind in (pl.Categorical, pl.Enum, pl.String):
        return _words_or_numbers(series.cast(pl.String), truth)
    what = "dates or times" if kind.is_temporal() else f"values of kind {kind}"
    raise DataError(
        f"{source}: column {series.name!r} holds {what}, expected numbers or words; turn it into "
        f"numbers, or leave it out with --drop {series.name!r}"
    )


def _words_or_numbers(series: "pl.Series", truth: bool) -> tuple["pl.Series", str]:
    import polars as pl

    name = series.name
    words = series.str.strip_chars()
    small = words.str.to_lowercase()
    number = _without(words, small.is_in(_NO_NUMBER)).cast(pl.Float64, strict=False).fill_nan(None)
    n_absent = int(small.is_in(_NO_NUMBER).sum()) + series.null_count()
    if number.null_count() == n_absent and n_absent < len(series):
        said = counted(n_absent - series.null_count(), "word")
        absent = f", and {said} for a missing one" if n_absent > series.null_count() else ""
        return number, f"column {name!r} holds numbers written as text{absent}"
    words = _without(words, small.is_in(NO_VALUE))
    small = words.str.to_lowercase()
    if not truth and set(small.drop_nulls().unique().to_list()) in _TRUTH:
        return (small == "true").cast(pl.Float64), f"column {name!r}: True is 1, False is 0"
    n_numbers = len(series) - number.null_count()
    if n_numbers > len(series) / 2:
        row = int((words.is_not_null() & number.is_null()).arg_max() or 0)
        return words, (
            f"column {name!r} holds words among its numbers, as {words[row]!r} in row {row + 1:,}: "
            "all are taken for words"
        )
    return words, ""


def _without(series: "pl.Series", absent: "pl.Series") -> "pl.Series":
    """The values, null where `absent`."""
    import polars as pl

    return series.zip_with(~absent.fill_null(True), pl.Series([None], dtype=series.dtype))
