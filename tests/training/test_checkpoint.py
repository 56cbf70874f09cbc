"""A checkpoint comes back as it was, or is refused in one line."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.errors import DataError
from sweep.testing.trainer_contract import assert_same_state
from sweep.training.checkpoint import TrialState, read_checkpoint, write_checkpoint
from sweep.training.early_stopping import EarlyStopping


def make_state(seed: int = 0, n_arrays: int = 3) -> TrialState:
    random = np.random.default_rng(seed)
    arrays = tuple(
        random.normal(size=(index + 1, 2)).astype(np.float32) for index in range(n_arrays)
    )
    counter = np.array(2**40, np.int64)
    losses = random.exponential(size=20).astype(np.float32)
    return TrialState(7, (*arrays, counter), arrays, arrays, EarlyStopping(3, 0.25, 5, 2), losses)


def test_a_state_comes_back_to_the_last_bit(tmp_path):
    state = make_state(n_arrays=12)
    write_checkpoint(tmp_path / "a.npz", "s/1", state)
    back = read_checkpoint(tmp_path / "a.npz", "s/1")
    assert_same_state(back, state)
    assert back.model[-1].dtype == np.int64
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_an_infinite_best_comes_back(tmp_path):
    state = TrialState(0, (), (), (), EarlyStopping(None))
    write_checkpoint(tmp_path / "a.npz", "s/1", state)
    assert_same_state(read_checkpoint(tmp_path / "a.npz", "s/1"), state)


def test_a_checkpoint_of_the_first_format_is_read_without_losses(tmp_path):
    write_checkpoint(tmp_path / "new.npz", "s/1", make_state())
    with np.load(tmp_path / "new.npz") as archive:
        arrays = {name: archive[name] for name in archive.files if name != "val_losses"}
    header = json.loads(arrays["header"].tobytes()) | {"format": "sweep.checkpoint/1"}
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    np.savez(tmp_path / "old.npz", **arrays)
    old = read_checkpoint(tmp_path / "old.npz", "s/1")
    assert_same_state(old, replace(make_state(), val_losses=None))


def test_the_checkpoint_of_another_trial_is_refused(tmp_path):
    write_checkpoint(tmp_path / "a.npz", "s/1", make_state())
    with pytest.raises(DataError, match="belongs to s/1, expected s/2"):
        read_checkpoint(tmp_path / "a.npz", "s/2")


def test_a_missing_checkpoint_is_refused(tmp_path):
    with pytest.raises(DataError, match="missing or damaged"):
        read_checkpoint(tmp_path / "a.npz", "s/1")


@given(cut=st.floats(0, 1, exclude_max=True), flip=st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_damaged_checkpoint_is_refused_or_unharmed(tmp_path_factory, cut, flip):
    path = tmp_path_factory.mktemp("c") / "a.npz"
    state = make_state()
    write_checkpoint(path, "s/1", state)
    content = bytearray(path.read_bytes())
    at = int(cut * len(content))
    if flip:
        content[at] ^= 0xFF
    path.write_bytes(content if flip else content[:at])
    try:
        back = read_checkpoint(path, "s/1")
    except DataError as error:
        assert "\n" not in str(error)
    else:
        assert_same_state(back, state)


def test_pickles_are_never_loaded(tmp_path):
    np.savez(tmp_path / "a.npz", header=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DataError, match="damaged"):
        read_checkpoint(tmp_path / "a.npz", "s/1")


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array_header_1_0", full)
    with pytest.raises(OSError, match="No space"):
        write_checkpoint(tmp_path / "a.npz", "s/1", make_state())
    assert list(tmp_path.iterdir()) == []
