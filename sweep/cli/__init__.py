"""The command line: the only place that prints, reads environment variables or exits."""

import atexit
import os
import signal
import sys
from contextlib import suppress
from types import FrameType


def main() -> None:
    """Entry point of the `sweep` command."""
    # a container's first process ignores SIGTERM unless it has a handler: before all imports
    signal.signal(signal.SIGTERM, _end)
    try:
        from sweep.cli.app import run

        run()
    except KeyboardInterrupt:
        _leave(128 + signal.SIGINT)
    except SystemExit as ended:
        if not isinstance(ended.code, int | None):
            raise
        _leave(ended.code or 0)


def _end(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)


def _leave(code: int) -> None:
    """Exit, past the dismantling of TensorFlow where it was used: it takes over a second."""
    if "tensorflow" not in sys.modules:
        sys.exit(code)
    atexit._run_exitfuncs()
    with suppress(OSError):  # the reader of our output has gone
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
