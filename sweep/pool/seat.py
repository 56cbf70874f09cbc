"""A place for one worker after another, and whether another one has a point."""

from dataclasses import dataclass

_MOST_STARTS = 3
"""In a row that fail."""
_MOST_LIVES = 10
"""In a row that end before an epoch was trained."""
_ALL = 1 << 20


@dataclass
class Seat:
    """What became of the workers at a place."""

    most: int = _ALL
    """Assignments that a worker here may hold; half as many after each want of memory."""
    _failed_starts: int = 0
    _short_lives: int = 0

    def started(self) -> None:
        """A worker is ready."""
        self._failed_starts = 0

    def worked(self) -> None:
        """A worker has said something of its work."""
        self._short_lives = 0

    def is_lost(self, why: str, *, was_ready: bool, wanted_memory: bool) -> bool:
        """Count the end of a worker; return whether to start another one."""
        if wanted_memory or why.startswith(MemoryError.__name__):
            self.most = max(1, min(self.most, 8) // 2)
        self._failed_starts += not was_ready
        self._short_lives += 1
        return self._failed_starts < _MOST_STARTS and self._short_lives < _MOST_LIVES
