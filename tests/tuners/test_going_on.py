"""A search from a script that is stopped at any epoch ends in the same table."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import keras_tuner
import pytest

import sweep
from sweep.errors import InvalidSpaceError, UsageError
from sweep.store import Store
from tests.tuners.scripts import X, Y, build

_TABLES = (
    "SELECT trial, epoch, val_score, fit_loss, val_loss FROM epoch ORDER BY trial, epoch",
    "SELECT trial, hyperparameters, seed FROM trial ORDER BY trial",
    "SELECT trial, rung, status, score FROM assignment ORDER BY trial, rung",
)


def table(tuner: Any) -> list[Any]:
    with sqlite3.connect(tuner.folder.database) as database:
        return [database.execute(query).fetchall() for query in _TABLES]


def surroundings() -> tuple[object, ...]:
    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    return handlers, sys.stdout, sys.stderr, Path.cwd(), threading.active_count()


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
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    before, hooks = surroundings(), []
    whole = table(searched(tmp_path / "whole", keras, None))
    assert surroundings() == before
    for number in (1, 3, 4):
        with pytest.raises(KeyboardInterrupt):
            searched(tmp_path / "stopped", keras, number)
        hooks.append(sys.excepthook)
        assert surroundings() == before
    assert hooks == hooks[:1] * 3
    assert table(searched(tmp_path / "stopped", keras, None)) == whole


def test_a_build_of_a_script_changes_nothing_of_the_process(tmp_path):
    def ends(hp: Any) -> Any:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.chdir(tmp_path)
        sys.stdout = None
        sys.exit(0)

    before = surroundings()
    tuner = sweep.RandomSearch(ends, "val_loss", 1, directory=str(tmp_path), project_name="p")
    with pytest.raises(InvalidSpaceError, match="SystemExit: 0"):
        tuner.search(X, Y, validation_split=0.25, verbose=0)
    assert surroundings() == before


def test_a_script_that_was_stopped_ends_in_one_line():
    code = (
        "from pathlib import Path; from sweep.sweep_folder import SweepFolder; "
        "from sweep.verbs.interrupting import stopped; "
        "raise stopped(SweepFolder(Path('tuning'), 'cancer'))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode != 0 and len(ran.stderr.splitlines()) == 1
    assert ran.stderr.startswith("stopped at the end of an epoch, all saved in tuning/cancer")


def test_the_precision_of_a_script_is_that_of_whoever_goes_on_with_it(keras, tmp_path, monkeypatch):
    from sweep.pool.briefing import ScriptBuild
    from sweep.runner.script import prepare_script

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        tuner = sweep.RandomSearch(
            build, "val_loss", max_trials=1, directory=str(tmp_path), project_name="p"
        )
        tuner.search(X, Y, validation_split=0.25, epochs=1, verbose=0)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    folder = tuner.folder
    with Store(folder.database, read_only=True) as store:
        prepared = prepare_script(folder, store.sweep(), None, False, lambda numerics: numerics)
    by_worker = ScriptBuild(folder.build.read_bytes(), prepared.space.path).build(prepared.split)
    for made in (prepared.space.build, by_worker):
        model = made(keras_tuner.HyperParameters())
        assert {one.dtype_policy.name for one in model.layers} == {"mixed_bfloat16"}
    assert keras.config.dtype_policy().name == "float32"
    again = sweep.RandomSearch(
        build, "val_loss", max_trials=1, directory=str(tmp_path), project_name="p"
    )
    with pytest.raises(UsageError, match="another build: changed are precision"):
        again.search(X, Y, validation_split=0.25, epochs=1, verbose=0)
