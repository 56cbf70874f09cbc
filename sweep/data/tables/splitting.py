"""Which rows of a file train, validate and test: by order, by a seeded shuffle, or as it says."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sweep.data.own_data import OwnData, Sizes, share_of
from sweep.data.split_record import SplitRule
from sweep.errors import DataError
from sweep.words import counted

Indices = NDArray[np.int64]

TRAIN, VALIDATION, TEST = 0, 1, 2
DEFAULT_SHARE = 0.2
"""Of the rows that validate, and of those that test."""
MOST_BY_DEFAULT = 10_000
"""Rows to validate and to test: more would lessen the error of a score very little."""
_COUNT = re.compile(r"[0-9][0-9,_]*", re.ASCII)
_PARTS = {
    "train": TRAIN, "training": TRAIN,
    "validation": VALIDATION, "valid": VALIDATION, "val": VALIDATION, "dev": VALIDATION,
    "test": TEST, "testing": TEST,
}  # fmt: skip


@dataclass(frozen=True)
class Counts:
    """Rows of each part."""

    train: int
    validation: int
    test: int


@dataclass(frozen=True)
class SplitParts:
    """The rows of each part by number, and by what rule they were chosen."""

    train: Indices
    validation: Indices
    test: Indices
    rule: SplitRule


def rows_asked(text: str, rows: int, option: str) -> int:
    """Return how many of `rows` rows a size means: "500", "20%" or "0.2".

    Raises DataError if it means nothing, or more than all.
    """
    share = share_of(text)
    if share is not None:
        if share >= 1:
            raise DataError(f"{option} is {text}, expected less than all rows")
        return round(rows * share)
    if not _COUNT.fullmatch(text.strip()):
        raise DataError(f"{option} is {text!r}, expected a number or a share such as 20%")
    return int(re.sub("[,_]", "", text))


def counts_of(rows: int, sizes: Sizes, source: str) -> Counts:
    """Return how many of `rows` rows are in each part: what is asked, the others by default.

    By default a fifth validates and a fifth tests, each at most 10,000, and the others train.
    Raises DataError if there are too few rows.
    """
    asked = {
        part: rows_asked(text, rows, f"--{part}-rows") for part, text in vars(sizes).items() if text
    }
    for part in ("train", "validation"):
        if asked.get(part, 1) < 1:
            raise DataError(f"--{part}-rows is {getattr(sizes, part)}, expected at least 1 row")
    left = rows - sum(asked.values())
    default = max(1, min(MOST_BY_DEFAULT, round(rows * DEFAULT_SHARE)))
    if "train" in asked:  # what it leaves is shared
        n_open = ("validation" not in asked) + ("test" not in asked)
        default = min(default, left // n_open if n_open else 0)
    validation = asked.get("validation", default)
    test = asked.get("test", default)
    train = asked.get("train", rows - validation - test)
    if train < 1 or validation < 1 or train + validation + test > rows:
        raise DataError(
            f"{source} has {counted(rows, 'row')}, too few for {max(train, 0):,} training, "
            f"{max(validation, 0):,} validation and {max(test, 0):,} test rows; lower "
            "--train-rows, --validation-rows or --test-rows"
        )
    return Counts(train, validation, test)


def in_order(rows: int, counts: Counts) -> SplitParts:
    """Training rows first, then validation, then test: the future is predicted from the past."""
    order = np.arange(rows)
    return _cut(order, counts, SplitRule("ordered"))


def shuffled(
    rows: int, counts: Counts, seed: int, classes: NDArray[np.generic] | None = None
) -> SplitParts:
    """Rows in a shuffled order; with `classes` (rows,) each part has the same shares of them."""
    order = np.random.default_rng(seed).permutation(rows)
    rule = SplitRule("shuffled", seed, classes is not None)
    if classes is None:
        return _cut(order, counts, rule)
    _, codes = np.unique(classes, return_inverse=True)
    left = codes[order]  # in the shuffled order
    part_of = np.full(rows, -1)
    for part, count in (
        (VALIDATION, counts.validation),
        (TEST, counts.test),
        (TRAIN, counts.train),
    ):
        free = part_of < 0
        quotas = shares_of(np.bincount(left[free], minlength=int(codes.max()) + 1), count)
        for code, quota in enumerate(quotas):
            part_of[np.flatnonzero(free & (left == code))[:quota]] = part
    return _by_part(order, part_of, rule)


def shares_of(counts: Indices, total: int) -> Indices:
    """Return how many of each class make up `total`, in the proportion of `counts`.

    The largest remainders get what rounding leaves; no class gives more than it has.
    """
    exact = counts * (total / max(1, counts.sum()))
    found: Indices = np.floor(exact).astype(np.int64)
    missing = total - int(found.sum())
    order = np.argsort(-(exact - found), kind="stable")
    for code in order:
        if missing and found[code] < counts[code]:
            found[code] += 1
            missing -= 1
    return found


def grouped(
    groups: NDArray[np.generic], counts: Counts, seed: int, column: str, *, rest_trains: bool
) -> SplitParts:
    """Rows of one group stay together; groups in a shuffled order fill each part about as asked.

    If `rest_trains`, all that neither validate nor test train. Raises DataError if there are fewer
    than three groups.
    """
    names, codes = np.unique(groups, return_inverse=True)
    if len(names) < 3:
        raise DataError(
            f"--split group:{column}: the column has {len(names)} different values, at least 3 "
            "are needed"
        )
    sizes = np.bincount(codes)
    free = list(np.random.default_rng(seed).permutation(len(names)))
    part_of_group = np.full(len(names), -1)
    for n_done, (part, wanted) in enumerate(_in_turn(counts)):
        all_of_it = part == TRAIN and rest_trains
        taken = free if all_of_it else _nearest(free, sizes, wanted, leave=2 - n_done)
        part_of_group[taken] = part
        free = [group for group in free if part_of_group[group] < 0]
    return _by_part(
        np.arange(len(groups)), part_of_group[codes], SplitRule(f"group:{column}", seed)
    )


def _nearest(free: list[int], sizes: Indices, wanted: int, leave: int) -> list[int]:
    """Groups, in their order, that together have about `wanted` rows; one at least if any."""
    taken: list[int] = []
    have = 0
    for group in free:
        if len(free) - len(taken) > leave and abs(have + sizes[group] - wanted) < abs(
            have - wanted
        ):
            taken.append(group)
            have += int(sizes[group])
    return taken or ([min(free, key=lambda group: int(sizes[group]))] if wanted else [])


def given(
    part_of: Indices, own: OwnData, classes: NDArray[np.generic] | None, name: str, source: str
) -> SplitParts:
    """The parts that a file gives, by 0, 1, 2 for each row; without validation rows they are drawn.

    Raises DataError if other sizes are asked for than the file has decided. Those that it has may
    be asked for: they are kept with a sweep.
    """
    if not (part_of == TRAIN).any():
        raise DataError(f"{source} has no training rows")
    has_validation = bool((part_of == VALIDATION).any())
    found = (
        _by_part(np.arange(len(part_of)), part_of, SplitRule(name))
        if has_validation
        else _with_drawn(part_of, own, classes, name, source)
    )
    there = {"train": found.train, "validation": found.validation, "test": found.test}
    for part, text in vars(own.sizes).items():
        if text and text != str(len(there[part])) and (has_validation or part != "validation"):
            raise DataError(
                f"{source} says itself which rows are in each part: leave out --{part}-rows"
            )
    return found


def _with_drawn(
    part_of: Indices, own: OwnData, classes: NDArray[np.generic] | None, name: str, source: str
) -> SplitParts:
    """The parts that a file gives, and validation rows drawn from its training rows."""
    train = np.flatnonzero(part_of == TRAIN)
    counts = counts_of(len(train), Sizes(validation=own.sizes.validation, test="0"), source)
    drawn = shuffled(
        len(train), counts, own.split_seed, None if classes is None else classes[train]
    )
    rule = SplitRule(name, own.split_seed, drawn.rule.stratified)
    return SplitParts(
        train[drawn.train], train[drawn.validation], np.flatnonzero(part_of == TEST), rule
    )


def parts_named(values: NDArray[np.generic], column: str) -> Indices:
    """Return 0, 1 or 2 for each row of a column that says train, validation or test.

    Raises DataError naming a value that says something else.
    """
    names, codes = np.unique(values.astype(str), return_inverse=True)
    numbers = [_PARTS.get(str(name).strip().lower(), -1) for name in names]
    if -1 in numbers:
        raise DataError(
            f"--split-column {column}: {str(names[numbers.index(-1)])!r} is no part, expected "
            "train, validation or test"
        )
    return np.array(numbers, dtype=np.int64)[codes]


def _in_turn(counts: Counts) -> list[tuple[int, int]]:
    """The parts in the order in which they are filled, with their rows."""
    return [(VALIDATION, counts.validation), (TEST, counts.test), (TRAIN, counts.train)]


def _cut(order: Indices, counts: Counts, rule: SplitRule) -> SplitParts:
    ends = np.cumsum([counts.train, counts.validation, counts.test])
    return SplitParts(order[: ends[0]], order[ends[0] : ends[1]], order[ends[1] : ends[2]], rule)


def _by_part(order: Indices, part_of: Indices, rule: SplitRule) -> SplitParts:
    train, validation, test = (order[part_of == part] for part in (TRAIN, VALIDATION, TEST))
    return SplitParts(train, validation, test, rule)
