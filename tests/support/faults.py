"""Lets a process die at a chosen step of its work on disk, as SIGKILL or a power cut would.

A layer under the program: the program itself knows nothing of it. Steps are counted by kind:

    torn checkpoint       half of a checkpoint's bytes are written
    unflushed checkpoint  all are written, none is on the disk for sure
    unnamed checkpoint    on the disk, not yet under its name
    uncounted checkpoint  under its name, its row not yet in the database
    old checkpoint        the new one counts, the old file is still there
    statement             within a transaction, before it changes a row
    commit                before a transaction is committed
    torn commit           half of it is in the write-ahead log
    committed             after that
    tell, told            before and after the oracle hears a score
"""

import io
import os
import resource
import signal
import sqlite3
import stat
from collections import Counter
from pathlib import Path
from typing import Any


class Steps:
    """Counts steps; `dies` tells that this one is to be the last."""

    def __init__(self, kind: str | None, fatal: int) -> None:
        self.kind, self.fatal, self.taken = kind, fatal, Counter()
        self.order: list[str] = []

    def dies(self, kind: str) -> bool:
        self.taken[kind] += 1
        self.order.append(kind)
        taken = self.taken.total() if self.kind is None else self.taken[self.kind]
        return self.kind in (None, kind) and taken == self.fatal

    def here(self, kind: str) -> None:
        if self.dies(kind):
            die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(kind: str | None, fatal: int) -> Steps:
    """From now on the process dies at its `fatal`-th step of a kind, or of any kind."""
    steps = Steps(kind, fatal)
    _arm_files(steps)
    connect = sqlite3.connect

    def armed(path: Any, *arguments: Any, **options: Any) -> Any:
        db = connect(path, *arguments, factory=_Connection, **options)
        db.steps, db.file = steps, Path(path)
        return db

    sqlite3.connect = armed
    from sweep.searches.hyperband import HyperbandSearch

    tell = HyperbandSearch.tell

    def told(*arguments: Any) -> None:
        steps.here("tell")
        tell(*arguments)
        steps.here("told")

    HyperbandSearch.tell = told
    return steps


def _arm_files(steps: Steps) -> None:
    from sweep.training import checkpoint

    save, fsync, replace, unlink = checkpoint._save, os.fsync, Path.replace, Path.unlink

    def torn_save(file: Any, arrays: Any) -> None:
        if steps.dies("torn checkpoint"):
            whole = io.BytesIO()
            save(whole, arrays)
            file.write(whole.getvalue()[: whole.tell() // 2])
            file.flush()
            die()
        save(file, arrays)

    def fsync_of(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        steps.here("uncounted checkpoint" if is_folder else "unflushed checkpoint")
        fsync(descriptor)

    def replace_by(path: Path, target: Any) -> Path:
        steps.here("unnamed checkpoint")
        return replace(path, target)

    def unlink_of(path: Path, missing_ok: bool = False) -> None:
        if path.name.startswith("trial-") and path.suffix == ".npz":
            steps.here("old checkpoint")
        unlink(path, missing_ok=missing_ok)

    checkpoint._save, os.fsync = torn_save, fsync_of
    Path.replace, Path.unlink = replace_by, unlink_of


class _Connection(sqlite3.Connection):
    steps: Steps
    file: Path

    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        if sql == "COMMIT":
            self.steps.here("commit")
            if self.steps.dies("torn commit"):
                self._commit_half()
            cursor = super().execute(sql, *arguments)
            self.steps.here("committed")
            return cursor
        if self.in_transaction and sql.startswith(("INSERT", "UPDATE", "DELETE")):
            self.steps.here("statement")
        return super().execute(sql, *arguments)

    def executemany(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        self.steps.here("statement")
        return super().executemany(sql, *arguments)

    def _commit_half(self) -> None:
        """The kernel cuts the write off after some bytes and ends the process at the next."""
        log = self.file.with_name(f"{self.file.name}-wal")
        size = log.stat().st_size if log.exists() else 0
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 2000, size + 2000))
        super().execute("COMMIT")
        raise RuntimeError("the transaction was too small to be torn")
