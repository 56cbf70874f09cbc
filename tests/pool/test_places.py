"""What `--pool` asks for, and which cores and GPUs each worker gets."""

import pytest

from sweep.errors import UsageError
from sweep.pool.places import gpus, places, pool_asked, pool_here, shares


@pytest.mark.parametrize("text", ["3", "gpus", "ray", "ray:12"])
def test_what_can_be_asked_for(text):
    assert str(pool_asked(text)) == text


@pytest.mark.parametrize("text", ["", "0", "-1", "ray:0", "ray://host", "gpus:2", "9999", "two"])
def test_what_cannot_be_asked_for_is_refused_by_name(text):
    with pytest.raises(UsageError, match="--pool is"):
        pool_asked(text)


def test_cores_are_dealt_once_each_unless_there_are_too_few():
    assert shares((0, 1, 2, 3, 4), 2) == [(0, 1), (2, 3, 4)]
    assert shares((4, 5), 3) == [(4,), (5,), (4,)]


def test_gpus_are_shared_in_turn():
    assert gpus({"CUDA_VISIBLE_DEVICES": "2, GPU-ab"}) == ["2", "GPU-ab"]
    assert gpus({"CUDA_VISIBLE_DEVICES": "-1"}) == []
    found = places(pool_asked("3"), {"CUDA_VISIBLE_DEVICES": "0,1"})
    assert [place.gpu for place in found] == ["0", "1", "0"]
    with pytest.raises(UsageError, match="there is no GPU here"):
        places(pool_asked("gpus"), {"CUDA_VISIBLE_DEVICES": ""})


def test_what_this_host_cannot_have_is_refused_at_the_door(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(UsageError, match="there is no GPU here"):
        pool_here("gpus")
    monkeypatch.setattr("sweep.pool.places.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install \"keras-sweep\[ray\]\""):
        pool_here("ray:4")
    assert str(pool_here("3")) == "3"
