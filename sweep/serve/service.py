"""The service as a whole: what its parts share while it runs."""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

from sweep.disk import file_at
from sweep.errors import InvalidSpaceError, NotFoundError
from sweep.serve.options import ServeOptions
from sweep.serve.queue.database import QueueDatabase, QueueFolder
from sweep.serve.work.looks import Looks
from sweep.serve.work.plans import Planner
from sweep.serve.work.shelf import Shelf
from sweep.sweep_folder import SweepFolder

_TURNS_SECONDS = 30.0
"""The dispatcher turns several times a second; silent for so long, it is dead."""


@dataclass
class Clients:
    """How many streams of events are open."""

    n: int = 0


@dataclass
class Service:
    """A service at work. `wake` is set when there is something to start or to stop."""

    options: ServeOptions
    database: QueueDatabase
    planner: Planner
    looks: Looks = field(default_factory=Looks)
    wake: threading.Event = field(default_factory=threading.Event)
    ending: threading.Event = field(default_factory=threading.Event)
    """Set when the service is to end: it takes no new work, and streams end."""
    hurry: threading.Event = field(default_factory=threading.Event)
    """Set when it is to end at once."""
    clients: Clients = field(default_factory=Clients)
    turned_at: float = field(default_factory=time.monotonic)
    """When the dispatcher last looked for work."""

    def __post_init__(self) -> None:
        self._file = file_at(self.folder.database)

    @property
    def is_in_place(self) -> bool:
        """Whether the queue is still where it was: nobody has moved the results folder."""
        return file_at(self.folder.database) == self._file

    @property
    def why_out_of_place(self) -> str:
        """What to do when it is not."""
        return (
            f"{self.folder.database} is gone: put the results folder back, or start sweep serve "
            "again where it is now"
        )

    def dispatcher_is_alive(self) -> bool:
        """Return whether the dispatcher turns."""
        return time.monotonic() - self.turned_at < _TURNS_SECONDS

    @property
    def folder(self) -> QueueFolder:
        return QueueFolder(self.options.results)

    @property
    def shelf(self) -> Shelf:
        return Shelf(self.database, self.folder.spaces, self.options.spaces)

    def sweep(self, name: str) -> SweepFolder:
        """Return a sweep's folder in the results folder: a name, never a path.

        Raises NotFoundError.
        """
        found = None
        with suppress(InvalidSpaceError):
            found = SweepFolder(self.options.results, name)
        if found is None or not found.exists:
            raise NotFoundError(f"no sweep named {name[:80]!r} in {self.options.results}")
        return found

    @property
    def is_paused(self) -> bool:
        """Whether nothing new is started: the queue is drained, or the service ends."""
        row = self.database.row("SELECT value FROM setting WHERE name = 'paused'")
        return self.ending.is_set() or (row is not None and row["value"] == "1")

    def pause(self, paused: bool) -> None:
        """Drain the queue, or let it go on."""
        with self.database.changing() as db:
            db.execute("INSERT OR REPLACE INTO setting VALUES ('paused', ?)", (str(int(paused)),))
        self.wake.set()
