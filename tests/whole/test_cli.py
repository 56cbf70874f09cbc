"""The commands as a user types them: real processes, real files, real signals.

The sweep that all compare with is run by the installed program in a new process; what only has to
be a process of its own is forked (`tests.support.warm`).
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sweep.store import Store
from tests.support import warm
from tests.support.elsewhere import without_package
from tests.support.hasty import hasty_plan
from tests.support.programs import PROGRAMS
from tests.support.slow import slow_programs, wait_for
from tests.support.tiny import CLOCKED, ORDERED

SWEEP = str(Path(sys.executable).with_name("sweep"))
SPACE = """
from search_spaces.capacity import mlp
BASELINES = {"Wide": {"width": 8}}
def build(hp):
    return mlp(hp.Choice("width", [4, 8]), 1, hp.Choice("l2", [0.0, 1e-3]),
               hp.Choice("dropout", [0.0, 0.2]), hp.Choice("decay_steps", [50, 500]))
"""
SMALL = [
    *("--max-epochs", "4", "--factor", "2", "--validation-rows", "60", "--train-rows", "240"),
    *("--batch-size", "60", "--patience", "2"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a search space and a small data file of one's own."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "mine.py").write_text(SPACE)
    random = np.random.default_rng(0)
    x = random.normal(size=(320, 28)).astype(np.float32)
    y = x[:, 0] + x[:, 1] * x[:, 2] > 0
    rows = (
        ",".join(f"{value:.18e}" for value in (label, *row))
        for label, row in zip(y, x, strict=True)
    )
    (folder / "mine.csv").write_text("\n".join(rows) + "\n")
    return folder


def environment(place: Path, **more: str) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SWEEP_")}
    kept = {"SWEEP_CACHE": str(place / "cache"), "XDG_CACHE_HOME": str(PROGRAMS / "of-a-user")}
    return {**clean, **kept, "PYTHONUNBUFFERED": "1", **more}


def run(place: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [SWEEP, *arguments], cwd=place, env=environment(place), capture_output=True, text=True
    )
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


def start_arguments(name: str) -> list[str]:
    return ["start", "mine.py", "--data", "mine.csv", "--name", name, *SMALL]


@pytest.fixture(scope="module")
def whole(place: Path) -> str:
    """A sweep that ran to its end without interruption."""
    done = run(place, *start_arguments("whole"))
    assert done.stdout == "", "progress goes to stderr"
    assert "finished; see: sweep report whole" in done.stderr
    assert "\x1b" not in done.stderr, "no ANSI where there is no terminal"
    return "whole"


def stored(place: Path, name: str) -> dict[str, Any]:
    """All that decides the report, but for clock times and the order in which brackets went on."""
    with Store(place / "results" / name / "sweep.db", read_only=True) as store:
        tables = {}
        for table in ("trial", "assignment", "epoch"):
            columns, rows = store.table(table)
            keep = [i for i, name in enumerate(columns) if name not in CLOCKED | ORDERED]
            tables[table] = sorted((tuple(row[i] for i in keep) for row in rows), key=repr)
        losses = store.losses()
        tables["losses"] = [losses.trials.tolist(), losses.epochs.tolist(), losses.values.tolist()]
    return tables


def test_a_sweep_runs_to_its_end_and_is_reported(place, whole):
    report = json.loads(warm.run(place, "report", whole, "-o", "json").stdout)
    assert report["schema"] == "sweep.report/1"
    assert len(report["trials"]) == 10 + 1
    scores = [trial["val_score"] for trial in report["trials"]]
    assert scores == sorted(scores)
    charts = {path.name for path in (place / "results" / whole / "charts").iterdir()}
    assert {"frontier.png", "frontier.svg", "learning-curves.png"} <= charts


def test_the_losses_stored_are_those_of_every_trials_score(place, whole):
    report = json.loads(warm.run(place, "report", whole, "-o", "json", "--no-charts").stdout)
    with Store(place / "results" / whole / "sweep.db", read_only=True) as store:
        losses = store.losses()
    assert losses.values.shape == (11, 60)
    for trial in report["trials"]:
        assert losses.epochs[trial["trial"]] == trial["best_epoch"]
        mean = losses.values[trial["trial"]].mean(dtype=np.float64)
        assert mean == pytest.approx(trial["val_score"], rel=1e-7)


def test_looking_at_sweeps(place, whole):
    assert "finished" in run(place, "ls").stdout
    text = warm.run(place, "status", whole).stdout
    assert "16 of 16 assignments" in text
    assert "rank  trial" in warm.run(place, "report", whole, "--no-charts").stdout


@pytest.mark.parametrize("kind", ["kill", "term"])
def test_a_sweep_that_is_killed_again_and_again_ends_like_the_whole_one(place, whole, kind):
    """SIGKILL at moments drawn from a fixed seed; SIGTERM must save and exit within 10 s.

    The first moment is at once, so that one lands however fast the machine is.
    """
    name, deaths = f"broken-{kind}", 0
    command = start_arguments(name)
    for moment in (0, random.Random(kind).uniform(0, 1)):
        if _interrupt(place, command, name, kind, moment) == 0:
            break
        listed = warm.run(place, "ls").stdout.splitlines()
        (line,) = [line for line in listed if line.startswith(name)]
        if "finished" in line:  # killed between its end and its exit
            break
        deaths += 1
        assert "interrupted" in line
        command = ["resume", name]
    else:
        warm.run(place, "resume", name)
    assert deaths > 0, "the sweep was over before the first signal"
    assert stored(place, name) == stored(place, whole)


def _interrupt(place: Path, command: list[str], name: str, kind: str, wait: float) -> int:
    """Run a command and end it `wait` seconds after its first new checkpoint; its exit code."""
    database, before = place / "results" / name / "sweep.db", time.time()
    forked = warm.begin(place, *command)
    _wait_for(lambda: _worked_since(database, before) or not forked.process.is_alive(), 60)
    time.sleep(wait)
    asked = time.monotonic()
    if forked.process.exitcode is not None:
        return int(forked.process.exitcode)
    os.kill(forked.process.pid, signal.SIGKILL if kind == "kill" else signal.SIGTERM)
    code = forked.wait(30)
    if kind == "term" and code != 0:
        assert code == 143, forked.stderr
        assert time.monotonic() - asked < 10
        assert f"sweep resume {name}" in forked.stderr
    return code


def _worked_since(database: Path, moment: float) -> bool:
    try:
        checkpoints = (database.parent / "checkpoints").iterdir()
        return any(path.stat().st_mtime > moment for path in checkpoints)
    except FileNotFoundError:  # removed meanwhile
        return False


def _wait_for(condition: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.02)


def test_the_same_seed_gives_the_same_sweep_and_another_seed_another(place, whole):
    warm.run(place, *start_arguments("again"))
    assert stored(place, "again") == stored(place, whole)
    warm.run(place, *start_arguments("other"), "--seed", "1", "--max-trials", "2", code=8)
    assert stored(place, "other")["trial"][1:] != stored(place, whole)["trial"][1:]


def test_a_second_process_on_a_running_sweep_is_refused_and_stop_ends_it(place):
    (place / "slow").touch()
    busy = warm.begin(place, *start_arguments("busy"), before=slow_programs)
    wait_for((place / "held").exists, busy)
    refused = warm.run(place, "resume", "busy", code=9)
    assert f"by process {busy.process.pid}" in refused.stderr
    assert f"running, process {busy.process.pid}" in warm.run(place, "status", "busy").stdout
    stop = warm.begin(place, "stop", "busy")
    wait_for((place / "results/busy/stop").exists, busy)
    (place / "slow").unlink()
    assert (busy.wait(20), stop.wait(20)) == (143, 0)
    again = warm.run(place, *start_arguments("busy"), code=2)
    assert "sweep resume busy" in again.stderr


def test_a_changed_space_or_data_file_is_refused_at_resume(place):
    (place / "changing.py").write_text(SPACE)
    arguments = ["start", "changing.py", *start_arguments("changing")[2:]]
    warm.run(place, *arguments, "--max-trials", "1", code=8)
    (place / "changing.py").write_text(SPACE + "\n# edited\n")
    refused = warm.run(place, "resume", "changing", code=4)
    assert "changing.py has changed since" in refused.stderr


def test_an_exported_model_reproduces_its_score_without_this_package(place, whole):
    done = warm.run(place, "export", whole, "best.keras")
    assert "as recorded" in done.stdout
    loaded = without_package(
        place,
        "import keras, numpy as np\n"
        "model = keras.models.load_model('best.keras')\n"
        "rows = np.loadtxt('mine.csv', delimiter=',', dtype=np.float32)[:60]\n"
        "z = model.predict(rows[:, 1:], verbose=0)[:, 0].astype(float)\n"
        "print(np.mean(np.logaddexp(0, z) - z * rows[:, 0]))\n",
    )
    report = json.loads(warm.run(place, "report", whole, "-o", "json", "--no-charts").stdout)
    assert float(loaded) == pytest.approx(report["trials"][0]["val_score"], rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["start", "capacty"], 4, "did you mean capacity?"),
        (["start", "mine.py", "--max-epochs", "0"], 4, "--max-epochs is 0, expected at least 1"),
        (["start", "mine.py", "--trainer", "x"], 4, "expected one of: auto, fused, keras"),
        (["start", "mine.py", "--name", "../x"], 4, "cannot name a sweep"),
        (["start", "mine.py", "--max-time", "soon"], 4, "expected for example 90, 90s, 45m or 2h"),
        (["start", "mine.py", "--data", "none.csv"], 5, "none.csv"),
        (["report", "nothing"], 3, "no sweep named 'nothing'"),
        (["export", "whole", "99", "x.keras"], 3, "no trained trial 99"),
        (["export", "x.h5"], 2, "FILE.keras"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes_are_one_line_and_an_exit_code(place, whole, arguments, code, message):
    done = warm.run(place, *arguments, code=code)
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert message in line


def test_a_plan_says_what_will_run(place):
    text = warm.run(
        place, "plan", "mine.py", "--data", "mine.csv", *SMALL[:-2], before=hasty_plan
    ).stdout
    assert "10 trials, 15 assignments, 30 epochs; 1 baseline beside, 4 epochs" in text
    assert "models of 121 to 241 trainable parameters" in text
