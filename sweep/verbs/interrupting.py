"""Interrupting from Python: Ctrl-C, or a notebook's stop button, ends after the epoch under way."""

import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any

from sweep.sweep_folder import SweepFolder


class Interruption:
    """While open, the first Ctrl-C asks to stop at an epoch's end; a second one ends it.

    So does `sweep stop`. Only the main thread of a program hears Ctrl-C.
    """

    def __init__(self, folder: SweepFolder) -> None:
        self.folder = folder
        self.asked = False
        self._before: Any = None

    def __enter__(self) -> "Interruption":
        self.folder.stop_request.unlink(missing_ok=True)  # of an earlier run
        is_pythons = signal.getsignal(signal.SIGINT) is not None  # else it could not be put back
        if is_pythons and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._hear)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        print("stopping after this epoch; interrupt again to stop at once", file=sys.stderr)

    def requested(self) -> bool:
        return self.asked or self.folder.stop_is_requested


def stopped(folder: SweepFolder) -> KeyboardInterrupt:
    """Return the error of a search that has stopped at an epoch's end, to be raised.

    If nobody catches it, a script ends with its message in one line and a notebook's cell shows
    that line, in place of a traceback: nothing has gone wrong.
    """
    error = KeyboardInterrupt(
        f"stopped at the end of an epoch, all saved in {folder.path}; run this again to go on"
    )
    error._render_traceback_ = lambda: [str(error)]  # type: ignore[attr-defined]  # for IPython
    if not isinstance(sys.excepthook, _InOneLine):
        sys.excepthook = _InOneLine(sys.excepthook)
    return error


@dataclass(frozen=True)
class _InOneLine:
    """An excepthook that shows the message of a search that has stopped, and nothing else of it."""

    before: Callable[[type[BaseException], BaseException, TracebackType | None], Any]

    def __call__(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if hasattr(error, "_render_traceback_") and isinstance(error, KeyboardInterrupt):
            print(error, file=sys.stderr)
        else:
            self.before(kind, error, trace)
