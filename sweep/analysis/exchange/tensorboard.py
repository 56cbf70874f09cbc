"""TensorBoard logs of a sweep: scalars per trial and the HParams view, from the same records.

TensorBoard's own writer, and its summary functions for HParams, import TensorFlow where it is
installed; its record format and its messages do not. So the files are written here, one per
trial, each whole or not at all.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
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

_SCALARS = {
    "fit_loss": "loss/fit",
    "fit_score": "bce/fit",
    "train_score": "bce/train",
    "val_score": "bce/validation",
    "val_loss": "loss/validation",
    "val_accuracy": "accuracy/validation",
    "val_auc": "auc/validation",
    "learning_rate": "learning_rate",
}
"""Tag of each column of the epoch records."""
_SCORES = {
    "val_score": ("score/val_score", "validation BCE"),
    "train_score": ("score/train_score", "train BCE"),
    "gap": ("score/gap", "gap"),
    "val_auc": ("score/val_auc", "validation AUC"),
    "params": ("score/params", "parameters"),
}
"""Tag and name of what the HParams view shows of a trial: at its best epoch, as in the report."""


def write_tensorboard(frames: SweepFrames, folder: Path) -> list[Path]:
    """Write event files of the sweep and of each trained trial below `folder`; return the paths.

    Written again for the same sweep, the files replace the former ones.
    Raises PlatformError when a file cannot be written.
    """
    records = dict(iter(frames.epochs.groupby("trial")))
    try:
        written = [_write(folder, _experiment(frames), frames.sweep.created_at)]
        for trial in frames.trials.to_dict("records"):
            if trial["trial"] in records:
                events = _events(trial, records[trial["trial"]], frames.sweep.created_at)
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


def _experiment(frames: SweepFrames) -> list[Event]:
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
            for tag, name in _SCORES.values()
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


def _events(trial: Trial, records: pd.DataFrame, created_at: float) -> Iterator[Event]:
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
    columns = [records[name].to_numpy() for name in _SCALARS]
    for row, (epoch, time) in enumerate(zip(records["epoch"], times, strict=True)):
        values = [float(column[row]) for column in columns]
        yield _scalars(zip(_SCALARS.values(), values, strict=True), int(epoch), float(time))
    if not pd.isna(trial["best_epoch"]):
        scores = [
            (tag, float(trial[name]))
            for name, (tag, _) in _SCORES.items()
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
