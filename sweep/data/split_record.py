"""Which rows of which data a sweep trains and validates on: kept with the sweep.

The names are the keys of the JSON that the database and `report -o json` hold.
"""

from dataclasses import asdict, dataclass

from sweep.data.ranges import RowRanges
from sweep.exact import Count, Integer, Text
from sweep.records import Json


@dataclass(frozen=True)
class PartHashes:
    """SHA-256 of the bytes of one part's features and of its labels."""

    x: Text
    y: Text


@dataclass(frozen=True)
class SplitHashes:
    """SHA-256 of the arrays of both parts that a sweep sees."""

    train: PartHashes
    validation: PartHashes


@dataclass(frozen=True)
class ClassCounts:
    """Rows of each class."""

    signal: Count
    background: Count


@dataclass(frozen=True)
class ClassBalance:
    """Rows of each class in both parts that a sweep sees."""

    train: ClassCounts
    validation: ClassCounts


@dataclass(frozen=True)
class SplitRecord:
    """Where a split's rows come from, which they are, and what they hash to.

    Every field but `source` may be missing in a sweep that an older version stored.
    """

    kind: Text | None = None
    """higgs, file or builtin."""
    source: Text = "unknown"
    """Name for people."""
    seed: Integer | None = None
    """Of the simulation, for builtin."""
    rows: Count | None = None
    """Of the whole data set."""
    row_ranges: RowRanges | None = None
    sha256: SplitHashes | None = None
    class_balance: ClassBalance | None = None
    cache_key: Text | None = None
    """Under which the cache holds the data set."""
    fingerprint: Text | None = None
    """SHA-256 over all arrays that the sweep sees; set once a sweep is stored."""

    def to_json(self) -> Json:
        """Return the record as a JSON object, without what is missing."""
        values = asdict(self)
        if self.row_ranges is not None:
            values["row_ranges"] = self.row_ranges.to_json()
        return {name: v for name, v in values.items() if v is not None or name == "seed"}
