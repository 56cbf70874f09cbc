"""Trains the reference models in a process of its own: beside other work, and to be left at a stop.

The rows are in a file that the process maps, so that it has no copy of them.
"""

import atexit
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO

from sweep.data.mapped import read_mapped, write_mapped
from sweep.data.split import Split
from sweep.references.models import Fitted, fitted_models, is_quick
from sweep.tasks.scoring import Scoring

_COMMAND = (sys.executable, "-P", "-m", __name__)

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Settings for one thread each: several would only wait for each other, as the import of TensorFlow
takes a core."""
_POLL_SECONDS = 0.2

FittedBeside = Callable[[Callable[[], bool]], Sequence[Fitted] | None]
"""`ReferencesBeside.fitted`: None if it was to stop before the end."""


def _never() -> bool:
    return False


class ReferencesBeside:
    """Reference models that a process of their own trains, from the moment this is made.

    Those of amounts need the `scoring`. With `one_thread` the process leaves the other cores to
    others. It leaves nothing behind: its files have no name.
    """

    def __init__(
        self, split: Split, seed: int, scoring: Scoring | None = None, *, one_thread: bool = True
    ) -> None:
        self._asked = (split, seed, scoring)
        self._found = tempfile.TemporaryFile()  # noqa: SIM115
        self.process: subprocess.Popen[bytes] | None = None
        with suppress(OSError), tempfile.TemporaryFile() as given:
            write_mapped(self._asked, given)
            given.seek(0)
            self.process = _started(given, self._found, _ONE_THREAD if one_thread else {})
            atexit.register(self.process.kill)

    def fitted(self, stop: Callable[[], bool] = _never) -> Sequence[Fitted] | None:
        """Return what `fitted_models` gives, once the process has ended. To be called once.

        If the process failed, or none could be had, the models are trained here. None if `stop()`
        turned true before the end: the process is killed.
        """
        with self._found:
            if self.process is not None:
                while self._runs():
                    if stop():
                        self.process.kill()
                        self.process.wait()
                        return None
                if self.process.returncode == 0:
                    self._found.seek(0)
                    found: list[Fitted] = pickle.load(self._found)
                    return found
        return None if stop() else fitted_models(*self._asked)

    def _runs(self) -> bool:
        """Whether the process is at work, also after a moment."""
        if self.process is None:
            return False
        try:
            self.process.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            return True
        return False


def fitted_anywhere(
    split: Split, seed: int, scoring: Scoring, stop: Callable[[], bool]
) -> Sequence[Fitted] | None:
    """Return what `fitted_models` gives; None if `stop()` turned true before the end.

    Those that take long are trained in a process of their own, as nothing else ends them.
    """
    if is_quick(split):
        return fitted_models(split, seed, scoring)
    return ReferencesBeside(split, seed, scoring, one_thread=False).fitted(stop)


def _started(
    given: IO[bytes], found: IO[bytes], settings: dict[str, str]
) -> subprocess.Popen[bytes]:
    """The process. Raises OSError where the machine gives no other."""
    return subprocess.Popen(
        _COMMAND,
        stdin=given,
        stdout=found,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **settings},
    )


if __name__ == "__main__":
    pickle.dump(fitted_models(*read_mapped(sys.stdin.buffer)), sys.stdout.buffer)
