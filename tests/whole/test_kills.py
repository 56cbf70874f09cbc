"""Killed at any step, a sweep goes on and ends as if nothing had been: nothing lost or doubled."""

import shutil
import signal
from functools import partial
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
from tests.support.deaths import dies_at, reported, steps_of
from tests.support.runs import Silent, new_runner, new_store, search

EVERY_IN_SEARCH, EVERY = 2, 5
"""Of so many steps of the search, and of those behind it, one is the last."""


def work(root: Path, name: str, *, until_searched: bool = False) -> None:
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
            if until_searched:
                return
            there = store.confirmed_seeds()
            chosen: Any = {2: {"width": 5}}
            store.add_confirmations(confirmations(chosen, [], 1, 5, there), 2)
            runner.confirm()
            store.extend(Settings(max_epochs=4), PlanRecord())
        longer = search(4, stages=(Stage(2, 2), Stage(4, 0)))
        new_runner(
            folder, store, IdleTrainer(keeps_each_epoch=True), **options, search=longer
        ).run()


def kill_at_steps(place: Path, report: Any) -> None:
    root = place / "results"
    problems = []
    steps = steps_of(partial(work, root, "whole"))
    whole = tiny.contents(place, "whole")
    searched = len(steps_of(partial(work, root, "searched", until_searched=True)))
    chosen = [*range(1, searched + 1, EVERY_IN_SEARCH), *range(searched + 1, len(steps) + 1, EVERY)]
    for step in chosen:
        name = f"step-{step}"
        ended = dies_at(step, partial(work, root, name))
        if ended not in (-signal.SIGKILL, -signal.SIGXFSZ):
            problems.append(f"step {step} ended with {ended}")
        work(root, name)
        differing = tiny.differences(whole, tiny.contents(place, name))
        if differing:
            problems.append(f"after step {step} differ: {differing}")
        shutil.rmtree(root / name)
    parts = [step <= searched for step in chosen]
    died_at = {(part, steps[step - 1]) for part, step in zip(parts, chosen, strict=True)}
    every_kind = {(number <= searched, kind) for number, kind in enumerate(steps, 1)}
    report.send((len(chosen), sorted(every_kind - died_at), problems))


def test_killed_at_any_step_the_loop_goes_on_to_the_same_end(memory_path):
    """A search, a confirmation and an extension: each kind of step in the search and behind it."""
    (memory_path / "results").mkdir()
    n_killed, left_out, problems = reported(kill_at_steps, memory_path)
    assert problems == [] and left_out == []
    assert n_killed > 100, n_killed


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
