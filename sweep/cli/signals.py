"""The first Ctrl-C or SIGTERM asks to stop, the second kills."""

import os
import signal
from types import FrameType, TracebackType

from sweep.cli.output import hint

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopOnSignal:
    """While open, `requested()` tells whether the user asked to stop, `number` by which signal."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._before: dict[int, object] = {}

    def __enter__(self) -> "StopOnSignal":
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() returned

    def requested(self) -> bool:
        return self.number is not None

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.number is not None:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        self.number = number
        hint("stopping after this epoch; once more kills")
