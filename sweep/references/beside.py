"""Trains the reference models in a process of its own, while TensorFlow is imported on one core."""

import atexit
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from sweep.data.split import Split
from sweep.references.models import reference_models
from sweep.store import Reference

_COMMAND = (sys.executable, "-P", "-m", __name__)

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Others would spin while they wait for each other, as TensorFlow's import has a core."""


class ReferencesBeside:
    """The process begins at once, and leaves nothing behind: its files have no name."""

    def __init__(self, split: Split, seed: int) -> None:
        self._split, self._seed = split, seed
        given, self._found = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
        with given:
            pickle.dump((split, seed), given)
            given.seek(0)
            self.process = subprocess.Popen(
                _COMMAND,
                stdin=given,
                stdout=self._found,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **_ONE_THREAD},
            )
        atexit.register(self.process.kill)

    def models(self) -> Sequence[Reference]:
        """As `reference_models` gives them, which is called here should the process have failed.

        To be asked once.
        """
        with self._found:
            if self.process.wait() == 0:
                self._found.seek(0)
                found: list[Reference] = pickle.load(self._found)
                return found
        return reference_models(self._split, self._seed)


if __name__ == "__main__":
    pickle.dump(reference_models(*pickle.load(sys.stdin.buffer)), sys.stdout.buffer)
