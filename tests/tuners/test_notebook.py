"""A search in a real notebook: in place, interrupted, gone on with, shown as HTML."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
BEGIN = """
import os, signal, keras
import sweep as kt
from tests.tuners.scripts import X, Y, build

class StopButton(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if not os.path.exists("pressed"):
            open("pressed", "w").close()
            os.kill(os.getpid(), signal.SIGINT)

tuner = kt.RandomSearch(build, "val_loss", max_trials=3, seed=1)
"""
SEARCH = "tuner.search(X, Y, epochs=2, validation_split=0.25, callbacks=[StopButton()])"


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    place = tmp_path_factory.mktemp("notebook")
    code = [BEGIN, SEARCH, SEARCH, "tuner", "tuner.sweep.plots.frontier()"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in code])
    client = NotebookClient(
        notebook,
        timeout=120,
        allow_errors=True,
        kernel_name="python3",
        resources={"metadata": {"path": str(place)}},
    )
    client.execute(env={**os.environ, "PYTHONPATH": str(ROOT)})
    return notebook.cells


def shown(cell, kind):
    return [one for one in cell.outputs if one.output_type == kind]


def test_the_stop_button_ends_at_an_epoch_in_one_line(cells):
    (error,) = shown(cells[1], "error")
    assert error.ename == "KeyboardInterrupt" and len(error.traceback) == 1
    assert "run this again to go on" in error.traceback[0]


def test_running_the_cell_again_goes_on_in_one_place(cells):
    assert not shown(cells[2], "error"), cells[2].outputs
    (bar,) = shown(cells[2], "display_data")
    assert bar.data["text/plain"].startswith("[3/3] trial 2, 2 epochs")
    assert "3 of 3 steps" in bar.data["text/html"]
    said = "".join(one.text for one in shown(cells[2], "stream") if one.name == "stdout")
    assert [line.split(":")[0] for line in said.splitlines()[-3:]] == ["verdict", "cost", "more"]


def test_a_tuner_shows_itself(cells):
    (shows,) = shown(cells[3], "execute_result")
    assert "<b>verdict</b>" in shows.data["text/html"]
    assert shows.data["text/plain"].startswith("<RandomSearch: Sweep(")
    (figure,) = shown(cells[4], "execute_result")
    assert "image/png" in figure.data, "also where nobody has imported pyplot"
