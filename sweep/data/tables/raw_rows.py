"""The validation rows as they stand in the file, for a model that prepares them itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sweep.data.cache.cache import Cache, default_cache_dir
from sweep.data.split_record import SplitRecord
from sweep.data.tables.own_split import choose, parts_of
from sweep.data.tables.reading import read_again
from sweep.errors import DataError

if TYPE_CHECKING:
    import polars as pl


def raw_validation(manifest: SplitRecord, cache_dir: Path | None = None) -> list[NDArray[Any]]:
    """Return the raw feature columns of the validation rows, in the file's order, each (rows,).

    Numbers are float32, NaN where one is missing; words are strings, "" where one is missing.
    Raises DataError when the data have gone.
    """
    if manifest.own is None or manifest.cache_key is None:
        raise DataError(f"{manifest.source} has no raw columns")
    cache = Cache(default_cache_dir() if cache_dir is None else cache_dir)
    chosen = choose(read_again(cache, manifest.cache_key, manifest.source), manifest.own)
    if isinstance(chosen.features, dict | np.ndarray):
        raise DataError(f"{manifest.source} has no raw columns")
    _, parts = parts_of(chosen, manifest.own)
    return [_plain(series) for series in chosen.features[parts.validation].iter_columns()]


def _plain(series: "pl.Series") -> NDArray[Any]:
    import polars as pl

    if series.dtype == pl.String:
        return np.asarray(series.fill_null("").to_list(), dtype=object)
    return series.fill_null(float("nan")).to_numpy().astype(np.float32)
