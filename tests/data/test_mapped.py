"""Values that another process of this host reads with one copy of their arrays."""

import numpy as np

from sweep.data.mapped import read_mapped, write_mapped


def test_arrays_come_back_as_they_are_in_the_file_and_not_as_a_copy(tmp_path):
    given = {"x": np.arange(6, dtype=np.float32).reshape(2, 3), "none": np.zeros((0, 3)),
             "odd": np.ones(3, np.uint8), "words": np.array(["a", "b"], object)}  # fmt: skip
    path = tmp_path / "value"
    with path.open("wb") as file:
        write_mapped((given, "more"), file)
    with path.open("rb") as file:
        found, more = read_mapped(file)
    assert more == "more" and list(found) == list(given)
    for name, array in given.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    assert not found["x"].flags.owndata and not found["x"].flags.writeable
    assert found["odd"].ctypes.data % 64 == 0
