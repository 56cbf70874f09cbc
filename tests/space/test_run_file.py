"""A file that searches or trains is stopped at its import, and can be taken by what it defines."""

import json
from pathlib import Path
from typing import Any

import pytest

from sweep.errors import InvalidSpaceError
from sweep.space.home import Home
from sweep.space.inputs import Inputs, columns
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
    def run(text: str, wanted: str | None = None, inputs: Inputs | None = None) -> Any:
        path = tmp_path / "script.py"
        path.write_text(text)
        return run_file(path, Home(tmp_path), wanted, inputs)

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
    module, lines = run(text + does.format(out=str(tmp_path / "out")))
    assert "not run as a whole: line 8: " in lines[0]
    assert said in lines[0]
    assert lines[-1].startswith("line 8: ")
    assert module.make(None).count_params() == 5
    assert old.read_text() == "kept"
    assert keras.Model.fit is before


@pytest.mark.parametrize(("more", "said"), [("def other(hp): ...", "--build other"), ("", "make")])
def test_what_reads_data_is_named_by_its_line(run, more, said):
    """Where it cannot be told what else to run: there are two search spaces, or none."""
    text = f"import keras\nimport numpy as np\nWIDTH = 1\n{BUILD}\nx = np.loadtxt('gone.csv')\n"
    text = text if more else text.replace("make(hp)", "make(history, y)")
    with pytest.raises(InvalidSpaceError, match=r"line 8: FileNotFoundError") as e:
        run(text + more)
    assert "\n" not in str(e.value)
    assert said in str(e.value) or not more


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
    text = SCRIPT.replace("Dense(WIDTH)", "Dense(n_classes)")
    text = text.replace("y = table", "n_classes = len(set(table)); y = table")
    with pytest.raises(
        InvalidSpaceError, match=r"as far as make needs it: line 13: File.*gone"
    ) as e:
        run(text, "make")
    assert str(e.value).endswith(
        "make needs it for n_classes: write there what n_classes is without it, such as "
        "n_classes = 10 for a number"
    )


def test_data_of_which_only_the_shape_is_needed_are_not_read(run):
    text = SCRIPT.replace("Dense(WIDTH)", "Dense(width + X_train.shape[1])")
    text = text.replace("y = table", "X_train = table; width = X_train.shape[-1]; y = table")
    module, said = run(text, None, columns(7))
    assert module.make(None).count_params() == 70
    assert "X_train: its shape is that of the data, (7) a row" in said
    with pytest.raises(InvalidSpaceError, match="line 13: FileNotFoundError"):
        run(text.replace("X_train.shape[1])", "X_train.shape[1] + sum(X_train))"), None, columns(7))


def test_the_object_of_a_hypermodel_is_made_if_it_can_be(run):
    text = SCRIPT.replace("def make(hp)", "class Mine(kt.HyperModel):\n  def build(self, hp)")
    text = text.replace("    return keras", "    return keras").replace(
        "RandomSearch(make", "RandomSearch(1"
    )
    module, _ = run(text + "mine = Mine(name='kept')\n")
    assert module.mine.name == "kept"
    module, _ = run(text + "mine = Mine(name=str(tuner))\n")
    assert not hasattr(module, "mine")


def test_the_object_that_is_made_in_the_tuners_line_is_made_as_there(run):
    text = SCRIPT.replace(
        "def make(hp)", "class Mine:\n  def __init__(self, n): self.n = n\n  def build(self, hp)"
    )
    text = text.replace("RandomSearch(make", "RandomSearch(Mine(n=WIDTH).build")
    module, said = run(text)
    assert module.the_Mine.n == module.WIDTH
    assert any(line.startswith("Mine(n=WIDTH): made as in line") for line in said)


def test_a_search_space_inside_a_function_is_run_with_what_it_needs_of_it(run):
    inner = BUILD.replace("WIDTH", "deep + x_train.shape[1]").strip().replace("\n", "\n    ")
    text = f"import keras\ndef tune(x_train, y):\n    deep = 2\n    {inner}\n    return make\n"
    module, _ = run(text, None, columns(3))
    assert module.make(None).count_params() == 25


def test_of_several_functions_of_one_name_the_last_is_taken_and_that_is_said(run):
    text = SCRIPT.replace("table =", BUILD.replace("WIDTH", "5") + "table =")
    module, said = run(text)
    assert module.make(None).count_params() == 25
    assert "script.py defines make 2 times; the last, at line 14, is taken" in said


def test_a_notebook_and_its_commands(run, tmp_path):
    cells = [
        "!pip install keras-tuner\nimport keras\n",
        "%%time\npip install x\nWIDTH = 3",
        " one = 1\ntwo = 2",
        BUILD,
    ]
    kinds = [{"cell_type": "markdown", "source": ["# title"]}]
    kinds += [{"cell_type": "code", "source": one.splitlines(keepends=True)} for one in cells]
    kinds += [{"cell_type": "code", "source": "%%bash\nls"}]
    path = tmp_path / "mine.ipynb"
    path.write_text(json.dumps({"cells": kinds, "nbformat": 4}))
    assert run_file(path, Home(tmp_path), None)[0].make(None).count_params() == 15
    module, _ = run("\n".join(cells).replace("%%time", "%matplotlib inline").replace(" one", "one"))
    assert module.make(None).count_params() == 15
    with pytest.raises(InvalidSpaceError, match=r"line 2: SyntaxError.*\(a b\)"):
        run("x = 1\na b\n")
