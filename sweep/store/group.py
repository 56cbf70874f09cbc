"""What waits for a commit that many writes share: files to be flushed, and what follows from it."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class WriteGroup:
    """Writes that are committed together."""

    awaited: list[Callable[[], object]] = field(default_factory=list)
    """To be called before the commit: each waits for a file, and raises if that failed."""
    actions: list[Callable[[], object]] = field(default_factory=list)
    """To be called once all is on the disk."""

    def wait(self) -> None:
        """Wait for all files; raises the first fault once none is being written any more."""
        fault: BaseException | None = None
        for done in self.awaited:
            try:
                done()
            except BaseException as error:
                fault = fault or error
        if fault is not None:
            raise fault

    def end(self) -> None:
        """Do what had to wait for the commit."""
        for action in self.actions:
            action()
