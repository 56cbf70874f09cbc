"""A sweep as an Optuna study in a SQLite file, for optuna-dashboard and Optuna's own analysis.

Optuna is an optional extra; it is imported here only, when a study is written.
"""

import math
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from shutil import copyfile
from typing import Any

import pandas as pd

from sweep.analysis.exchange.optuna_distributions import distributions
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.trial_status import TrialStatus
from sweep.disk import whole
from sweep.errors import PlatformError, UsageError
from sweep.tasks.score_words import ScoreWords

FILE = "optuna.db"
_IDENTITY = "sweep identity"
_STATES = {
    TrialStatus.FINISHED: "COMPLETE",
    TrialStatus.STOPPED: "COMPLETE",
    TrialStatus.CUT: "PRUNED",
    TrialStatus.FAILED: "FAIL",
    TrialStatus.PENDING: "WAITING",
}
"""Optuna's name of each status; of the others, which may still be trained on, RUNNING."""
_ATTRIBUTES = {
    "trial": "trial",
    "baseline": "baseline",
    "status": "status",
    "iteration": "iteration",
    "bracket": "bracket",
    "rung": "rung",
    "params": "parameters",
    "val_score_se": "{val} error",
    "train_score": "{train}",
    "gap": "gap",
    "class": "class",
    "tied": "tied with the best",
    "simplest": "simplest",
    "best_epoch": "best epoch",
    "onset_epoch": "onset epoch",
    "epochs": "epochs",
    "val_accuracy": "val accuracy",
    "val_auc": "val AUC",
    "seconds": "seconds",
    "seed": "seed",
    "error": "error",
}
"""Columns of `SweepFrames.trials` that become user attributes, and what those are called, with the
names of the sweep's scores."""


def write_study(frames: SweepFrames, folder: Path) -> Path:
    """Write the sweep as a study of its name into `folder`/optuna.db; return the path.

    Values are validation scores, to be minimised, or to be maximised where people know them as
    higher if better; intermediate values are those of each epoch. A file that holds the same sweep
    is replaced, whole or not at all.
    Raises PlatformError when Optuna is missing or the file cannot be written, UsageError when
    it holds anything else.
    """
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise PlatformError(
            "-o optuna needs Optuna, which is not installed; do: pip install 'keras-sweep[optuna]'"
        ) from error
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_others(frames, path)
        with tempfile.TemporaryDirectory() as scratch, _quiet(optuna):
            made = Path(scratch) / FILE
            _write(optuna, frames, made)
            with whole(path) as new:
                copyfile(made, new)
    except OSError as error:
        raise PlatformError(f"cannot write into {folder}: {error.strerror or error}") from error
    return path


def _refuse_others(frames: SweepFrames, path: Path) -> None:
    """Unless `path` is missing or holds this sweep alone."""
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            (studies,) = db.execute("SELECT COUNT(*) FROM studies").fetchone()
            found = db.execute(
                "SELECT value_json FROM study_user_attributes WHERE key = ?", (_IDENTITY,)
            ).fetchall()
    except sqlite3.Error:
        studies, found = 0, []
    if studies != 1 or found != [(f'"{frames.sweep.identity}"',)]:
        raise UsageError(f"{path} is not this sweep's study; choose another --folder, or remove it")


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Without Optuna's remarks: that a study was created, that naming its value is experimental."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def _write(optuna: Any, frames: SweepFrames, path: Path) -> None:
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    try:
        sweep, shown = frames.sweep, frames.score_words
        direction = "maximize" if shown.is_turned else "minimize"
        study = optuna.create_study(storage=storage, study_name=sweep.name, direction=direction)
        for name, value in (
            (_IDENTITY, sweep.identity),
            ("state", sweep.state),
            ("space", sweep.space.name),
            ("data", sweep.data.source),
            ("value", _described(shown)),
            ("settings", {k: v for k, v in sweep.settings.to_json().items() if k != "stages"}),
        ):
            study.set_user_attr(name, value)
        study.set_metric_names([shown.validation])
        study.add_trials(_trials(optuna, frames))
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _described(shown: ScoreWords) -> str:
    unit = f", in {shown.unit}" if shown.unit else ""
    return f"{shown.best} {shown.validation}{unit}, without penalty"


def _trials(optuna: Any, frames: SweepFrames) -> Iterator[Any]:
    """Return the trials by number, as Optuna numbers its own; the frames are ordered by rank."""
    known, shown = distributions(frames), frames.score_words
    attributes = {
        name: called.format(val=shown.val, train=shown.train)
        for name, called in _ATTRIBUTES.items()
    }
    curves = dict(iter(frames.epochs.groupby("trial")))
    spans = dict(iter(frames.assignments.groupby("trial")))
    for place in frames.trials["trial"].argsort():
        row = frames.trials.iloc[place]
        state = optuna.trial.TrialState[_state(row)]
        begun, ended = _times(frames, spans.get(row["trial"]))
        params = _without_missing(frames.hyperparameters.iloc[place])
        yield optuna.trial.FrozenTrial(
            number=-1,  # the storage numbers them
            trial_id=-1,
            state=state,
            value=shown.shown(float(row["val_score"]))
            if state.name in ("COMPLETE", "PRUNED")
            else None,
            datetime_start=begun if state.name != "WAITING" else None,
            datetime_complete=ended if state.is_finished() else None,
            params=params,
            distributions={name: known[name] for name in params},
            user_attrs={
                attributes[name]: shown.shown(value) if name == "train_score" else value
                for name, value in _without_missing(row[list(_ATTRIBUTES)]).items()
            },
            system_attrs={},
            intermediate_values=_curve(curves.get(row["trial"]), shown),
        )


def _state(row: "pd.Series[Any]") -> str:
    """Optuna's state. A trial that ended without a score has failed, to Optuna."""
    state = _STATES.get(TrialStatus(row["status"]), "RUNNING")
    if state in ("COMPLETE", "PRUNED") and not math.isfinite(row["val_score"]):
        return "FAIL"
    return state


def _without_missing(values: "pd.Series[Any]") -> dict[str, Any]:
    """Python's own values, without None and numbers that are not finite: JSON has none."""
    found = {name: getattr(v, "item", lambda v=v: v)() for name, v in values.items()}
    return {
        str(name): value
        for name, value in found.items()
        if not pd.isna(value) and value not in (math.inf, -math.inf)
    }


def _curve(epochs: pd.DataFrame | None, shown: ScoreWords) -> dict[int, float]:
    if epochs is None:
        return {}
    pairs = zip(epochs["epoch"], epochs["val_score"], strict=True)
    return {int(epoch): shown.shown(float(value)) for epoch, value in pairs}


def _times(frames: SweepFrames, assignments: pd.DataFrame | None) -> tuple[datetime, datetime]:
    """Return a trial's first and last moment, in local time as Optuna's are."""
    ended = pd.DataFrame() if assignments is None else assignments.dropna(subset=["ended_at"])
    if ended.empty:
        begun = last = float(frames.sweep.created_at)
    else:
        begun = float((ended["ended_at"] - ended["seconds"].fillna(0.0)).min())
        last = float(ended["ended_at"].max())
    return datetime.fromtimestamp(begun), datetime.fromtimestamp(last)
