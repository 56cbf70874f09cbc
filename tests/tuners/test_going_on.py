"""A search from a script that is stopped at any epoch ends in the same table."""

import sqlite3
import subprocess
import sys
from typing import Any

import pytest

import sweep
from tests.tuners.scripts import X, Y, build

_TABLES = (
    "SELECT trial, epoch, val_score, fit_loss, val_loss FROM epoch ORDER BY trial, epoch",
    "SELECT trial, hyperparameters, seed FROM trial ORDER BY trial",
    "SELECT trial, rung, status, score FROM assignment ORDER BY trial, rung",
)


def table(tuner: Any) -> list[Any]:
    with sqlite3.connect(tuner.folder.database) as database:
        return [database.execute(query).fetchall() for query in _TABLES]


def searched(folder: Any, keras: Any, stop_after: int | None) -> Any:
    """A Hyperband whose epochs are Keras' own, asked to stop after some of them."""

    class Stops(keras.callbacks.Callback):
        seen = 0

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            Stops.seen += 1
            if Stops.seen == stop_after:
                tuner.folder.stop_request.touch()

    tuner = sweep.Hyperband(
        build, "val_loss", max_epochs=4, factor=2, seed=3, directory=str(folder), project_name="p"
    )
    tuner.search(X, Y, validation_split=0.25, verbose=0, callbacks=lambda: [Stops()])
    return tuner


def test_stopped_after_any_epoch_it_ends_alike(keras, tmp_path, monkeypatch):
    # the callback differs from run to run by what it stops after, which is no other search
    monkeypatch.setattr(
        "sweep.tuners.space.fingerprint_of", lambda given: ("0" * 64, {"build": "0"})
    )
    whole = table(searched(tmp_path / "whole", keras, None))
    for number in (1, 3, 4):
        with pytest.raises(KeyboardInterrupt):
            searched(tmp_path / "stopped", keras, number)
    assert table(searched(tmp_path / "stopped", keras, None)) == whole


def test_a_script_that_was_stopped_ends_in_one_line():
    code = (
        "from pathlib import Path; from sweep.sweep_folder import SweepFolder; "
        "from sweep.verbs.interrupting import stopped; "
        "raise stopped(SweepFolder(Path('tuning'), 'cancer'))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode != 0 and len(ran.stderr.splitlines()) == 1
    assert ran.stderr.startswith("stopped at the end of an epoch, all saved in tuning/cancer")
