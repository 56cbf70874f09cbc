"""Processes that die at a step on purpose, and those that watch them."""

import multiprocessing
import os
import traceback
from collections.abc import Callable
from typing import Any

from tests.support import faults


def dies_at(step: int, work: Callable[[], None]) -> int:
    """Do the work in a process that dies at a step; its exit code, negative when it was killed."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        faults.arm(None, step)
        work()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def steps_of(work: Callable[[], None]) -> list[str]:
    """Do the work in a process that nothing ends; return the kind of each step that it took."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    pid = os.fork()
    if not pid:
        steps = faults.arm("none", 0)
        work()
        sender.send(steps.order)
        os._exit(0)
    sender.close()
    found = list(receiver.recv())
    os.waitpid(pid, 0)
    return found


def reported(target: Callable[..., None], *given: Any) -> Any:
    """Return what `target(*given, report)` sends, in a process forked from a warm one.

    That one has imported TensorFlow and not used it yet.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.warm_imports"])
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(*given, sender))
    process.start()
    sender.close()
    found = receiver.recv()
    process.join()
    return found
