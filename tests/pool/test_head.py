"""A head that is killed at any step of keeping what its workers say, and the sweep that goes on."""

import multiprocessing
import os
import shutil
import signal
import traceback
from pathlib import Path
from typing import Any

from sweep.pool.team import Team
from sweep.pool.threads import ThreadPool
from sweep.pool.trainer import PooledTrainer
from sweep.store import Store
from sweep.sweep_folder import SweepFolder
from sweep.testing import IdleTrainer
from tests.support import faults, tiny
from tests.support.runs import new_runner, new_store

EVERY = 17
"""Of so many steps, one is the last."""


def work(root: Path, name: str, *, pooled: bool) -> None:
    """Search, or go on with that wherever it was."""
    folder = SweepFolder(root, name)
    store = Store(folder.database) if folder.exists else new_store(root, name)[1]
    idle = IdleTrainer(keeps_each_epoch=True)
    with store:
        if not pooled:
            new_runner(folder, store, idle).run()
            return
        pool = ThreadPool(lambda: idle, 3)
        new_runner(folder, store, PooledTrainer(Team(pool))).run()
        pool.close()


def work_and_die(root: Path, name: str, step: int) -> int:
    """The same with a pool, in a process that dies at a step; return its exit code."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        faults.arm(None, step)
        work(root, name, pooled=True)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def kill_at_steps(place: Path, report: Any) -> None:
    root, problems, step, kinds = place / "results", [], 3, 0
    work(root, "whole", pooled=False)
    whole = tiny.contents(place, "whole")
    while (ended := work_and_die(root, f"step-{step}", step)) != 0:
        name = f"step-{step}"
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
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.warm_imports"])
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=kill_at_steps, args=(memory_path, sender))
    process.start()
    sender.close()
    n_killed, problems = receiver.recv()
    process.join()
    assert problems == []
    assert n_killed > 20, n_killed
