"""Numbers and stored strings as they are shown to people. Files for programs do not round."""

import math
import unicodedata
from collections.abc import Sequence

from sweep.records import Value

MISSING = "–"
_STEERING = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


def plain(text: object) -> str:
    """`text` on one line, without characters that steer a terminal or reverse its reading."""
    return "".join(
        " " if character.isspace() else "�" if _steers(character) else character
        for character in str(text)
    )


def _steers(character: str) -> bool:
    return unicodedata.category(character) in _STEERING


def bce(value: float) -> str:
    """0.5432; 1.23e+05 when it diverged."""
    if not math.isfinite(value):
        return MISSING
    return f"{value:.4f}" if abs(value) < 100 else f"{value:.3g}"


def count(value: float | None) -> str:
    """1,234."""
    return MISSING if value is None or math.isnan(value) else f"{int(value):,}"


def trials(number: int) -> str:
    """1 trial, 2,000 trials."""
    return f"{number:,} {'trial' if number == 1 else 'trials'}"


def seconds(value: float) -> str:
    """3.4 below a hundred, 1,234 above."""
    if not math.isfinite(value):
        return MISSING
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def settings(values: Sequence[Value | None]) -> list[str]:
    """A column of one hyperparameter's values, all in one style: 20,000, 0.5, 1e-4, relu."""
    numbers = [abs(v) for v in values if isinstance(v, int | float) and math.isfinite(v)]
    tiny = any(0 < number < 0.01 for number in numbers)
    large = any(number >= 10_000 for number in numbers)
    return [_setting(value, tiny, large) for value in values]


def _setting(value: Value | None, tiny: bool, large: bool) -> str:
    if value is None:
        return MISSING
    if isinstance(value, bool) or not isinstance(value, int | float):
        return plain(value)
    if not math.isfinite(value):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}" if large else str(value)
    if 0 < abs(value) < (0.1 if tiny else 0.0) or abs(value) >= 1e6:
        mantissa, exponent = f"{value:.5e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return f"{value:.6g}"


def rows(first: int, end: int) -> str:
    """Rows from `first` up to, not including, `end`: "0–999", "no"."""
    return f"{first:,}–{end - 1:,}" if end > first else "no"


def shortened(text: str, length: int) -> str:
    """At most `length` characters, an ellipsis for what is cut: for charts, never for files."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
