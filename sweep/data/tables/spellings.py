"""Words that seem to be one, written in several ways: YES and yes, 1 and 1.0, Y beside Yes and No.

Each spelling would silently be a class, or a column, of its own.
"""

import unicodedata
from collections.abc import Mapping
from decimal import Decimal, DecimalException
from typing import TYPE_CHECKING

from sweep.words import counted, cut

if TYPE_CHECKING:
    import polars as pl

_YES = {"yes", "y", "true", "t", "1"}
_NO = {"no", "n", "false", "f", "0"}
_MOST_DIGITS = 28
"""Of a number whose digits are all compared: decimals are exact up to there."""
_MOST_NAMED = 3


def of(series: "pl.Series") -> list[dict[str, int]]:
    """Return the groups of a column of words that seem to be one: see `alike`."""
    counts = series.drop_nulls().value_counts(name="rows")
    return alike(dict(zip(counts[series.name], counts["rows"], strict=True)))


def alike(words: Mapping[str, int]) -> list[dict[str, int]]:
    """Return the words, with their rows, that differ in case, blanks or a number's form only.

    Words for yes and no are one each if a column has no others. Each group has two at least; the
    words of most rows stand first.
    """
    small = {word: _plain(word) for word in words}
    is_answer = len(words) > 2 and set(small.values()) <= _YES | _NO
    groups: dict[str, dict[str, int]] = {}
    for word in sorted(words, key=lambda word: (-words[word], word)):
        same = small[word]
        if is_answer:
            same = "yes" if same in _YES else "no"
        groups.setdefault(same, {})[word] = words[word]
    return [group for group in groups.values() if len(group) > 1]


def said(groups: list[dict[str, int]]) -> str:
    """Return groups of spellings in words: "'yes' (60 rows) and 'YES' (4 rows)"."""
    parts = []
    for group in groups[:_MOST_NAMED]:
        each = [f"{_shown(word)} ({counted(n, 'row')})" for word, n in group.items()]
        each = each[:_MOST_NAMED] + (["others"] if len(each) > _MOST_NAMED else [])
        parts.append(f"{', '.join(each[:-1])} and {each[-1]}")
    more = len(groups) - _MOST_NAMED
    return "; ".join(parts) + (f"; … ({more} more)" if more > 0 else "")


def _shown(word: str) -> str:
    """A word in quotation marks; letters that are made of several characters as these."""
    shown = cut(word)
    return repr(shown) if unicodedata.normalize("NFKC", shown) == shown else ascii(shown)


def _plain(word: str) -> str:
    """What spellings of one word share."""
    plain = " ".join(unicodedata.normalize("NFKC", word).casefold().split())
    if len(plain) <= _MOST_DIGITS and "_" not in plain:
        try:
            number = Decimal(plain).normalize()
        except DecimalException:  # no number, or one beyond all exponents
            return plain
        if number.is_finite():
            return format(number, "e") if number else "0"
    return plain
