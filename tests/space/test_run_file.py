"""A file that searches or trains is stopped at its import, and can be taken by what it defines."""

from pathlib import Path
from typing import Any

import pytest

from sweep.errors import InvalidSpaceError
from sweep.space.home import Home
from sweep.space.run_file import run_file

BUILD = """
def make(hp):
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(WIDTH)])
"""
SCRIPT = f'''"""A script as people keep them."""
from __future__ import annotations
import keras
import keras_tuner as kt
import numpy as np
import no_such_plotting as plots

WIDTH = 3
{BUILD}
table = np.loadtxt("gone.csv")
y = table[:, 0]
tuner = kt.RandomSearch(make, objective="val_loss", directory="out", overwrite=True)
tuner.search(table, y)
print("done")
if __name__ == "__main__":
    raise SystemExit
'''


@pytest.fixture(autouse=True)
def _keras(keras: Any) -> None:
    return


@pytest.fixture
def run(tmp_path: Path) -> Any:
    def run(text: str, wanted: str | None = None) -> Any:
        path = tmp_path / "script.py"
        path.write_text(text)
        return run_file(path, Home(tmp_path), wanted)

    return run


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("kt.RandomSearch(make, objective='val_loss', overwrite=True, directory={out!r})", "tuner"),
        ("kt.Hyperband(make, 'val_loss', overwrite=True, directory={out!r})", "makes a tuner"),
        ("kt.Tuner.search(object.__new__(kt.GridSearch))", "searches"),
        ("keras.Sequential().fit([1], [2])", "trains a model"),
        ("keras.Model().train_on_batch([1])", "trains a model"),
    ],
)
def test_no_search_and_no_training_while_a_file_is_imported(run, does, said, tmp_path, keras):
    old = tmp_path / "out" / "untitled_project" / "trial.json"
    old.parent.mkdir(parents=True)
    old.write_text("kept")
    before = keras.Model.fit
    text = f"import keras\nimport keras_tuner as kt\nWIDTH = 1\n{BUILD}\n"
    with pytest.raises(InvalidSpaceError, match="must only define") as caught:
        run(text + does.format(out=str(tmp_path / "out")))
    assert said in str(caught.value)
    assert "line 8: " in str(caught.value)
    assert "--build make" in str(caught.value)
    assert old.read_text() == "kept"
    assert keras.Model.fit is before


def test_what_reads_data_is_named_by_its_line(run):
    text = f"import keras\nimport numpy as np\nWIDTH = 1\n{BUILD}\nx = np.loadtxt('gone.csv')\n"
    with pytest.raises(InvalidSpaceError, match=r"line 8: FileNotFoundError.*--build make") as e:
        run(text)
    assert "\n" not in str(e.value)


def test_a_script_is_taken_by_what_its_search_space_needs_and_the_rest_is_named(run):
    module, said = run(SCRIPT, "make")
    assert module.make(None).count_params() == 15
    assert not hasattr(module, "tuner")
    assert [line.split(":")[0] for line in said] == [
        "make needs only a part of script.py; not run",
        "line 6",
        *(f"line {n}" for n in (13, 14, 15, 16, 17)),
    ]
    assert said[2] == "line 13: table = np.loadtxt('gone.csv')"


def test_statements_that_change_what_is_needed_are_run_in_their_order(run):
    module, said = run(
        """
import keras, random
WIDTHS = [1]
WIDTHS.append(2)
others = [9]
others.append(8)
WIDTHS[0] = 5
random.shuffle(WIDTHS)
SHAPE = tuple(WIDTHS)
try:
    import no_such_package
except ImportError:
    FOUND = False
def helper():
    return SHAPE, FOUND
class Mine:
    shape = staticmethod(helper)
def make(hp):
    others = 3
    return Mine.shape()
BASELINES = dict(a={"width": 1})
print(make(0))
""",
        "make",
    )
    assert module.make(None) in (((5, 2), False), ((2, 5), False))
    assert module.BASELINES == {"a": {"width": 1}}
    assert said[1:] == ("line 6: others.append(8)", "line 22: print(make(0))")


def test_what_is_needed_and_fails_is_named(run):
    text = SCRIPT.replace("Dense(WIDTH)", "Dense(table.shape[1])")
    with pytest.raises(InvalidSpaceError, match=r"as far as make needs it: line 13: File.*gone"):
        run(text, "make")
