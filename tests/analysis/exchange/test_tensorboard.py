import struct

import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorboard.plugins.hparams import api_pb2, metadata

from sweep.analysis.exchange.tensorboard import write_tensorboard
from sweep.analysis.frames.load import load
from sweep.errors import PlatformError
from sweep.records import OutcomeStatus
from tests.support.sweeps import store_sweep, trained


@pytest.fixture
def frames(tmp_path):
    trials = [
        trained(0.65, 0.61, 0.63, baseline="Tiny/../é", params=481),
        trained(0.64, 0.62, hyperparameters={"width": 32, "act": "relu", "skip": True}),
        trained(0.7, ended=OutcomeStatus.FAILED, error="boom"),
        trained(ended=None),
    ]
    with store_sweep(tmp_path / "sweep.db", trials, state="running") as store:
        return load(store)


def events(path):
    """The events of a file, each record's checksums verified."""
    data, found = path.read_bytes(), []
    while data:
        (length,), (crc,) = struct.unpack("<Q", data[:8]), struct.unpack("<I", data[8:12])
        assert crc == masked_crc32c(data[:8])
        body, (crc,) = data[12 : 12 + length], struct.unpack("<I", data[12 + length : 16 + length])
        assert crc == masked_crc32c(body)
        found.append(Event.FromString(body))
        data = data[16 + length :]
    return found


def scalars(path, tag):
    return {
        event.step: value.simple_value
        for event in events(path)
        for value in event.summary.value
        if value.tag == tag
    }


def plugin_data(path, tag):
    return next(
        value.metadata.plugin_data.content
        for event in events(path)
        for value in event.summary.value
        if value.tag == tag
    )


def test_one_file_for_the_sweep_and_one_per_trained_trial(frames, tmp_path):
    paths = write_tensorboard(frames, tmp_path / "logs")
    folders = [path.parent.relative_to(tmp_path / "logs").as_posix() for path in paths]
    assert sorted(folders) == [".", "trial-00000-Tiny_____", "trial-00001", "trial-00002"]
    assert all("tfevents" in path.name for path in paths)
    assert events(paths[0])[0].file_version == "brain.Event:2"


def test_scalars_are_the_records(frames, tmp_path):
    write_tensorboard(frames, tmp_path)
    (path,) = (tmp_path / "trial-00000-Tiny_____").iterdir()
    assert scalars(path, "bce/validation") == pytest.approx({1: 0.65, 2: 0.61, 3: 0.63})
    assert scalars(path, "bce/train") == pytest.approx({1: 0.6, 2: 0.6, 3: 0.6})
    assert scalars(path, "score/val_score") == pytest.approx({2: 0.61})
    assert scalars(path, "score/gap") == pytest.approx({2: 0.01}, abs=1e-6)


def test_the_hparams_view_gets_settings_scores_and_ends(frames, tmp_path):
    experiment_file, *_ = write_tensorboard(frames, tmp_path)
    experiment = metadata.parse_experiment_plugin_data(
        plugin_data(experiment_file, metadata.EXPERIMENT_TAG)
    )
    kinds = {info.name: info.type for info in experiment.hparam_infos}
    assert kinds["width"] == api_pb2.DATA_TYPE_FLOAT64
    assert kinds["act"] == api_pb2.DATA_TYPE_STRING
    assert kinds["skip"] == api_pb2.DATA_TYPE_BOOL
    assert "score/val_score" in [info.name.tag for info in experiment.metric_infos]
    (path,) = (tmp_path / "trial-00001").iterdir()
    start = metadata.parse_session_start_info_plugin_data(
        plugin_data(path, metadata.SESSION_START_INFO_TAG)
    )
    assert start.hparams["width"].number_value == 32
    assert start.hparams["act"].string_value == "relu"
    assert start.hparams["skip"].bool_value is True
    (path,) = (tmp_path / "trial-00002").iterdir()
    end = metadata.parse_session_end_info_plugin_data(
        plugin_data(path, metadata.SESSION_END_INFO_TAG)
    )
    assert end.status == api_pb2.STATUS_FAILURE


def test_writing_again_replaces(frames, tmp_path):
    first = {path: path.read_bytes() for path in write_tensorboard(frames, tmp_path)}
    second = {path: path.read_bytes() for path in write_tensorboard(frames, tmp_path)}
    assert first == second
    assert sum(path.is_file() for path in (tmp_path).rglob("*tfevents*")) == len(first)


def test_an_empty_sweep_can_be_logged(tmp_path):
    with store_sweep(tmp_path / "sweep.db", []) as store:
        assert len(write_tensorboard(load(store), tmp_path / "logs")) == 1


def test_a_folder_that_cannot_be_written_is_one_clear_error(frames, tmp_path):
    (tmp_path / "logs").write_text("a file")
    with pytest.raises(PlatformError, match="cannot write logs into"):
        write_tensorboard(frames, tmp_path / "logs")
