"""Can sweeps run here? Python, TensorFlow, fused training, GPU, disk, permissions, cached data."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import sweep
from sweep.data.cache.cache import Cache, remedy
from sweep.data.cache.file_set import FileSet, is_own, open_files
from sweep.data.cache.manifest import Manifest
from sweep.doctor.finding import Finding, damaged, ok, unfit, warning
from sweep.errors import SweepError
from sweep.sweep_folder import created_at, is_in_the_future, sweep_folders
from sweep.words import counted

_LITTLE_BYTES = 1 << 30
_TOO_LITTLE_BYTES = 50 << 20
_DRIVER = Path("/proc/driver/nvidia/version")
_SHIPPED_SPACE = Path(sweep.__file__).parents[1] / "search_spaces" / "capacity.py"
_ASK_TENSORFLOW = """
import json, os, runpy, sys
from sweep.errors import SweepError
from sweep.training.start_keras import start_keras
try:
    start_keras()
    import keras, keras_tuner, tensorflow as tf
except SweepError as error:
    sys.exit(str(error))

def refusal(path):
    from sweep.training.fused.reading.model import carries
    space = runpy.run_path(path)
    hp = keras_tuner.HyperParameters()
    hp.values = dict(next(iter(space["BASELINES"].values())))
    return carries(space["build"](hp))

names = [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
         for gpu in tf.config.list_physical_devices("GPU")]
try:
    refused = refusal(sys.argv[1])
except Exception as error:
    refused = f"{type(error).__name__}: {error}"
versions = [tf.__version__, keras.__version__, keras_tuner.__version__]
print(json.dumps([*versions, names, refused]), flush=True)
os._exit(0)
"""
"""Starts Keras as a search does. Prints the three versions, the GPUs, and why the first baseline of
the space in argv[1] is not fused, null if it is."""


_REINSTALL = "install sweep again, as its README says"


def check_machine(results: Path, cache: Path) -> Iterator[Finding]:
    """Check all of the machine. `results` and `cache` need not exist yet."""
    yield _python()
    yield from _tensorflow()
    yield from _folder("results", results, "choose another with --results")
    yield from _dates(results)
    yield from _folder("data cache", cache, "choose another with --cache")
    yield from _data(cache)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return ok("python", f"{version} in {sys.prefix}")


def _tensorflow() -> Iterator[Finding]:
    """Asked in a process of its own: one that cannot be imported may crash."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    asked = subprocess.run(
        [sys.executable, "-c", _ASK_TENSORFLOW, _SHIPPED_SPACE],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    if asked.returncode != 0:
        last = (asked.stderr.strip().splitlines() or [f"exit status {asked.returncode}"])[-1]
        yield unfit("tensorflow", f"does not start: {last}", _REINSTALL)
        return
    tensorflow, keras, tuner, gpus, refused = json.loads(asked.stdout.splitlines()[-1])
    yield ok("tensorflow", f"TensorFlow {tensorflow}, Keras {keras}, Keras Tuner {tuner}")
    yield _fused(refused)
    driver = _DRIVER.read_text().splitlines()[0] if _DRIVER.exists() else None
    if gpus:
        yield ok("gpu", f"{', '.join(gpus)}; {driver or 'driver unknown'}")
    elif driver is not None:
        yield warning(
            "gpu",
            f"a driver is there ({driver}), but TensorFlow finds no GPU",
            'install CUDA\'s libraries: pip install "keras-sweep[cuda]"; '
            "the driver should be 575 or newer",
        )
    else:
        yield ok("gpu", "none; the CPU trains")


def _fused(refused: str | None) -> Finding:
    """Whether the fused trainer still knows what this Keras makes of a shipped model."""
    if refused is None:
        return ok("fused trainer", "reads the shipped spaces' models, and trains many at once")
    return warning(
        "fused trainer",
        f"leaves the models of the shipped spaces to Keras, which is slower: {refused}",
        f"{_REINSTALL}, with the versions that it was tried with: requirements/cpu.txt",
    )


def _folder(subject: str, path: Path, remedy: str) -> Iterator[Finding]:
    there = path
    while not there.exists():
        there = there.parent
    try:
        with tempfile.TemporaryDirectory(dir=there, prefix=".sweep-doctor-") as inside:
            mode = _journal_mode(Path(inside) / "try.db")
    except (OSError, sqlite3.Error) as error:
        yield unfit(subject, f"{there} cannot be written ({error})", remedy)
        return
    if mode != "wal":
        text = f"{there} is on a file system where SQLite has no write-ahead log"
        yield unfit(subject, text, f"use a local disk: {remedy}")
        return
    free = shutil.disk_usage(there).free
    text = f"{path} can be written; {free / 1e9:,.1f} GB free"
    if free < _TOO_LITTLE_BYTES:
        yield unfit(subject, text, f"make room, or {remedy}")
    elif free < _LITTLE_BYTES:
        yield warning(subject, text, "make room: a checkpoint takes up to 10 MB a trial")
    else:
        yield ok(subject, text)


def _dates(results: Path) -> Iterator[Finding]:
    """Sweeps that were begun by a clock that was wrong, or that somebody changed."""
    for folder in sweep_folders(results):
        at = created_at(folder)
        if at is not None and is_in_the_future(at):
            day = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"
            yield warning(
                f"sweep {folder.name}",
                f"is dated in the future ({day}), so it does not count as the latest",
                f"check this machine's clock, and name the sweep: sweep report {folder.address}",
            )


def _journal_mode(path: Path) -> str:
    with closing(sqlite3.connect(path)) as db:
        (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
        db.execute("CREATE TABLE t (x)")
    return str(mode)


def _opened(cache: Cache, key: str) -> Manifest | FileSet | None:
    """What is known of the data under a key, which are verified."""
    if is_own(key):
        files = open_files(cache, key)
        return None if files is None else files[0]
    dataset = cache.open(key)
    return None if dataset is None else dataset.manifest


def _data(root: Path) -> Iterator[Finding]:
    cache = Cache(root)
    keys = cache.keys()
    for key in keys:
        try:
            found = _opened(cache, key)
        except SweepError as error:
            yield damaged(f"data {key[:13]}", str(error), remedy(key))
            continue
        if found is not None:
            source = found.origin.source
            yield ok(
                f"data {key[:13]}",
                f"{source}: {counted(found.rows, 'row')}, unchanged since they were stored",
            )
