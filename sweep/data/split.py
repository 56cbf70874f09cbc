"""The rows a sweep trains and validates on. Test rows are not among them: they are sealed."""

from pathlib import Path

import numpy as np

from sweep.data.cache.array_file import sha256_of
from sweep.data.cache.cache import HIGGS_KEY, Cache, Dataset, default_cache_dir
from sweep.data.higgs.import_file import open_file
from sweep.data.kinds import AUTO, BUILTIN, HIGGS, KINDS
from sweep.data.labels import class_counts, refuse_one_class
from sweep.data.own_data import OwnData, Sizes
from sweep.data.ranges import (
    DEFAULT_TEST_ROWS,
    DEFAULT_TRAIN_ROWS,
    DEFAULT_VALIDATION_ROWS,
    row_ranges,
)
from sweep.data.rows import Inputs, Rows, Split
from sweep.data.simulation.cached import BUILTIN_KIND, open_builtin
from sweep.data.split_record import ClassBalance, PartHashes, SplitHashes, SplitRecord
from sweep.data.tables.own_split import own_split, whole_split
from sweep.data.tables.reading import is_higgs_shaped, read_again, read_file
from sweep.data.tables.splitting import rows_asked
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


_NO_OPTIONS = OwnData()


def load_split(
    data: str = AUTO,
    *,
    train_rows: int = DEFAULT_TRAIN_ROWS,
    validation_rows: int = DEFAULT_VALIDATION_ROWS,
    test_rows: int | None = None,
    own: OwnData = _NO_OPTIONS,
    cache_dir: Path | None = None,
) -> Split:
    """Return the split of `data`, without its test rows, which stay sealed.

    `data` is "auto" (cached HIGGS if there is one, built-in events otherwise), "builtin",
    "higgs", or a file or folder of any kind that is read here, parsed at its first use only.

    Data in HIGGS format are taken in order: validation rows first, then training rows, then test
    rows; `test_rows=None` means the default, or what is left. Any other file is read, prepared
    and split as `own` says; there the numbers of rows count if they differ from their defaults.
    Sizes in `own` go before the numbers of rows.

    Raises DataError if data are missing or damaged, if there are too few rows, if those of one
    part are all of one class, or if an option in `own` does not fit the data.
    """
    cache = Cache(default_cache_dir() if cache_dir is None else cache_dir)
    if not is_higgs_format(data, own):
        numbered = Sizes(
            train="" if train_rows == DEFAULT_TRAIN_ROWS else str(train_rows),
            validation="" if validation_rows == DEFAULT_VALIDATION_ROWS else str(validation_rows),
            test="" if test_rows is None else str(test_rows),
        )
        return own_split(
            read_file(cache, Path(data), own.header),
            own if own.sizes else own.with_sizes(numbered),
        )
    wanted = validation_rows + train_rows + (DEFAULT_TEST_ROWS if test_rows is None else test_rows)
    key, dataset = open_data(data, cache, wanted)
    rows, origin = dataset.manifest.rows, dataset.manifest.origin
    sizes = own.sizes
    ranges = row_ranges(
        rows,
        source=origin.source,
        train_rows=_asked(sizes.train, "--train-rows", rows, train_rows),
        validation_rows=_asked(sizes.validation, "--validation-rows", rows, validation_rows),
        test_rows=rows_asked(sizes.test, rows, "--test-rows") if sizes.test else test_rows,
    )
    train = _rows(dataset, ranges.train)
    validation = _rows(dataset, ranges.validation)
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
    weights = _class_weights(balance) if own.class_weight else ()
    return Split(train, validation, origin.source, manifest, class_weights=weights)


def load_test_rows(manifest: SplitRecord, cache_dir: Path | None = None) -> Rows:
    """Return the sealed test rows that belong to a split. No trial may see them.

    They are prepared as the training rows were. Raises DataError when the data have changed or
    gone since the split was loaded.
    """
    cache = Cache(default_cache_dir() if cache_dir is None else cache_dir)
    ranges, source, hashes = manifest.row_ranges, manifest.source, manifest.sha256
    if ranges is None or hashes is None or manifest.cache_key is None:
        raise DataError(f"it is not known which rows of {source} the sweep has not seen")
    if manifest.own is not None:
        read = read_again(cache, manifest.cache_key, source)
        whole = whole_split(read, manifest.own, manifest.preparation)
        found = whole.split.manifest.sha256
        if found is None or found.train != hashes.train:
            raise DataError(f"{source} has changed since the sweep began; restore the data")
        return whole.test
    if manifest.kind == BUILTIN_KIND:
        dataset = open_builtin(cache, ranges.test[1])[1]
    else:
        dataset_found = cache.open(manifest.cache_key)
        if dataset_found is None:
            raise DataError(f"{source} is not in the cache {cache.root} any more; get it again")
        dataset = dataset_found
    if _sha256(_rows(dataset, ranges.train)) != hashes.train:
        raise DataError(f"{source} has changed since the sweep began; restore the data")
    return _rows(dataset, ranges.test)


def open_data(data: str, cache: Cache, rows: int) -> tuple[str, Dataset]:
    """Return the cache's key and the verified arrays of data in HIGGS format.

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
    return open_file(cache, Path(data))


def is_higgs_format(data: str, own: OwnData) -> bool:
    """Whether data are HIGGS, its simulation, or a file like it that nothing else is asked of.

    Raises DataError if there is no such file, or if HIGGS is to be read in another way.
    """
    if data in KINDS:
        refused = [name for name in own.given if not _fits_higgs(name, own)]
        if refused:
            option = refused[0].replace("_", "-")
            raise DataError(
                f"--{option} is for files of your own, --data is {data}, which every sweep has "
                "alike, so that sweeps compare: leave it out, or name a file, also one of HIGGS, "
                "to have it read as a table of your own"
            )
        return True
    path = Path(data)
    if not path.exists():
        raise DataError(f"no data {data!r}: expected {', '.join(KINDS)} or a file")
    return path.is_file() and not own.given and is_higgs_shaped(path)


def _fits_higgs(name: str, own: OwnData) -> bool:
    """Whether an option asks for what holds for HIGGS anyway, or can be done with it."""
    return name == "class_weight" or getattr(own, name) in (
        {"split": "ordered", "task": "binary", "label": ("label",)}.get(name),
        False,  # of what is on or off: no header, not standardized
    )


def _asked(size: str, option: str, rows: int, number: int) -> int:
    return rows_asked(size, rows, option) if size else number


def _class_weights(balance: ClassBalance) -> tuple[float, ...]:
    """n / (2 · rows of the class), of the training rows."""
    counts = balance.train.background, balance.train.signal
    return tuple(sum(counts) / (2 * count) for count in counts)


def _rows(dataset: Dataset, part: tuple[int, int]) -> Rows:
    """Copies, so that whatever happens to the cache's files cannot reach a running sweep."""
    first, end = part
    return Rows(dataset.x[first:end].copy(), dataset.y[first:end].astype(np.float32))


def _sha256(rows: Rows) -> PartHashes:
    return PartHashes(sha256_of(rows.array), sha256_of(rows.y))
