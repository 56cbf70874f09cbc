"""The command line: the only place that prints, reads environment variables or exits."""

import atexit
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType

from sweep.errors import SweepError
from sweep.streams import open_streams


def main() -> None:
    """Entry point of the `sweep` command."""
    # a container's first process ignores SIGTERM unless it has a handler: before all imports
    signal.signal(signal.SIGTERM, _end)
    leaving = _Leaving()
    atexit.register(leaving)  # the first of all, so the last to be called
    open_streams()
    try:
        from sweep.cli.app import run

        run()
        leaving.code = 0
    except KeyboardInterrupt:
        leaving.code = 128 + signal.SIGINT
        sys.exit(leaving.code)
    except SystemExit as ended:
        if isinstance(ended.code, int | None):
            leaving.code = ended.code or 0
        raise


def _end(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)


@dataclass
class _Leaving:
    """Exits past the dismantling of TensorFlow where it was used: that takes over a second."""

    code: int = 1
    """Also when nothing catches an exception."""

    def __call__(self) -> None:
        if "tensorflow" not in sys.modules:
            return
        with suppress(OSError, SweepError):  # the disk behind them is full
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(self.code)
