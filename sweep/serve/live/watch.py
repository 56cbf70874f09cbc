"""One watcher for each sweep that somebody listens to, and one for the queue.

A watcher asks SQLite four times a second whether another process has committed, which takes
microseconds, and reads new events only then. All listeners of a sweep share it.
"""

import asyncio
import sqlite3
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sweep.disk import file_at
from sweep.errors import SweepError
from sweep.serve.queue.audit import AuditEntry
from sweep.serve.queue.database import QueueDatabase
from sweep.serve.work.looks import plain_identity
from sweep.store import Reader
from sweep.store.events import Event, events_after, last_event
from sweep.sweep_folder import SweepFolder

POLL_SECONDS = 0.25
MOST_BEHIND = 1000
"""Events that a listener may lag behind; a page that lags more reads all again."""


@dataclass
class SweepWatch:
    """A sweep's database, open, and what was last seen of it."""

    folder: SweepFolder
    listeners: int = 0
    identity: str = ""
    last: int = 0
    holder: str | None = None
    _reader: Reader | None = None
    _file: tuple[int, int] | None = None
    _version: int = -1
    _kept: tuple[int, list[Event]] = (-1, [])

    def poll(self) -> None:
        """Look whether there is anything new."""
        self.holder = self.folder.holder()
        file = file_at(self.folder.database)
        if file != self._file or self._reader is None:
            self._open(file)
        if self._reader is None:
            return
        try:
            version = self._reader.data_version()
            if version != self._version:
                self._version = version
                self.last = last_event(self._reader)
                self._kept = (-1, [])
        except SweepError:
            self.close()

    def after(self, event: int) -> list[Event]:
        """Return the events behind one, one more than a listener may lag at most."""
        if self._reader is None or event >= self.last:
            return []
        if self._kept[0] != event:
            try:
                found = events_after(self._reader, event, MOST_BEHIND + 1)
            except SweepError:  # damaged; whoever reads the sweep is told
                found = []
            self._kept = (event, found)
        return self._kept[1]

    def close(self) -> None:
        """Close the database."""
        if self._reader is not None:
            self._reader.close()
        self._reader, self._file, self._version = None, None, -1

    def _open(self, file: tuple[int, int] | None) -> None:
        self.close()
        if file is None:
            self.identity, self.last = "", 0
            return
        with suppress(SweepError):
            self._reader = Reader(self.folder.database)
            self.identity = plain_identity(self._reader.sweep().identity)
            self._file = file


@dataclass
class Watchers:
    """All watchers of a service: made when somebody listens, gone when nobody does."""

    database: QueueDatabase
    path: Path
    """Of the queue's database."""
    entry: int = 0
    """The latest line of the audit log."""
    sweeps: dict[str, SweepWatch] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    listeners: int = 0
    _task: "asyncio.Task[None] | None" = None
    _queue: sqlite3.Connection | None = None
    _version: int = -1

    def listen(self, folder: SweepFolder | None) -> SweepWatch | None:
        """Begin to listen to the queue, and to a sweep if one is given."""
        self.listeners += 1
        self._poll_queue()  # a page that was made just now knows more than the last poll
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        if folder is None:
            return None
        watch = self.sweeps.setdefault(folder.name, SweepWatch(folder))
        watch.listeners += 1
        watch.poll()
        return watch

    def leave(self, watch: SweepWatch | None) -> None:
        """Listen no more."""
        self.listeners -= 1
        if watch is not None:
            watch.listeners -= 1
            if not watch.listeners:
                watch.close()
                self.sweeps.pop(watch.folder.name, None)
        if not self.listeners and self._task is not None:
            self._task.cancel()
            self._task = None
            if self._queue is not None:
                self._queue.close()
                self._queue = None

    def entries_after(self, entry: int) -> list[AuditEntry]:
        """Return the lines of the audit log behind one, the oldest first."""
        if entry >= self.entry:
            return []
        rows = self.database.rows(
            "SELECT * FROM audit WHERE entry > ? ORDER BY entry LIMIT ?", entry, MOST_BEHIND + 1
        )
        return [AuditEntry(**dict(row)) for row in rows]

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            before = self._state()
            self._poll_queue()
            for watch in list(self.sweeps.values()):
                watch.poll()
            if self._state() != before:
                self.changed.set()
                self.changed = asyncio.Event()

    def _state(self) -> list[object]:
        seen = [(one.identity, one.last, one.holder) for one in self.sweeps.values()]
        return [self.entry, *seen]

    def _poll_queue(self) -> None:
        """The service writes to its queue by another connection than this one."""
        if self._queue is None:
            self._queue = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
            self._version = -1
        (version,) = self._queue.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._version = version
            query = "SELECT COALESCE(MAX(entry), 0) FROM audit"
            (self.entry,) = self._queue.execute(query).fetchone()
