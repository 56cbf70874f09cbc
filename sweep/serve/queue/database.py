"""The queue's database, open: one connection, one lock, one transaction at a time."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sweep.disk import hold
from sweep.errors import LockedError, PlatformError
from sweep.serve.queue.schema import open_queue
from sweep.store.connection import transaction


@dataclass(frozen=True)
class QueueFolder:
    """Where the queue of a results folder lies."""

    results: Path

    @property
    def database(self) -> Path:
        return self.results / "queue.db"

    @property
    def rest(self) -> Path:
        """Logs, spaces and exported models of jobs; no sweep can have this name."""
        return self.results / ".queue"

    @property
    def server_lock(self) -> Path:
        return self.rest / "server.lock"

    @property
    def spaces(self) -> Path:
        return self.rest / "spaces"

    def log(self, job: int) -> Path:
        """What a job's processes printed."""
        return self.rest / "jobs" / f"{job}.log"

    def lock(self, job: int) -> Path:
        """Held by the job's process as long as it lives, however that ends."""
        return self.rest / "jobs" / f"{job}.lock"

    def model(self, job: int, sweep: str) -> Path:
        """The file that an export writes."""
        return self.rest / "models" / str(job) / f"{sweep}.keras"

    def create(self) -> "QueueFolder":
        """Make the folders, readable by their owner only. Raises PlatformError."""
        try:
            for folder in (self.rest, self.rest / "jobs", self.rest / "models", self.spaces):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise PlatformError(
                f"cannot write to {self.rest} ({error.strerror}); choose another folder with "
                "--results"
            ) from error
        return self

    @contextmanager
    def served(self) -> Iterator[None]:
        """Hold the results folder as its only server. Raises LockedError if there is another."""
        descriptor = os.open(self.create().server_lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not hold(descriptor):
                pid = os.pread(descriptor, 20, 0).decode(errors="replace")
                raise LockedError(
                    f"process {pid} serves {self.results} already; use that one, or end it first"
                )
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            yield
        finally:
            os.close(descriptor)


class QueueDatabase:
    """A connection to `queue.db` that threads share. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        self._db = open_queue(path)
        self._alone = threading.RLock()

    def __enter__(self) -> "QueueDatabase":
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        with self._alone:
            self._db.close()

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Hold the database: all that is written inside is committed at the end, or nothing.

        May be nested; the outermost commits. Raises PlatformError when the disk is at fault.
        """
        with self._alone:
            if self._db.in_transaction:
                yield self._db
                return
            try:
                with transaction(self._db):
                    yield self._db
            except sqlite3.OperationalError as error:
                raise PlatformError(
                    f"the queue cannot be written ({error}); make room or permission in the "
                    "results folder"
                ) from error

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Return the rows of a query."""
        with self._alone:
            return self._db.execute(query, values).fetchall()

    def row(self, query: str, *values: object) -> sqlite3.Row | None:
        """Return the first row of a query; None if there is none."""
        with self._alone:
            found: sqlite3.Row | None = self._db.execute(query, values).fetchone()
            return found
