"""The command line: the only place that prints, reads environment variables or exits."""

import os
import signal
import sys
from types import FrameType


def main() -> None:
    """Entry point of the `sweep` command."""
    # a container's first process ignores SIGTERM unless it has a handler: before all imports
    signal.signal(signal.SIGTERM, _end)
    try:
        from sweep.cli.app import run

        run()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def _end(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)
