"""Stands for the command `sweep` in tests of the queue: the same files, locks and exit codes.

    python -m tests.support.quick_sweep PYTHON -P -m sweep start SPACE --name=N … --results=R

It stores a sweep of `EPOCHS` epochs and records one each 50 ms, so it can be stopped, killed and
resumed as a real one, and an epoch recorded twice breaks the database's key. Fields of `space`'s
file name say what goes wrong: `fails` ends with a line and exit code 4. While there is a file that
STANDS_STILL_WHILE names, three epochs are recorded and no more.
"""

import os
import sys
import time
from pathlib import Path

from sweep.records import Outcome, OutcomeStatus, SweepState
from sweep.store import Store
from sweep.sweep_folder import SweepFolder
from tests.support.sweeps import record, store_sweep, trained

EPOCHS = 12
_SECONDS = float(os.environ.get("SECONDS_AN_EPOCH", "0.05"))

_STILL = os.environ.get("STANDS_STILL_WHILE", "")
_BEFORE = 3
"""Epochs that are recorded all the same."""


def main() -> int:
    arguments = sys.argv[sys.argv.index("sweep") + 1 :]
    options = dict(
        one.removeprefix("--").split("=", 1)
        for one in arguments
        if one.startswith("--") and "=" in one
    )
    verb, first = arguments[0], arguments[1]
    if "fails" in first:
        print("error: search space fails.py defines no build(hp)", file=sys.stderr)
        return 4
    folder = SweepFolder(Path(options["results"]), options.get("name", first))
    if verb == "start" and folder.exists:
        print(f"error: sweep {folder.name} exists already", file=sys.stderr)
        return 2
    folder.create()
    with folder.locked():
        folder.stop_request.unlink(missing_ok=True)
        if not folder.exists:
            _new(folder, first)
        return _work(folder)


def _new(folder: SweepFolder, space: str) -> None:
    plan = {"trials": 1, "assignments": 1, "epochs": EPOCHS, "baselines": 0, "baseline_epochs": 0}
    waiting = trained(hyperparameters={"width": 8}, last_epoch=EPOCHS, ended=None)
    store_sweep(
        folder.database, [waiting], name=folder.name, identity=folder.name, state="running",
        plan=plan, space={"name": Path(space).stem, "path": space, "hyperparameters": ["width"]},
        created_at=time.time(), active_seconds=0.0,
    ).close()  # fmt: skip


def _work(folder: SweepFolder) -> int:
    with Store(folder.database) as store:
        store.count_seconds()
        store.set_state(SweepState.RUNNING)
        (assignment,) = store.pending() or (None,)
        if assignment is None:
            store.set_state(SweepState.FINISHED)
            return 0
        found = store.checkpoint(0)
        done = 0 if found is None else found[1]
        for epoch in range(done + 1, EPOCHS + 1):
            time.sleep(_SECONDS)
            while epoch > _BEFORE and not folder.stop_is_requested and _stands_still():
                time.sleep(_SECONDS)
            store.save_progress(assignment, "file", epoch, [record(epoch, 0.7 - 0.01 * epoch)])
            if folder.stop_is_requested:
                store.set_state(SweepState.INTERRUPTED)
                return 143
        store.finish(assignment, Outcome(OutcomeStatus.COMPLETED, EPOCHS, 9, 1.0), [], "keras")
        store.set_state(SweepState.FINISHED)
    return 0


def _stands_still() -> bool:
    return bool(_STILL) and Path(_STILL).exists()


if __name__ == "__main__":
    sys.exit(main())
