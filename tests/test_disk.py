"""Writing that leaves a file whole or absent."""

import pytest

from sweep.disk import whole, write_json


def test_a_writing_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.png"
    path.write_text("old")
    with pytest.raises(ValueError), whole(path) as new:
        new.write_text("half")
        raise ValueError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("flushed", [False, True])
def test_the_new_file_takes_the_place_of_the_old_one_at_the_end(tmp_path, flushed):
    path = tmp_path / "a.png"
    path.write_text("old")
    with whole(path, flushed=flushed) as new:
        new.write_text("new")
        assert path.read_text() == "old"
        assert (new.parent, new.suffix) == (tmp_path, ".png"), "some writers go by the suffix"
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_a_block_that_writes_nothing_is_an_error_and_removes_nothing(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), whole(path):
        pass
    assert path.read_text() == "old"


def test_the_caller_may_name_the_file_in_between(tmp_path):
    with whole(tmp_path / "a.npz", through=tmp_path / "a.tmp") as new:
        assert new == tmp_path / "a.tmp"
        new.write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_json_is_written_whole(tmp_path):
    write_json(tmp_path / "a.json", {"rows": 3})
    assert (tmp_path / "a.json").read_text() == '{\n "rows": 3\n}'
    assert len(list(tmp_path.iterdir())) == 1
