"""A script's search with workers of a pool: what it shows of them, and when there can be none."""

from dataclasses import dataclass

from sweep.errors import UsageError
from sweep.pool.places import PoolAsked
from sweep.runner.workers import IN_PROCESS, Workers
from sweep.tuners.arguments import TunerArguments
from sweep.tuners.showing import Show


@dataclass(frozen=True)
class _Shown:
    """A `runner.say.Say` among what the search shows."""

    show: Show

    def hint(self, text: str) -> None:
        self.show.line(text)

    def warn(self, text: str) -> None:
        self.show.line(f"warning: {text}")


def workers_of(asked: PoolAsked | None, show: Show) -> Workers:
    """Return who trains."""
    return IN_PROCESS if asked is None else Workers(asked, say=_Shown(show))


def refuse_pool(arguments: TunerArguments, why: str) -> None:
    """Raise UsageError if a pool was asked for, as only the script's own process can train."""
    if arguments.pool is not None:
        raise UsageError(f"pool={str(arguments.pool)!r}: {why}, in this process; leave out pool")
