"""Interrupting from Python: Ctrl-C, or a notebook's stop button, ends after the epoch under way."""

import signal
import threading
from types import FrameType, TracebackType


class Interrupts:
    """While open, the first SIGINT is a request that `requested` tells; the second one interrupts.

    Outside the main thread, where Python allows no handlers, SIGINT does what it did before.
    """

    def __init__(self) -> None:
        self.is_requested = False
        self._before: object = None
        self._is_ours = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> "Interrupts":
        if self._is_ours:
            self._before = signal.signal(signal.SIGINT, self._heard)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_ours:
            signal.signal(signal.SIGINT, self._before)  # type: ignore[arg-type]  # what it gave us

    def requested(self) -> bool:
        """Whether to stop after the epoch under way."""
        return self.is_requested

    def _heard(self, number: int, frame: FrameType | None) -> None:
        if self.is_requested:
            raise KeyboardInterrupt
        self.is_requested = True
