"""Sweep commands in processes of their own, forked from one that has imported TensorFlow.

Each command is a whole process, with its own signals, files and death; only the seconds of the
imports are saved. `at` may name a fault (see `tests.support.faults`) that ends the process.
"""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.forks import Forks, serve

_PRELOADED = "tests.support.warm_imports"


@dataclass
class Command:
    """A command under way or over; its words go to files."""

    process: Any
    out: Path
    err: Path

    @property
    def stdout(self) -> str:
        return self.out.read_text()

    @property
    def stderr(self) -> str:
        return self.err.read_text()

    def wait(self, seconds: float = 120) -> int:
        """The exit code, −9 when killed by SIGKILL; fails when it takes longer."""
        self.process.join(seconds)
        assert self.process.exitcode is not None, f"still running: {self.stderr[-2000:]}"
        return int(self.process.exitcode)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.join()


def _context() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_PRELOADED])
    return context


class WarmForks(Forks):
    """A server of forks that is a fork itself, so that it need not import anything."""

    def __init__(self, path: Path) -> None:
        context = _context()
        self.path = path
        self._until, there = context.Pipe()
        self._server = context.Process(target=_serve, args=(str(path), there))
        self._server.start()
        there.close()
        assert self._until.recv() == "ready"

    def close(self) -> None:
        """End the server, and with it what it has forked."""
        self._until.close()
        self._server.join()


def _serve(path: str, until: Any) -> None:
    serve(path, until, lambda: until.send("ready"))


def begin(
    place: Path, *arguments: str, before: Callable[..., None] | None = None, given: Any = ()
) -> Command:
    """Begin `sweep arguments` in folder `place`; `before(*given)` runs in the process first."""
    context = _context()
    folder = place / "said"
    folder.mkdir(exist_ok=True)
    name = f"{time.monotonic_ns()}"
    out, err = folder / f"{name}.out", folder / f"{name}.err"
    process = context.Process(
        target=_run, args=(place, list(arguments), out, err, before, tuple(given))
    )
    process.start()
    return Command(process, out, err)


def run(place: Path, *arguments: str, code: int = 0, **options: Any) -> Command:
    """Carry out `sweep arguments`; fails when its exit code is another."""
    command = begin(place, *arguments, **options)
    found = command.wait()
    assert found == code, f"{arguments} ended with {found}\n{command.stdout}\n{command.stderr}"
    assert "Traceback" not in command.stderr, command.stderr
    return command


def _run(
    place: Path,
    arguments: Sequence[str],
    out: Path,
    err: Path,
    before: Callable[..., None] | None,
    given: tuple[Any, ...],
) -> None:
    for path, descriptor in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
    for name in [name for name in os.environ if name.startswith("SWEEP_")]:
        del os.environ[name]
    os.environ["SWEEP_CACHE"] = str(place / "cache")
    os.chdir(place)
    sys.argv = ["sweep", *arguments]
    if before is not None:
        before(*given)
    import sweep.cli

    sweep.cli.main()
