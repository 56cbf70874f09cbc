"""Killed at any step, a sweep goes on and ends as if nothing had been: nothing lost or doubled."""

import multiprocessing
import os
import shutil
import signal
import traceback
from pathlib import Path
from typing import Any

import pytest

from sweep.records import PlanRecord
from sweep.runner.confirm import confirmations
from sweep.settings import Settings, Stage
from sweep.store import Store
from sweep.sweep_folder import SweepFolder
from sweep.testing import IdleTrainer
from tests.support import faults, tiny, warm
from tests.support.runs import Silent, new_runner, new_store, search

N_STEPS = 800
SEARCH_STEPS = 120
"""About so many steps belong to the search itself; of those behind it, each third is enough."""


def work(root: Path, name: str) -> None:
    """Search, confirm and extend; or go on with that wherever it was."""
    folder = SweepFolder(root, name)
    if folder.exists:
        store = Store(folder.database)
    else:
        folder, store = new_store(root, name)
    options: dict[str, Any] = {"observer": Silent(), "baselines": {"One": {"width": 1}}}
    with store:
        if not store.sweep().settings:
            runner = new_runner(
                folder, store, IdleTrainer(keeps_each_epoch=True), **options, search=search(2)
            )
            runner.run()
            there = store.confirmed_seeds()
            chosen: Any = {2: {"width": 5}}
            store.add_confirmations(confirmations(chosen, [], 1, 5, there), 2)
            runner.confirm()
            store.extend(Settings(max_epochs=4), PlanRecord())
        longer = search(4, stages=(Stage(2, 2), Stage(4, 0)))
        new_runner(
            folder, store, IdleTrainer(keeps_each_epoch=True), **options, search=longer
        ).run()


def work_and_die(root: Path, name: str, step: int) -> int:
    """The same in a process that dies at a step; its exit code, negative when it was killed."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        faults.arm(None, step)
        work(root, name)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def kill_at_every_step(place: Path, report: Any) -> None:
    root = place / "results"
    problems = []
    work(root, "whole")
    whole = tiny.contents(place, "whole")
    for step in [*range(1, SEARCH_STEPS), *range(SEARCH_STEPS, N_STEPS, 3)]:
        name = f"step-{step}"
        ended = work_and_die(root, name, step)
        if ended == 0:
            break
        if ended not in (-signal.SIGKILL, -signal.SIGXFSZ):
            problems.append(f"step {step} ended with {ended}")
        work(root, name)
        differing = tiny.differences(whole, tiny.contents(place, name))
        if differing:
            problems.append(f"after step {step} differ: {differing}")
        shutil.rmtree(root / name)
    report.send((step, problems))


def test_killed_at_any_step_the_loop_goes_on_to_the_same_end(memory_path):
    """A search, a confirmation and an extension."""
    (memory_path / "results").mkdir()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.warm_imports"])
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=kill_at_every_step, args=(memory_path, sender))
    process.start()
    sender.close()
    n_steps, problems = receiver.recv()
    process.join()
    assert problems == []
    assert 2 * SEARCH_STEPS < n_steps < N_STEPS - 3, n_steps  # until a run met no such step


FAULTS = [
    ("torn checkpoint", 1),
    ("unflushed checkpoint", 1),
    ("unnamed checkpoint", 1),
    ("uncounted checkpoint", 1),
    ("statement", 3),  # the first is the sweep's state; this one is within an assignment's end
    ("commit", 2),
    ("torn commit", 2),
    ("committed", 2),
    ("tell", 1),
    ("told", 2),
    ("old checkpoint", 1),
]


# each resume of the fused trainer compiles for seconds, so not every fault
@pytest.mark.parametrize(("trainer", "every"), [("keras", 1), ("fused", 3)])
def test_killed_at_one_step_after_another_a_sweep_goes_on_to_the_same_end(
    tiny_place, trainer, every
):
    place, whole, name = tiny_place, "whole", f"broken-{trainer}"
    if trainer == "fused":
        whole = "whole-fused"
        warm.run(place, *tiny.start(whole, trainer))
    command = tiny.start(name, trainer)
    for fault in FAULTS[::every]:
        broken = warm.begin(place, *command, before=faults.arm, given=fault)
        assert broken.wait() in (-signal.SIGKILL, -signal.SIGXFSZ), (fault, broken.stderr)
        command = ["resume", name]
    warm.run(place, *command)
    differing = tiny.differences(tiny.contents(place, whole), tiny.contents(place, name))
    assert differing == []
