"""TensorBoard logs of a sweep: scalars per trial and the HParams view, from the same records.

TensorBoard's own writer, and its summary functions for HParams, import TensorFlow where it is
installed; its record format and its messages do not. So the files are written here, one per
trial, each whole or not at all.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api_pb2, metadata
from tensorboard.plugins.hparams.plugin_data_pb2 import (
    HParamsPluginData,
    SessionEndInfo,
    SessionStartInfo,
)
from tensorboard.summary.writer.record_writer import RecordWriter

from sweep import words
from sweep.analysis.frames.load import SweepFrames
from sweep.analysis.frames.trial_status import TrialStatus
from sweep.disk import whole
from sweep.errors import PlatformError
from sweep.records import Value

Trial = Mapping[Hashable, Any]
"""A row of `SweepFrames.trials`."""

_MEASURED = ("fit_score", "train_score", "val_score")
"""Columns of scores: written as people see them, higher if better where that is so."""


@dataclass(frozen=True)
class Tags:
    """What a sweep's numbers are called in TensorBoard."""

    scalars: dict[str, str]
    """Tag of each column of the epoch records."""
    scores: dict[str, tuple[str, str]]
    """Tag and name of what the HParams view shows of a trial: at its best epoch."""


def tags(frames: SweepFrames) -> Tags:
    """Return the tags of a sweep: "bce/validation", or "mse/validation"."""
    shown = frames.score_words
    name = "".join(c if c.isalnum() or c == "-" else "_" for c in shown.short.lower()).strip("_")
    scalars = {
        "fit_loss": "loss/fit",
        "fit_score": f"{name}/fit",
        "train_score": f"{name}/train",
        "val_score": f"{name}/validation",
        "val_loss": "loss/validation",
        "val_accuracy": "accuracy/validation",
        "val_auc": "auc/validation",
        "learning_rate": "learning_rate",
    }
    scores = {
        "val_score": ("score/val_score", shown.validation),
        "train_score": ("score/train_score", shown.train),
        "gap": ("score/gap", "gap"),
        "val_auc": ("score/val_auc", "validation AUC"),
        "params": ("score/params", "parameters"),
    }
    for column in ("val_accuracy", "val_auc"):
        is_twice = scalars[column] == scalars["val_score"]
        if is_twice or frames.epochs[column].isna().all():  # an amount has neither
            del scalars[column]
            scores.pop(column, None)
    return Tags(scalars, scores)


def write_tensorboard(frames: SweepFrames, folder: Path) -> list[Path]:
    """Write event files of the sweep and of each trained trial below `folder`; return the paths.

    Written again for the same sweep, the files replace the former ones.
    Raises PlatformError when a file cannot be written.
    """
    found, shown = tags(frames), frames.score_words
    epochs = frames.epochs.copy()
    for name in _MEASURED:
        epochs[name] = shown.shown_all(epochs[name].to_numpy(dtype=float))
    records = dict(iter(epochs.groupby("trial")))
    try:
        written = [_write(folder, _experiment(frames, found), frames.sweep.created_at)]
        for trial in frames.trials.to_dict("records"):
            if trial["trial"] in records:
                at_best = trial | {
                    name: shown.shown(trial[name]) for name in ("val_score", "train_score")
                }
                records_of = records[trial["trial"]]
                events = _events(at_best, records_of, found, frames.sweep.created_at)
                written.append(_write(folder / run_name(trial), events, frames.sweep.created_at))
    except OSError as error:
        raise PlatformError(f"cannot write logs into {folder}: {error.strerror}") from error
    return written


def run_name(trial: Trial) -> str:
    """Return the name of a trial's folder of events: `trial-00012`, `trial-00003-Large`."""
    baseline = trial["baseline"]
    name = f"trial-{trial['trial']:05d}"
    if baseline is None:
        return name
    kept = "".join(c if c.isalnum() and c.isascii() else "_" for c in str(baseline))
    return f"{name}-{kept[:40]}"


def _write(folder: Path, events: Iterable[Event], created_at: float) -> Path:
    """An event file, named so that TensorBoard finds it and a second writing replaces it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"events.out.tfevents.{int(created_at):010d}.sweep"
    with whole(path, through=folder / ".writing") as new, new.open("wb") as file:
        writer = RecordWriter(file)
        first = Event(wall_time=created_at, file_version="brain.Event:2")
        for event in (first, *events):
            writer.write(event.SerializeToString())
    return path


# What the HParams view reads


def _experiment(frames: SweepFrames, found: Tags) -> list[Event]:
    """The hyperparameters and metrics of the whole sweep."""
    experiment = api_pb2.Experiment(
        description=words.plain(f"{frames.sweep.name}: {frames.sweep.data.source}"),
        time_created_secs=frames.sweep.created_at,
        hparam_infos=[
            api_pb2.HParamInfo(name=name, type=_type(frames.hyperparameters[name].tolist()))
            for name in frames.hyperparameter_names
        ],
        metric_infos=[
            api_pb2.MetricInfo(name=api_pb2.MetricName(tag=tag), display_name=name)
            for tag, name in found.scores.values()
        ],
    )
    data = HParamsPluginData(experiment=experiment)
    return [_hparams(metadata.EXPERIMENT_TAG, data, frames.sweep.created_at)]


def _type(values: list[Value | None]) -> Any:
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, bool) for value in known):
        return api_pb2.DATA_TYPE_BOOL
    if any(isinstance(value, str | bool) for value in known):
        return api_pb2.DATA_TYPE_STRING
    return api_pb2.DATA_TYPE_FLOAT64


def _hparams(tag: str, data: HParamsPluginData, wall_time: float) -> Event:
    value = Summary.Value(
        tag=tag, metadata=metadata.create_summary_metadata(data), tensor=metadata.NULL_TENSOR
    )
    return Event(wall_time=wall_time, summary=Summary(value=[value]))


def _events(trial: Trial, records: pd.DataFrame, found: Tags, created_at: float) -> Iterator[Event]:
    """A trial's session: its settings, its epochs, its scores, its end.

    When an epoch ended is not recorded. Its wall time is the sweep's beginning plus the time
    that this trial had been worked on.
    """
    times = created_at + np.nancumsum(records["seconds"].to_numpy())
    end = float(times[-1])
    start = SessionStartInfo(group_name=run_name(trial), start_time_secs=created_at)
    for name, value in trial["hyperparameters"].items():
        _set(start.hparams[name], value)
    data = HParamsPluginData(session_start_info=start)
    yield _hparams(metadata.SESSION_START_INFO_TAG, data, created_at)
    columns = [records[name].to_numpy() for name in found.scalars]
    for row, (epoch, time) in enumerate(zip(records["epoch"], times, strict=True)):
        values = [float(column[row]) for column in columns]
        yield _scalars(zip(found.scalars.values(), values, strict=True), int(epoch), float(time))
    if not pd.isna(trial["best_epoch"]):
        scores = [
            (tag, float(trial[name]))
            for name, (tag, _) in found.scores.items()
            if not pd.isna(trial[name])
        ]
        yield _scalars(scores, int(trial["best_epoch"]), end)
    status = (
        api_pb2.STATUS_FAILURE
        if trial["status"] == TrialStatus.FAILED
        else api_pb2.STATUS_RUNNING
        if trial["status"] == TrialStatus.RUNNING
        else api_pb2.STATUS_SUCCESS
    )
    data = HParamsPluginData(session_end_info=SessionEndInfo(status=status, end_time_secs=end))
    yield _hparams(metadata.SESSION_END_INFO_TAG, data, end)


def _set(field: Any, value: Value) -> None:
    """Put a hyperparameter's value into a protobuf `Value`."""
    if isinstance(value, bool):
        field.bool_value = value
    elif isinstance(value, int | float):
        field.number_value = value
    else:
        field.string_value = str(value)


def _scalars(values: Iterable[tuple[str, float]], step: int, wall_time: float) -> Event:
    summary = Summary(value=[Summary.Value(tag=t, simple_value=v) for t, v in values])
    return Event(wall_time=wall_time, step=step, summary=summary)
