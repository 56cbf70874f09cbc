"""Trains the reference models in a process of its own, while TensorFlow is imported on one core."""

import atexit
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import IO

from sweep.data.split import Split
from sweep.references.models import Fitted, fitted_models

_COMMAND = (sys.executable, "-P", "-m", __name__)

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Settings for one thread each: several would only wait for each other, as the import of TensorFlow
takes a core."""


class ReferencesBeside:
    """Reference models of classes that a process of their own trains, from the moment this is made.

    The process leaves nothing behind: its files have no name.
    """

    def __init__(self, split: Split, seed: int) -> None:
        self._split, self._seed = split, seed
        given, self._found = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
        with given:
            pickle.dump((split, seed), given)
            given.seek(0)
            self.process = _started(given, self._found)
        if self.process is not None:
            atexit.register(self.process.kill)

    def fitted(self) -> Sequence[Fitted]:
        """Return what `fitted_models` gives, once the process has ended. To be called once.

        If the process failed, or none could be had, the models are trained here.
        """
        with self._found:
            if self.process is not None and self.process.wait() == 0:
                self._found.seek(0)
                found: list[Fitted] = pickle.load(self._found)
                return found
        return fitted_models(self._split, self._seed)


def _started(given: IO[bytes], found: IO[bytes]) -> subprocess.Popen[bytes] | None:
    """The process, or None where the machine gives no other."""
    env = {**os.environ, **_ONE_THREAD}
    try:
        return subprocess.Popen(
            _COMMAND, stdin=given, stdout=found, stderr=subprocess.DEVNULL, env=env
        )
    except OSError:
        return None


if __name__ == "__main__":
    pickle.dump(fitted_models(*pickle.load(sys.stdin.buffer)), sys.stdout.buffer)
