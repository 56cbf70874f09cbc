"""How a file of a user's own is read, prepared and split: what was asked, kept with the sweep."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sweep.errors import InvalidSpaceError, UsageError
from sweep.exact import Flag, Integer, Positive, Text
from sweep.records import Json
from sweep.tasks.task import TaskKind

MISSING = ("", "mean", "median", "indicator")
TASKS = ("", *(str(kind) for kind in TaskKind))
CLASS_WEIGHTS = ("", "balanced")
SPLITS = ("ordered", "shuffled", "group:COLUMN")
GROUP = "group:"
PARTS = ("train", "validation", "test")
"""Parts of the rows, each with an option for its size."""
_SHARE = re.compile(r"(\d+(?:\.\d+)?) *%|(0?\.\d+)", re.ASCII)


@dataclass(frozen=True)
class Sizes:
    """Rows of each part as asked for: a number, a share ("20%"), or "" for the default."""

    train: Text = ""
    validation: Text = ""
    test: Text = ""

    def __bool__(self) -> bool:
        return bool(self.train or self.validation or self.test)

    def to_json(self) -> Json:
        return asdict(self)


@dataclass(frozen=True)
class OwnData:
    """What is to be done with a file's columns and rows; the defaults mean: see for yourself.

    Data in HIGGS format know all this; there the defaults change nothing.
    """

    label: tuple[Text, ...] = ()
    """Columns to predict, by name or position from 1; () for the one called label, target, …"""
    drop: tuple[Text, ...] = ()
    """Columns to leave out, by name or position."""
    task: Text = ""
    """binary, classes, amount or labels; "" to tell it from the label."""
    missing: Text = ""
    """What stands in place of missing values: mean, median or indicator; "" to refuse them."""
    max_levels: Positive = 50
    """Different words in a column up to which each becomes a column of its own."""
    standardize: Flag | None = None
    """Whether columns get mean 0 and spread 1; None: tables do."""
    header: Flag | None = None
    """Whether the first line of a CSV names the columns; None to tell it from the lines."""
    split: Text = ""
    """ordered, shuffled or group:COLUMN; "" for shuffled."""
    split_column: Text = ""
    """A column that says train, validation or test for each row; "" for none."""
    split_seed: Integer = 0
    """Of the shuffle: the same seed gives the same parts."""
    class_weight: Text = ""
    """balanced: in the training loss, each class counts the same; "" for each row the same."""
    sizes: Sizes = Sizes()

    def __post_init__(self) -> None:
        """Raises InvalidSpaceError naming the first option that cannot be."""
        for name, allowed in (
            ("task", TASKS),
            ("missing", MISSING),
            ("class_weight", CLASS_WEIGHTS),
        ):
            _check(name, getattr(self, name), allowed)
        group = self.split.removeprefix(GROUP) if self.split.startswith(GROUP) else None
        if group is None:
            _check("split", self.split, ("", *SPLITS[:2]), SPLITS)
        elif not group:
            raise InvalidSpaceError("--split is 'group:', expected the name of a column after it")
        if self.split and self.split_column:
            raise InvalidSpaceError("give --split or --split-column, not both")
        if self.max_levels < 2:
            raise InvalidSpaceError(f"--max-levels is {self.max_levels}, expected at least 2")
        if not 0 <= self.split_seed < 2**63:
            raise InvalidSpaceError(f"--split-seed is {self.split_seed}, expected 0 to 2^63 - 1")

    @property
    def group(self) -> str | None:
        """The column whose rows of one value stay together, if there is one."""
        return self.split.removeprefix(GROUP) if self.split.startswith(GROUP) else None

    @property
    def given(self) -> list[str]:
        """Names of the options that differ from their defaults, without the sizes of the parts."""
        default = OwnData()
        return [
            field.name
            for field in fields(self)
            if field.name != "sizes" and getattr(self, field.name) != getattr(default, field.name)
        ]

    def with_sizes(self, sizes: Sizes) -> "OwnData":
        return replace(self, sizes=sizes)

    def to_json(self) -> Json:
        return asdict(self)


def own_data_of(given: Mapping[str, Any]) -> OwnData:
    """Return what options, by their names, say of a file; the others have their defaults.

    Raises InvalidSpaceError naming a bad one.
    """
    values = {f.name: given[f.name] for f in fields(OwnData) if given.get(f.name) is not None}
    values |= {name: tuple(values[name]) for name in ("label", "drop") if name in values}
    sizes = Sizes(*(given.get(f"{part}_rows") or "" for part in PARTS))
    return OwnData(**values).with_sizes(sizes)


def numbers_of(given: Mapping[str, Any]) -> dict[str, int]:
    """Return the sizes of the parts that options give as numbers, by setting; not the shares.

    Raises UsageError for what is neither a number nor a share.
    """
    found = {}
    for part in PARTS:
        text = given.get(f"{part}_rows")
        if text is None:
            continue
        try:
            found[f"{part}_rows"] = int(text.replace(",", ""))
        except ValueError as error:
            if share_of(text) is None:
                raise UsageError(
                    f"--{part}-rows is {text!r}, expected a number or a share such as 20%"
                ) from error
    return found


def share_of(size: str) -> float | None:
    """Return the share that a size means: 0.2 for "20%" and "0.2"; None if it is no share."""
    found = _SHARE.fullmatch(size.strip())
    if found is None:
        return None
    return float(found[1]) / 100 if found[1] else float(found[2])


def _check(
    name: str, value: str, allowed: tuple[str, ...], said: tuple[str, ...] | None = None
) -> None:
    if value not in allowed:
        words = ", ".join(word for word in said or allowed if word)
        option = name.replace("_", "-")
        raise InvalidSpaceError(f"--{option} is {value!r}, expected one of: {words}")
