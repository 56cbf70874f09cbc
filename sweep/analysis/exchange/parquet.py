"""A sweep as Parquet files for pandas, Polars, DuckDB or R, with a data dictionary beside them."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from sweep.analysis.files import atomically
from sweep.analysis.frames.load import TRIAL_COLUMNS, SweepFrames
from sweep.errors import PlatformError
from sweep.records import EpochRecord

_TEXT = frozenset(("baseline", "status", "class", "error"))
_FLAGS = frozenset(("tied", "simplest"))
_PREFIX = "hyperparameter."
_EPOCH_COLUMNS = {
    "trial": "number of the trial",
    "epoch": "epochs trained so far, this one included",
    "fit_loss": "training loss with penalty, averaged while the weights moved",
    "fit_bce": "training BCE, averaged likewise",
    "train_bce": "training BCE in evaluation mode at the epoch's end, in nats",
    "val_bce": "validation BCE with the same weights, in nats",
    "val_loss": "val_bce plus the penalty",
    "val_accuracy": "validation accuracy",
    "val_auc": "area under the validation ROC curve",
    "learning_rate": "the optimizer's rate after the epoch's last step",
    "seconds": "wall time of training and evaluation",
}


def write_parquet(frames: SweepFrames, folder: Path) -> list[Path]:
    """`trials.parquet`, `epochs.parquet` and `dictionary.json` in `folder`, made if need be.

    Full precision, null for what is missing; a column `hyperparameter.NAME` for each
    hyperparameter, as text where its values are of several types.
    Raises PlatformError when a file cannot be written.
    """
    import polars as pl

    names = [name for name in TRIAL_COLUMNS if name != "hyperparameters"]
    trials = [pl.Series(n, _values(frames.trials[n]), dtype=_dtype(frames, n)) for n in names]
    trials += [_setting(frames, name) for name in frames.hyperparameter_names]
    columns = ["trial", *(field.name for field in fields(EpochRecord))]
    epochs = [pl.Series(name, frames.epochs[name].to_numpy()) for name in columns]
    paths = [folder / name for name in ("trials.parquet", "epochs.parquet", "dictionary.json")]
    described = json.dumps(_dictionary(frames, names), indent=2) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        atomically(paths[0], lambda file: pl.DataFrame(trials).write_parquet(file))
        atomically(paths[1], lambda file: pl.DataFrame(epochs).fill_nan(None).write_parquet(file))
        atomically(paths[2], lambda file: Path(file).write_text(described))
    except OSError as error:
        raise PlatformError(f"cannot write into {folder}: {error.strerror or error}") from error
    return paths


def _values(column: "pd.Series[Any]") -> list[Any]:
    values = column.astype(object)
    return values.where(column.notna(), None).tolist()


def _dtype(frames: SweepFrames, name: str) -> Any:
    import polars as pl

    if name in _TEXT:
        return pl.String
    if name in _FLAGS:
        return pl.Boolean
    return pl.Int64 if pd.api.types.is_integer_dtype(frames.trials[name]) else pl.Float64


def _setting(frames: SweepFrames, name: str) -> Any:
    """The column of one hyperparameter."""
    import polars as pl

    values = _values(frames.hyperparameters[name])
    types = {type(value) for value in values if value is not None}
    if types == {int, float}:
        values = [None if value is None else float(value) for value in values]
    elif len(types) != 1:
        values = [None if value is None else str(value) for value in values]
        return pl.Series(f"{_PREFIX}{name}", values, dtype=pl.String)
    return pl.Series(f"{_PREFIX}{name}", values)


def _dictionary(frames: SweepFrames, names: list[str]) -> dict[str, Any]:
    settings = {
        f"{_PREFIX}{name}": "value of the hyperparameter" for name in frames.hyperparameters
    }
    return {
        "sweep": frames.sweep.name,
        "data": frames.sweep.data.source,
        "trials.parquet": {name: TRIAL_COLUMNS[name] for name in names} | settings,
        "epochs.parquet": _EPOCH_COLUMNS,
    }
