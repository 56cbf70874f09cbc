"""The trials of a sweep as a pandas DataFrame to reckon with: each column of one type."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from sweep.analysis.exchange.parquet import trial_columns
from sweep.analysis.frames.load import SweepFrames

if TYPE_CHECKING:
    import polars as pl


def trials_table(frames: SweepFrames) -> pd.DataFrame:
    """Return one row per trial, best first, with the columns of `trials.parquet`."""
    return pd.DataFrame({column.name: _of_pandas(column) for column in trial_columns(frames)})


def _of_pandas(column: "pl.Series") -> "pd.Series[Any]":
    """The same values: floats with NaN, whole numbers and flags with NA where some are missing."""
    import polars as pl

    values = column.to_list()
    if column.dtype == pl.Float64:
        return pd.Series(values, dtype="float64")
    if column.dtype == pl.Int64:
        return pd.Series(values, dtype="Int64" if column.null_count() else "int64")
    if column.dtype == pl.Boolean:
        return pd.Series(values, dtype="boolean" if column.null_count() else "bool")
    return pd.Series(values, dtype="object")
