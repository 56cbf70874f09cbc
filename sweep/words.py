"""Numbers and stored strings as they are shown to people. Files for programs do not round."""

import math
import unicodedata
from collections.abc import Sequence

from sweep.records import Value

MISSING = "–"
_STEERING = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


def plain(text: object) -> str:
    """`text` on one line, without characters that steer a terminal or reverse its reading."""
    line = str(text)
    return line if line.isprintable() else line.translate(_PLAIN)


class _Plain(dict[int, str]):
    """What each character becomes, found out once: a forged text may have ten million of them."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        is_steering = unicodedata.category(character) in _STEERING
        self[code] = " " if character.isspace() else "�" if is_steering else character
        return self[code]


_PLAIN = _Plain()


DECIMALS = 4
"""Of a BCE whose error is unknown."""


def score(value: float, decimals: int = DECIMALS) -> str:
    """0.5432; 1.23e+05 when it diverged."""
    if not math.isfinite(value):
        return MISSING
    return f"{value:.{decimals}f}" if abs(value) < 100 else f"{value:.3g}"


def decimals_of(error: float) -> int:
    """Decimals that a value with this standard error deserves: the error's first two digits.

    0.015 → 3, 0.0078 → 4, at most 6; `DECIMALS` when the error is unknown or 0.
    """
    if not math.isfinite(error) or error <= 0:
        return DECIMALS
    return min(max(1 - math.floor(math.log10(error)), 0), 6)


def with_error(value: float, error: float, decimals: int) -> str:
    """0.577 ± 0.015; the value alone when the error is unknown."""
    shown = score(value, decimals)
    if shown == MISSING or not math.isfinite(error):
        return shown
    return f"{shown} ± {score(error, decimals)}"


_FIXED = (1e-4, 1e7)
"""Sizes of amounts that are written without an exponent."""
_FAR_OFF = 1e4
"""Times its usual size from which on a number is written short: it diverged."""
_SMALLEST = -290
"""Power of ten below which double precision runs out."""
_DIGITS = 4
"""Of an amount whose error is unknown."""


def first_digits(error: float) -> int:
    """Decimals that show the first two digits of an error; below 0, places before the point."""
    return 1 - math.floor(math.log10(error))


def decimals_of_size(size: float | None) -> int:
    """Decimals that show four digits of a number of this size."""
    if not size or not math.isfinite(size):
        return DECIMALS
    return _DIGITS - 1 - math.floor(math.log10(abs(size)))


def rounded(value: float, decimals: int, size: float) -> str:
    """An amount at so many decimals, in the style of amounts of this size: 2,900; 3.02e-6."""
    if not math.isfinite(value):
        return MISSING
    size = abs(size) or 1.0
    if abs(value) >= _FAR_OFF * size and abs(value) >= 1:
        return f"{value:.3g}"
    if _FIXED[0] <= size < _FIXED[1]:
        return f"{round(value, decimals) + 0.0:,.{max(decimals, 0)}f}"
    exponent = math.floor(math.log10(size))
    if exponent < _SMALLEST:
        return f"{value:.3g}"
    return f"{value / 10.0**exponent:.{max(decimals + exponent, 0)}f}e{exponent}"


def amount(value: float, digits: int = _DIGITS, *, trailing: bool = True) -> str:
    """A number by itself, with so many significant digits: 2,900; 0.0302; 3.02e-6."""
    if not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    shown = rounded(value, digits - 1 - math.floor(math.log10(abs(value))), value)
    if trailing or "." not in shown:
        return shown
    mantissa, mark, exponent = shown.partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')}{mark}{exponent}"


def difference(value: float, error: float) -> str:
    """-0.017 ± 0.005, +0.017 ± 0.005: rounded to the error."""
    shown = with_error(value, error, decimals_of(error))
    return shown if value < 0 or shown == MISSING else f"+{shown}"


def count(value: float | None) -> str:
    """1,234."""
    return MISSING if value is None or math.isnan(value) else f"{int(value):,}"


def trials(number: int) -> str:
    """1 trial, 2,000 trials."""
    return counted(number, "trial")


def parameters(number: float | None) -> str:
    """1 parameter, 2,000 parameters; – parameters if the number is unknown."""
    return (
        counted(int(number), "parameter")
        if number is not None and count(number) != MISSING
        else f"{MISSING} parameters"
    )


def counted(number: int, noun: str) -> str:
    """1 assignment, 2,000 assignments."""
    return f"{number:,} {noun if number == 1 else f'{noun}s'}"


def seconds(value: float) -> str:
    """3.4 below a hundred, 1,234 above."""
    if not math.isfinite(value):
        return MISSING
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def duration(seconds: float) -> str:
    """12 s, 3 min 5 s, 2 h 7 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def size(n_bytes: int) -> str:
    """512 bytes, 3.4 MB, 1.2 GB."""
    if n_bytes < 1000:
        return f"{n_bytes} bytes"
    if n_bytes < 1e6:
        return f"{n_bytes / 1e3:.1f} kB"
    return f"{n_bytes / 1e6:,.1f} MB" if n_bytes < 1e9 else f"{n_bytes / 1e9:,.1f} GB"


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
        return cut(str(value))
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


LONGEST = 300
"""Characters of a stored text from which on reports for people show its beginning only."""


def cut(text: str) -> str:
    """Return a stored text of any length for people: at most `LONGEST` characters, without control
    characters; what is cut is counted: "abc… (9,999,700 characters more)".
    """
    if len(text) <= LONGEST:
        return plain(text)
    return f"{plain(text[:LONGEST])}… ({counted(len(text) - LONGEST, 'character')} more)"


def shortened(text: str, length: int) -> str:
    """Return at most `length` characters, an ellipsis for what is cut: for charts, not files."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
