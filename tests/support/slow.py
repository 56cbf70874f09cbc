"""A fused trainer that can be held in the middle of an epoch, and how to wait for that."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.warm import Command


def slow_programs() -> None:
    """Compiled programs do not return while there is a file called slow; `held` says so."""
    import ctypes

    from sweep.training.fused import trainer

    libc, compiled = ctypes.CDLL(None), trainer.compiled

    def slow(shape: Any) -> Callable[..., Any]:
        def program(*arguments: Any) -> Any:
            while Path("slow").exists():
                Path("held").touch()
                libc.usleep(10_000)
            return compiled(shape)(*arguments)

        return program

    trainer.compiled = slow


def wait_for(condition: Callable[[], Any], command: Command) -> None:
    """Wait until the condition holds; fails when the command ends first, or after a minute."""
    deadline = time.monotonic() + 60
    while not condition():
        assert command.process.is_alive() and time.monotonic() < deadline, command.stderr
        time.sleep(0.01)
