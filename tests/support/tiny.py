"""A tiny sweep for breaking: seconds long, one fused program, no graph for Keras to trace."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from sweep.doctor.finding import Level
from sweep.doctor.integrity import check_sweep
from sweep.sweep_folder import SweepFolder

SPACE = """
from search_spaces.capacity import mlp

BASELINES = {"Plain": {"l2": 0.0}}


def build(hp):
    l2 = hp.Choice("l2", [0.0, 1e-4, 1e-3, 1e-2])
    model = mlp(8, 1, l2, 0.2, hp.Choice("decay_steps", [50, 100, 500]))
    model.run_eagerly = True
    return model
"""
ARGUMENTS = [
    *("--data", "rows.csv", "--validation-rows", "60", "--train-rows", "240", "--test-rows", "20"),
    *("--batch-size", "120", "--max-epochs", "3", "--factor", "3", "--patience", "2"),
]

CLOCKED = {"seconds", "ended_at", "created_at", "active_seconds", "worker"}
ORDERED = {"assignment", "wave"}
"""What says in which order brackets went on: that depends on which was trained first."""
_OWN = {"name", "identity"}


def make_place(folder: Path, space: str = SPACE) -> Path:
    """`folder` with a search space `tiny.py` and 320 rows of data."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny.py").write_text(space)
    random = np.random.default_rng(0)
    x = random.normal(size=(320, 28)).astype(np.float32)
    y = x[:, 0] + x[:, 1] * x[:, 2] > 0
    rows = (",".join(f"{v:.9g}" for v in (label, *row)) for label, row in zip(y, x, strict=True))
    (folder / "rows.csv").write_text("\n".join(rows) + "\n")
    return folder


def start(name: str, trainer: str, *more: str) -> list[str]:
    """Arguments that start the tiny sweep."""
    return ["start", "tiny.py", "--name", name, "--trainer", trainer, *ARGUMENTS, *more]


def start_random(name: str, trials: int, *more: str) -> list[str]:
    """Arguments that start a random search of the tiny space by Keras, beside its baseline."""
    at = ARGUMENTS.index("--factor")
    arguments = [*ARGUMENTS[:at], *ARGUMENTS[at + 2 :]]
    search = ("--search", "random", "--trials", str(trials))
    return ["start", "tiny.py", "--name", name, "--trainer", "keras", *arguments, *search, *more]


def contents(place: Path, name: str) -> dict[str, Any]:
    """All that a sweep's folder holds, but for clock times, their order and the sweep's own name.

    Every other column, and every array of every checkpoint.
    """
    folder = place / "results" / name
    found: dict[str, Any] = {}
    with closing(sqlite3.connect(f"file:{folder / 'sweep.db'}?mode=ro", uri=True)) as db:
        for (table,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        ).fetchall():
            if table in ("event", "worker"):  # the history, with its kills and resumptions
                continue
            cursor = db.execute(f'SELECT * FROM "{table}"')
            names = [column[0] for column in cursor.description]
            left_out = CLOCKED | ORDERED | (_OWN if table == "sweep" else set())
            kept = [i for i, column in enumerate(names) if column not in left_out]
            found |= {f"{table}.{names[i]}": [] for i in kept}
            rows = cursor.fetchall()
            if table == "assignment":
                trial, end = names.index("trial"), names.index("last_epoch")
                rows.sort(key=lambda row: (row[trial], row[end]))
            for row in rows:
                for i in kept:
                    found[f"{table}.{names[i]}"].append(row[i])
    for path in sorted((folder / "checkpoints").iterdir()):
        with np.load(path, allow_pickle=False) as archive:
            for array in archive.files:
                if array != "header":
                    value = archive[array]
                    found[f"{path.name}/{array}"] = (str(value.dtype), value.shape, value.tobytes())
    return found


def assert_sound(place: Path, name: str) -> None:
    """The doctor finds nothing in the sweep."""
    findings = check_sweep(SweepFolder(place / "results", name))
    assert [finding.text for finding in findings if finding.level is not Level.OK] == []


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Names of columns and arrays that are not the same."""
    names = sorted({*one, *other})
    return [name for name in names if one.get(name) != other.get(name)]
