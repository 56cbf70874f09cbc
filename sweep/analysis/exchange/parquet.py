"""A sweep as Parquet files for pandas, Polars, DuckDB or R, with a data dictionary beside them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sweep.analysis.answers.regularisers import kinds_of
from sweep.analysis.frames.load import EPOCH_COLUMNS, TRIAL_COLUMNS, SweepFrames
from sweep.analysis.frames.names import metric_names
from sweep.analysis.report.older_names import older_name
from sweep.disk import whole
from sweep.errors import PlatformError

if TYPE_CHECKING:
    import polars as pl

_TEXT = frozenset(("baseline", "status", "class", "error"))
_FLAGS = frozenset(("tied", "simplest"))
_OBJECTS = frozenset(("hyperparameters", "regularisation", "metrics"))
"""Columns of objects: those have columns of their own, or words."""
_NAMES = [name for name in TRIAL_COLUMNS if name not in _OBJECTS]
_PREFIX = "hyperparameter."
_METRIC = "metric."


def write_parquet(frames: SweepFrames, folder: Path) -> list[Path]:
    """Write `trials.parquet`, `epochs.parquet` and `dictionary.json` into `folder`.

    Full precision, null for what is missing; a column `hyperparameter.NAME` for each
    hyperparameter, as text where its values are of several types.
    Raises PlatformError when a file cannot be written.
    """
    import polars as pl

    trials = trial_columns(frames)
    epochs = [pl.Series(name, frames.epochs[name].to_numpy()) for name in EPOCH_COLUMNS]
    trials, epochs = (_with_older_names(frames, columns) for columns in (trials, epochs))
    paths = [folder / name for name in ("trials.parquet", "epochs.parquet", "dictionary.json")]
    described = json.dumps(_dictionary(frames), indent=2) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with whole(paths[0]) as new:
            pl.DataFrame(trials).write_parquet(new)
        with whole(paths[1]) as new:
            pl.DataFrame(epochs).fill_nan(None).write_parquet(new)
        with whole(paths[2]) as new:
            new.write_text(described)
    except OSError as error:
        raise PlatformError(f"cannot write into {folder}: {error.strerror or error}") from error
    return paths


def trial_columns(frames: SweepFrames) -> "list[pl.Series]":
    """Return the columns of `trials.parquet`: numbers, flags and text, null for what is missing."""
    import polars as pl

    unseen = _unseen(frames)
    nothing = [None] * len(frames.trials)
    trials = [
        pl.Series(
            name,
            nothing if name in unseen else _values(frames.trials[name]),
            dtype=_dtype(frames, name),
        )
        for name in _NAMES
    ]
    trials.append(pl.Series("regularised_by", kinds_of(frames).tolist(), dtype=pl.String))
    trials += [_setting(frames, name) for name in frames.hyperparameter_names]
    return trials + [_metric(frames, name) for name in metric_names(frames)]


def _unseen(frames: SweepFrames) -> set[str]:
    """Columns that hold nothing true where a script's own `run_trial` trains."""
    if not frames.sweep.data.is_unseen:
        return set()
    counted = set() if frames.sweep.settings.has_rungs else {"epochs", "last_epoch"}
    return {"best_epoch", *counted}


def _with_older_names(frames: SweepFrames, columns: list[Any]) -> list[Any]:
    """The columns, and each score of a sweep of BCE once more under the name it once had."""
    if not frames.sweep.scoring.is_binary_crossentropy:
        return columns
    older = [
        (one, older_name(one.name))
        for one in columns
        if not one.name.startswith((_PREFIX, _METRIC))
    ]
    return columns + [one.alias(name) for one, name in older if name is not None]


def _described(frames: SweepFrames, columns: dict[str, str]) -> dict[str, str]:
    """The dictionary of columns, with the older names of a sweep of BCE."""
    if not frames.sweep.scoring.is_binary_crossentropy:
        return columns
    older = {older_name(name): f"the same as {name}" for name in columns}
    return columns | {name: said for name, said in older.items() if name is not None}


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


def _metric(frames: SweepFrames, name: str) -> Any:
    """The column of one of the models' own metrics."""
    import polars as pl

    values = [one.get(name) for one in frames.trials["metrics"]]
    return pl.Series(f"{_METRIC}{name}", values, dtype=pl.Float64)


def _score(frames: SweepFrames) -> str:
    """What the scores measure, in words: "binary cross-entropy, in nats"."""
    measure, unit = frames.sweep.scoring.measure, frames.score_words.unit
    return f"{measure.name}, in {unit}" if unit else measure.name


def _dictionary(frames: SweepFrames) -> dict[str, Any]:
    settings = {"regularised_by": "kinds of regulariser in the built model: none, l2 + dropout, …"}
    settings |= {
        f"{_PREFIX}{name}": "value of the hyperparameter" for name in frames.hyperparameters
    }
    settings |= {
        f"{_METRIC}{name}": "the model's own metric at the best epoch"
        for name in metric_names(frames)
    }
    return {
        "sweep": frames.sweep.name,
        "data": frames.sweep.data.source,
        "score": f"{_score(frames)}; lower is better",
        "trials.parquet": _described(frames, {n: TRIAL_COLUMNS[n] for n in _NAMES} | settings),
        "epochs.parquet": _described(frames, EPOCH_COLUMNS),
    }
