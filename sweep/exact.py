"""Types of the values that come from outside, and the ranges in which each kind of value lies.

What stands in a database may have been forged or damaged, so its values are checked where they are
read: a count is an integer that is not negative, a loss is a number that is not negative. The
checks are strict: `true` and `1.0` are no counts. Records say in their fields' annotations which
of the types a field has; table columns have theirs in `sweep.store.columns`.
"""

import math
from dataclasses import dataclass
from typing import Annotated, Any

_MOST = 2**63 - 1
"""SQLite's and NumPy's largest integer."""
_MOST_TRIALS = 10**9
LARGEST = 1e39
"""Losses and rates are float32, which ends at 3.4e38. Larger finite numbers would overflow."""
_YEAR_9999 = 253_402_300_799.0


@dataclass(frozen=True)
class Exactly:
    """A Python type, and for numbers the range in which they lie, both ends included.

    Infinite numbers are allowed if `infinite` says so; NaN never is.
    """

    kind: type
    low: float = -_MOST - 1
    high: float = _MOST
    infinite: bool = False

    def check(self, value: Any) -> Any:
        """Return `value`, an integer as a float if a float is expected. Raises ValueError."""
        if self.kind is float and type(value) is int and abs(value) <= _MOST:
            value = float(value)
        if type(value) is not self.kind:
            raise ValueError(f"{self.kind.__name__} expected, {_shown(value)} found")
        if isinstance(value, int | float) and not self._is_in_range(value):
            raise ValueError(f"{self.low} to {self.high} expected, {_shown(value)} found")
        return value

    def _is_in_range(self, value: float) -> bool:
        return (self.infinite and math.isinf(value)) or self.low <= value <= self.high

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> Any:
        """How pydantic validates a field with this annotation."""
        from pydantic_core import core_schema  # what reads no records need not wait for pydantic

        return core_schema.no_info_plain_validator_function(self.check)


def _shown(value: object) -> str:
    if isinstance(value, int) and abs(value) > _MOST:
        return "an integer of more than 64 bits"
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


TEXT = Exactly(str)
FLAG = Exactly(bool)
INTEGER = Exactly(int)
COUNT = Exactly(int, 0)
POSITIVE = Exactly(int, 1)
NUMBER = Exactly(int, 0, _MOST_TRIALS)
"""Of a trial, assignment, wave, rung, bracket, iteration or seed: they count up from 0."""
EPOCH = Exactly(int, 0, _MOST_TRIALS)
"""Small enough that sums over all trials are 64-bit integers."""
PARAMS = Exactly(int, 0, 10**15)
LOSS = Exactly(float, 0.0, LARGEST, infinite=True)
REAL = Exactly(float, -LARGEST, LARGEST, infinite=True)
FINITE = Exactly(float, -1.7976931348623157e308, 1.7976931348623157e308)
SHARE = Exactly(float, -1e-6, 1 + 1e-6)
"""0 to 1, with room for rounding."""
SECONDS = Exactly(float, 0.0, 1e12)
INSTANT = Exactly(float, 0.0, _YEAR_9999)
"""Seconds since 1970, UTC."""

Text = Annotated[str, TEXT]
Flag = Annotated[bool, FLAG]
Count = Annotated[int, COUNT]
Epoch = Annotated[int, EPOCH]
Number = Annotated[int, NUMBER]
Positive = Annotated[int, POSITIVE]
Integer = Annotated[int, INTEGER]
Real = Annotated[float, REAL]
Finite = Annotated[float, FINITE]
