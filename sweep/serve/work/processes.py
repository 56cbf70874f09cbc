"""Processes of jobs: begun so that they outlive the service, and known by a lock they hold.

Each process is given an open file that is locked. The lock ends with the process and with what it
started, however that ends; so a service that was killed finds out which of its jobs still run, and
a number that another process has got since is never mistaken for a job.
"""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sweep.disk import hold
from sweep.errors import PlatformError
from sweep.serve.work.devices import Device

_HIDDEN = "SWEEP_"
"""Options of the service's own surroundings are not those of its jobs."""


@dataclass(frozen=True)
class Child:
    """A process that this service has begun."""

    process: "subprocess.Popen[bytes]"

    @property
    def pid(self) -> int:
        return self.process.pid

    def exit_code(self) -> int | None:
        """Return how it ended; below 0 by a signal, None while it runs."""
        return self.process.poll()


def begin(command: Sequence[str], lock: Path, log: Path, device: Device, folder: Path) -> Child:
    """Begin a process in a group of its own, on a device; what it prints goes to `log`.

    Raises PlatformError if it cannot be begun.
    """
    held = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not hold(held):
            raise PlatformError(f"{lock} is held: a process of this job runs already")
        with log.open("ab") as out:
            return Child(_popen(command, out.fileno(), held, device, folder))
    except OSError as error:
        raise PlatformError(f"cannot start {command[0]}: {error.strerror or error}") from error
    finally:
        os.close(held)  # the process has it too, and holds the lock from here on


def is_alive(lock: Path) -> bool:
    """Return whether a process of the job lives."""
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not hold(descriptor)
    finally:
        os.close(descriptor)


def _popen(
    command: Sequence[str], out: int, held: int, device: Device, folder: Path
) -> "subprocess.Popen[bytes]":
    environment = {k: v for k, v in os.environ.items() if not k.startswith(_HIDDEN)}
    environment |= device.environment() | {"NO_COLOR": "1"}
    before = os.sched_getaffinity(0) if device.cores else None
    try:
        if device.cores:
            os.sched_setaffinity(0, device.cores)  # of this thread, which the process inherits
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=folder,
            pass_fds=(held,),
            start_new_session=True,
        )
    finally:
        if before is not None:
            os.sched_setaffinity(0, before)
