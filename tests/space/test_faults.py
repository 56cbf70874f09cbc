"""All faults of a file are in one message, each with its line and its cure."""

from typing import Any

import pytest

from sweep.cli.output import show_error
from sweep.errors import InvalidSpaceError, SpaceFaultsError
from sweep.space.faults import Faults
from sweep.space.inputs import columns
from sweep.space.load import load_space

SPACE = """import keras

class Net(keras.Sequential):
    def train_step(self, data):
        return {}

    def evaluate(self, x):
        return 0

def build(hp):
    model = Net([
        keras.Input((5,)),
        keras.layers.Dense(hp.Choice("width", [2, 3])),
        keras.layers.Dense(1),
    ])
    model.compile(
        loss=hp.Choice("loss", ["hinge", "binary_crossentropy", "mape"]),
        metrics=["binary_crossentropy"],
    )
    return model

BASELINES = {"a": {"widht": 2}, "b": {"width": 2}, "c": {"depth": 1}}
FILES = ["gone.npy"]
"""


@pytest.fixture(autouse=True)
def _keras(keras: Any) -> None:
    return


def test_every_fault_of_a_file_is_in_one_message_with_its_line_and_its_cure(tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text(SPACE)
    with pytest.raises(SpaceFaultsError) as caught:
        load_space(str(path), columns(4))
    error = caught.value
    said = "\n".join(error.faults)
    for wanted in (
        "Net.train_step of mine.py (line 4) is not supported",
        "Net.evaluate of mine.py (line 7) is not supported",
        "delete evaluate",
        "(line 12) does not fit the data: it has inputs of shape (None, 5), .* keras.Input((4,))",
        "loss mape",
        "takes probabilities, and the last layer, Dense, gives linear",
        '"loss": "binary_crossentropy"',
        "baseline 'a' of mine.py (line 22) sets widht",
        "baseline 'c' of mine.py (line 22) sets depth",
        "FILES of mine.py (line 23) names 'gone.npy'",
    ):
        for part in wanted.split(" .* "):
            assert part in said, said
    assert len(set(error.faults)) == len(error.faults)
    assert "\n" not in str(error)
    show_error(error)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"error: {path} has {len(error.faults)} faults:"
    assert lines[1:] == [f"  {fault}" for fault in error.faults]


def test_one_fault_is_said_in_one_line_and_very_many_are_counted(tmp_path):
    faults = Faults(tmp_path / "mine.py")
    faults.refuse()
    faults.add(InvalidSpaceError("wrong"))
    faults.add(InvalidSpaceError("wrong"), " (with 3)")
    with pytest.raises(InvalidSpaceError, match=r"^wrong$"):
        faults.refuse()
    for number in range(20):
        faults.add(InvalidSpaceError(f"wrong {number}"))
    with pytest.raises(SpaceFaultsError) as caught:
        faults.refuse()
    assert caught.value.faults[-1] == "and 9 more"
