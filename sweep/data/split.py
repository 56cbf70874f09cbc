"""The rows a sweep trains and validates on. Test rows are not among them: they are sealed."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.data.cache.array_file import sha256_of
from sweep.data.cache.cache import HIGGS_KEY, Cache, Dataset, default_cache_dir
from sweep.data.columns import FEATURES
from sweep.data.higgs.import_file import open_file
from sweep.data.kinds import AUTO, BUILTIN, HIGGS, KINDS
from sweep.data.labels import class_counts, concerns_of, refuse_one_class
from sweep.data.ranges import (
    DEFAULT_TEST_ROWS,
    DEFAULT_TRAIN_ROWS,
    DEFAULT_VALIDATION_ROWS,
    row_ranges,
)
from sweep.data.simulation.cached import BUILTIN_KIND, open_builtin
from sweep.data.split_record import ClassBalance, PartHashes, SplitHashes, SplitRecord
from sweep.data.tables.preparation import Preparation
from sweep.errors import DataError
from sweep.tasks.task import HIGGS_TASK, Task

__all__ = [
    "DEFAULT_TEST_ROWS",
    "DEFAULT_TRAIN_ROWS",
    "DEFAULT_VALIDATION_ROWS",
    "Inputs",
    "Rows",
    "Split",
    "load_split",
    "load_test_rows",
]


Inputs = NDArray[Any] | dict[str, NDArray[Any]]
"""What a model takes: one float32 array (rows, …), or named arrays if it has several inputs."""


@dataclass(frozen=True)
class Rows:
    """The features and targets of one part of a split."""

    x: Inputs
    """(rows, …) float32; or named arrays, of which those of integers keep their type."""
    y: NDArray[np.float32]
    """As `sweep.tasks.task` lays it out: (rows,), or (rows, targets); (rows, …) of an autoencoder
    whose inputs have more axes."""
    weights: NDArray[np.float32] | None = None
    """How much each row counts in the training loss, (rows,); None if all count the same."""

    def __len__(self) -> int:
        return len(self.y)

    @property
    def array(self) -> NDArray[np.float32]:
        """The one input array. Raises DataError if there are several."""
        if isinstance(self.x, dict):
            raise DataError(f"one input array expected, the data have {', '.join(self.x)}")
        return self.x

    @property
    def inputs(self) -> dict[str, NDArray[Any]]:
        """All input arrays by name; the only one is called "x"."""
        return self.x if isinstance(self.x, dict) else {"x": self.x}

    def take(self, rows: NDArray[np.integer] | slice) -> "Rows":
        """Return the rows of these numbers, in their order."""
        weights = None if self.weights is None else self.weights[rows]
        if isinstance(self.x, dict):
            taken = {name: array[rows] for name, array in self.x.items()}
            return Rows(taken, self.y[rows], weights)
        return Rows(self.x[rows], self.y[rows], weights)


@dataclass(frozen=True)
class Split:
    """The rows that trials may see, and where they come from."""

    train: Rows
    validation: Rows
    source: str
    """Name for people: "built-in simulated events", "HIGGS (…)", or a file's name."""
    manifest: SplitRecord
    task: Task = HIGGS_TASK
    columns: tuple[str, ...] = FEATURES
    """Names of the columns of x (rows, columns), or of the inputs; () of images and sequences."""
    preparation: Preparation | None = None
    """What made the rows from raw columns; None where they are as they were."""
    class_weights: tuple[float, ...] = ()
    """Of each class in the training loss, by its number; () for the same of every row."""

    @property
    def concerns(self) -> list[str]:
        """What makes scores on it doubtful, a sentence each."""
        return concerns_of(self.manifest)

    @property
    def input_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of a row of each input; the only one is called "x"."""
        return {name: array.shape[1:] for name, array in self.train.inputs.items()}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the arrays and all that says what they mean: equal if that is."""
        digest = hashlib.sha256()
        for rows in (self.train, self.validation):
            y = rows.y[:, None] if rows.y.ndim == 1 else rows.y  # as a column: it is stored
            for array in (*rows.inputs.values(), y):
                digest.update(f"{array.shape} {sha256_of(array)}\n".encode())
        if self.manifest.task is not None:  # HIGGS format means one thing
            meaning = (self.task, self.columns, self.preparation, self.class_weights)
            digest.update(repr((*meaning, [*self.train.inputs])).encode())
        return digest.hexdigest()


def load_split(
    data: str = AUTO,
    *,
    train_rows: int = DEFAULT_TRAIN_ROWS,
    validation_rows: int = DEFAULT_VALIDATION_ROWS,
    test_rows: int | None = None,
    cache_dir: Path | None = None,
) -> Split:
    """Return the split of `data`: validation rows first, then training rows; test rows stay out.

    `data` is "auto" (cached HIGGS if there is one, built-in events otherwise), "builtin",
    "higgs", or a .csv or .csv.gz file, which is parsed at its first use only. `test_rows=None`
    means the default, or what is left.

    Raises DataError if data are missing or damaged, if there are too few rows, or if those of one
    part are all of one class.
    """
    cache = Cache(default_cache_dir() if cache_dir is None else cache_dir)
    wanted = validation_rows + train_rows + (DEFAULT_TEST_ROWS if test_rows is None else test_rows)
    key, dataset = open_data(data, cache, wanted)
    ranges = row_ranges(
        dataset.manifest.rows,
        source=dataset.manifest.origin.source,
        train_rows=train_rows,
        validation_rows=validation_rows,
        test_rows=test_rows,
    )
    train = _rows(dataset, ranges.train)
    validation = _rows(dataset, ranges.validation)
    origin = dataset.manifest.origin
    balance = ClassBalance(class_counts(train.y), class_counts(validation.y))
    refuse_one_class(balance, origin.source)
    manifest = SplitRecord(
        kind=origin.kind,
        source=origin.source,
        seed=origin.seed,
        rows=dataset.manifest.rows,
        row_ranges=ranges,
        sha256=SplitHashes(_sha256(train), _sha256(validation)),
        class_balance=balance,
        cache_key=key,
    )
    return Split(train, validation, origin.source, manifest)


def load_test_rows(manifest: SplitRecord, cache_dir: Path | None = None) -> Rows:
    """Return the sealed test rows that belong to a split. No trial may see them.

    Raises DataError when the data have changed or gone since the split was loaded.
    """
    cache = Cache(default_cache_dir() if cache_dir is None else cache_dir)
    ranges, source, hashes = manifest.row_ranges, manifest.source, manifest.sha256
    if ranges is None or hashes is None or manifest.cache_key is None:
        raise DataError(f"it is not known which rows of {source} the sweep has not seen")
    if manifest.kind == BUILTIN_KIND:
        dataset = open_builtin(cache, ranges.test[1])[1]
    else:
        found = cache.open(manifest.cache_key)
        if found is None:
            raise DataError(f"{source} is not in the cache {cache.root} any more; get it again")
        dataset = found
    if _sha256(_rows(dataset, ranges.train)) != hashes.train:
        raise DataError(f"{source} has changed since the sweep began; restore the data")
    return _rows(dataset, ranges.test)


def open_data(data: str, cache: Cache, rows: int) -> tuple[str, Dataset]:
    """Return the cache's key and the verified arrays that `data` stands for.

    `rows` is how many built-in events are wanted; the other data have the rows they have.
    Raises DataError when there are none.
    """
    if data in (AUTO, HIGGS):
        dataset = cache.open(HIGGS_KEY)
        if dataset is not None:
            return HIGGS_KEY, dataset
        if data == HIGGS:
            raise DataError(
                f"no HIGGS data in {cache.root}; get them with: sweep data fetch, "
                "or sweep data import FILE"
            )
    if data in (AUTO, BUILTIN):
        return open_builtin(cache, rows)
    try:
        return open_file(cache, Path(data))
    except DataError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            kinds = ", ".join(KINDS)
            raise DataError(f"no data {data!r}: expected {kinds} or a file") from error
        raise


def _rows(dataset: Dataset, part: tuple[int, int]) -> Rows:
    """Copies, so that whatever happens to the cache's files cannot reach a running sweep."""
    first, end = part
    return Rows(dataset.x[first:end].copy(), dataset.y[first:end].astype(np.float32))


def _sha256(rows: Rows) -> PartHashes:
    return PartHashes(sha256_of(rows.array), sha256_of(rows.y))
