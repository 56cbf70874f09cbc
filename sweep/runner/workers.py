"""Who trains, as a command asks for it: its own process, or a pool of workers."""

from dataclasses import dataclass, field

from sweep.pool.places import PoolAsked
from sweep.runner.say import Say


class _Silent:
    """Shows nothing."""

    def hint(self, text: str) -> None:
        return

    def warn(self, text: str) -> None:
        return


@dataclass(frozen=True)
class Workers:
    """Who trains: this process, or a pool."""

    asked: PoolAsked | None = None
    """None for this process."""
    mixed: bool = False
    """Whether workers may join that compute otherwise than the sweep began with."""
    say: Say = field(default_factory=_Silent)


IN_PROCESS = Workers()
