"""How raw columns become the numbers that models see, fitted on training rows only.

A value is kept as it was fitted: validation and test rows, and rows given to an exported model,
are prepared by the same numbers.
"""

from dataclasses import asdict, dataclass

from sweep.exact import Finite, Flag, Text
from sweep.records import Json


@dataclass(frozen=True)
class ColumnPreparation:
    """What is done with one raw column.

    Numbers become (value − mean) / spread, after `fill` has taken the place of missing ones.
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


@dataclass(frozen=True)
class Preparation:
    """What is done with each raw column, in the order in which the file has them."""

    columns: tuple[ColumnPreparation, ...]
    standardized: Flag = False
    """Whether numbers were given mean 0 and spread 1 over the training rows."""

    @property
    def names(self) -> list[str]:
        """Names of the prepared columns: "age", "age is missing", "colour=red"."""
        return [name for column in self.columns for name in prepared_names(column)]

    def to_json(self) -> Json:
        return asdict(self)


def prepared_names(column: ColumnPreparation) -> list[str]:
    """Return the names of the columns that a raw column becomes."""
    if column.levels is not None:
        return [f"{column.name}={level or '(missing)'}" for level in column.levels]
    return [column.name, f"{column.name} is missing"] if column.indicator else [column.name]
