"""The command line: the only place that prints, reads environment variables or exits."""

import atexit
import gc
import os
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType

from sweep.errors import SweepError
from sweep.streams import open_streams


def main() -> None:
    """Entry point of the `sweep` command."""
    # a container's first process ignores SIGTERM unless it has a handler: before all imports
    signal.signal(signal.SIGTERM, _end)
    gc.disable()  # while libraries are imported, which make no garbage; `app` enables it again
    leaving = _Leaving()
    atexit.register(leaving)  # the first of all, so the last to be called
    open_streams()
    try:
        from sweep.cli.app import run

        run()
        leaving.code = 0
    except KeyboardInterrupt:
        leaving.code = 128 + signal.SIGINT
    except SystemExit as ended:
        if not isinstance(ended.code, int | None):
            raise
        leaving.code = ended.code or 0
    others = (one for one in threading.enumerate() if one is not threading.main_thread())
    if any(not one.daemon for one in others):
        leaving()  # a search space has started a thread, for which Python would wait
    sys.exit(leaving.code)


def _end(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)


@dataclass
class _Leaving:
    """Exits past the dismantling of libraries: it takes 0.3 s after a report, and a second longer
    where TensorFlow was used.
    """

    code: int = 1
    """Also when nothing catches an exception."""

    def __call__(self) -> None:
        with suppress(OSError, SweepError):  # the disk behind them is full
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(self.code)
