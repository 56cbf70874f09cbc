"""The rows a sweep trains and validates on. Test rows are not among them: they are sealed."""

from pathlib import Path

import numpy as np

from sweep.data.cache.array_file import sha256_of
from sweep.data.cache.cache import HIGGS_KEY, Cache, Dataset, default_cache_dir
from sweep.data.higgs.import_file import open_file
from sweep.data.labels import class_counts, refuse_one_class
from sweep.data.ranges import (
    DEFAULT_TEST_ROWS,
    DEFAULT_TRAIN_ROWS,
    DEFAULT_VALIDATION_ROWS,
    row_ranges,
)
from sweep.data.rows import Inputs, Rows, Split
from sweep.data.simulation.cached import BUILTIN_KIND, open_builtin
from sweep.data.split_record import ClassBalance, PartHashes, SplitHashes, SplitRecord
from sweep.errors import DataError

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


def load_split(
    data: str = "auto",
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
    if data in ("auto", "higgs"):
        dataset = cache.open(HIGGS_KEY)
        if dataset is not None:
            return HIGGS_KEY, dataset
        if data == "higgs":
            raise DataError(
                f"no HIGGS data in {cache.root}; get them with: sweep data fetch, "
                "or sweep data import FILE"
            )
    if data in ("auto", BUILTIN_KIND):
        return open_builtin(cache, rows)
    try:
        return open_file(cache, Path(data))
    except DataError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise DataError(f"no data {data!r}: expected auto, builtin, higgs or a file") from error
        raise


def _rows(dataset: Dataset, part: tuple[int, int]) -> Rows:
    """Copies, so that whatever happens to the cache's files cannot reach a running sweep."""
    first, end = part
    return Rows(dataset.x[first:end].copy(), dataset.y[first:end].astype(np.float32))


def _sha256(rows: Rows) -> PartHashes:
    return PartHashes(sha256_of(rows.array), sha256_of(rows.y))
