"""`sweep`, but the workers of a pool are forked by the server that `FORKS` names."""

import os
import sys

from sweep.pool import processes
from tests.support import forks

_CLIENT = (sys.executable, "-I", "-S", str(forks.__file__), os.environ["FORKS"])
processes._COMMAND = (*_CLIENT, "-m", "sweep.pool.process_worker")

if __name__ == "__main__":
    import sweep.cli

    sweep.cli.main()
