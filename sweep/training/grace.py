"""How long an epoch under way may go on once training is to stop: then it is left out."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sweep.training.contract import StopRequested

GRACE_SECONDS = 4.0
"""For the epoch under way, or the compilation. An epoch that is left out is trained again, to the
same bits."""


@dataclass
class Grace:
    """Whether the epoch under way is to be left: `stop()` turned true so long ago."""

    stop: StopRequested
    seconds: float = field(default_factory=lambda: GRACE_SECONDS)
    clock: Callable[[], float] = time.monotonic
    _asked_at: float | None = field(init=False, default=None)

    def is_over(self) -> bool:
        """Return whether to wait no longer. The time is counted from the first call after stop."""
        if self._asked_at is None and self.stop():
            self._asked_at = self.clock()
        return self._asked_at is not None and self.clock() - self._asked_at >= self.seconds


class EpochLeftError(Exception):
    """An epoch was left as its training is to stop: nothing of it is kept."""
