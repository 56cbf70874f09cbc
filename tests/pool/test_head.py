"""A head that is killed at any step of keeping what its workers say, and the sweep that goes on."""

import shutil
import signal
from functools import partial
from pathlib import Path
from typing import Any

from sweep.pool.team import Team
from sweep.pool.threads import ThreadPool
from sweep.pool.trainer import PooledTrainer
from sweep.store import Store
from sweep.sweep_folder import SweepFolder
from sweep.testing import IdleTrainer
from tests.support import tiny
from tests.support.deaths import dies_at, reported
from tests.support.runs import new_runner, new_store, search

EVERY = 13
"""Of so many steps, one is the last."""


def work(root: Path, name: str, *, pooled: bool) -> None:
    """Search, or go on with that wherever it was."""
    folder = SweepFolder(root, name)
    store = Store(folder.database) if folder.exists else new_store(root, name)[1]
    idle = IdleTrainer(keeps_each_epoch=True)
    options: Any = {"search": search(4), "baselines": {"One": {"width": 1}}}
    with store:
        if not pooled:
            new_runner(folder, store, idle, **options).run()
            return
        pool = ThreadPool(lambda: idle, 3)
        new_runner(folder, store, PooledTrainer(Team(pool)), **options).run()
        pool.close()


def kill_at_steps(place: Path, report: Any) -> None:
    root, problems, step, kinds = place / "results", [], 3, 0
    work(root, "whole", pooled=False)
    whole = tiny.contents(place, "whole")
    while True:
        name = f"step-{step}"
        ended = dies_at(step, partial(work, root, name, pooled=True))
        if ended == 0:
            break
        if ended not in (-signal.SIGKILL, -signal.SIGXFSZ):
            problems.append(f"step {step} ended with {ended}")
        work(root, name, pooled=step % 2 == 0)
        if differing := tiny.differences(whole, tiny.contents(place, name)):
            problems.append(f"after step {step} differ: {differing}")
        shutil.rmtree(root / name)
        step, kinds = step + EVERY, kinds + 1
    report.send((kinds, problems))


def test_a_head_killed_at_any_step_goes_on_to_the_same_end(memory_path):
    (memory_path / "results").mkdir()
    n_killed, problems = reported(kill_at_steps, memory_path)
    assert problems == []
    assert n_killed > 20, n_killed
