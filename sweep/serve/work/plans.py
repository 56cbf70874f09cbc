"""Plans: what a search would train and how long it takes, found out by a short process each."""

import hashlib
import json
import os
import subprocess
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sweep.errors import NotFoundError
from sweep.records import Json
from sweep.serve.options import ServeOptions
from sweep.serve.queue import audit
from sweep.serve.queue.database import QueueDatabase
from sweep.serve.work.commands import options_of, whole_command

_MOST_SECONDS = 600.0
NOT_PLANNED = ("patience", "keep")
"""Settings that `sweep plan` has no option for: they do not change how much is trained at most."""
_WHO = "sweep serve"
_ERROR = "error: "
_FRAME = " │╭╮╰╯─"
"""Around what is wrong with a command line."""


@dataclass(frozen=True)
class AskedPlan:
    """A plan that was asked for. `result` is what `sweep plan -o json` prints, once it is there."""

    plan: int
    space: str
    space_sha256: str
    settings: Json
    state: str
    """running, finished or failed."""
    result: Json | None
    error: str | None
    exit_code: int | None
    created_at: float


class Planner:
    """Makes plans in processes, one at a time."""

    def __init__(self, options: ServeOptions, database: QueueDatabase) -> None:
        self.options, self.database = options, database
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="plan")
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = threading.Event()
        with database.changing() as db:
            db.execute(
                "UPDATE plan SET state = 'failed', error = 'the service ended meanwhile; ask again'"
                " WHERE state = 'running'"
            )

    def add(self, space: str, sha256: str, settings: Json) -> int:
        """Enter a plan; return its number."""
        with self.database.changing() as db:
            cursor = db.execute(
                "INSERT INTO plan (space, space_sha256, settings, key, state, created_at)"
                " VALUES (?, ?, ?, ?, 'running', ?)",
                (space, sha256, json.dumps(settings), _key(sha256, settings), time.time()),
            )
            return int(cursor.lastrowid or 0)

    def make(self, number: int, path: Path) -> "Future[None]":
        """Begin to make a plan that was entered. `path` is the space's file."""
        return self._pool.submit(self._make, number, path)

    def close(self) -> None:
        """End the process at work, and make no more."""
        self._ended.set()
        if self._process is not None:
            self._process.kill()
        self._pool.shutdown(cancel_futures=True)

    def _make(self, number: int, path: Path) -> None:
        try:
            code, out, err = self._ended_of(number, path)
        except OSError as error:
            code, out, err = 1, b"", f"error: {error}".encode()
        if not self._ended.is_set():
            self._settle(number, code, out, err)

    def _ended_of(self, number: int, path: Path) -> tuple[int, bytes, bytes]:
        """Run a plan's process to its end; return its exit code and what it printed."""
        asked = plan(self.database, number)
        values = {k: v for k, v in asked.settings.items() if k not in NOT_PLANNED}
        folders = [] if self.options.cache is None else [f"--cache={self.options.cache.absolute()}"]
        arguments = ["plan", str(path), "--output=json", *options_of(values), *folders]
        command = whole_command(arguments, self.options.run_with)
        environment = {**os.environ, **self.options.devices[0].environment()}
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
            env=environment,
        )  # fmt: skip
        self._process = process
        try:
            out, err = process.communicate(timeout=_MOST_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
        self._process = None
        return process.returncode, out, err

    def _settle(self, number: int, code: int, out: bytes, err: bytes) -> None:
        result = out.decode(errors="replace").strip().rpartition("\n")[2] if code == 0 else None
        error = None if code == 0 else last_error(err.decode(errors="replace"))
        found = None if result is None else json.loads(result)
        seconds = None if found is None else found.get("pool", found)["seconds"]
        with self.database.changing() as db:
            db.execute(
                "UPDATE plan SET state = ?, result = ?, error = ?, exit_code = ?, seconds = ?"
                " WHERE plan = ?",
                ("failed" if code else "finished", result, error, code, seconds, number),
            )
            audit.enter(self.database, _WHO, "service", "plan made", f"plan {number}")


def plan(database: QueueDatabase, number: int) -> AskedPlan:
    """Return a plan. Raises NotFoundError."""
    row = database.row("SELECT * FROM plan WHERE plan = ?", number)
    if row is None:
        raise NotFoundError(f"there is no plan {number}; ask for one: POST /api/v1/plans")
    result = row["result"]
    return AskedPlan(
        plan=row["plan"],
        space=row["space"],
        space_sha256=row["space_sha256"],
        settings=json.loads(row["settings"]),
        state=row["state"],
        result=None if result is None else json.loads(result),
        error=row["error"],
        exit_code=row["exit_code"],
        created_at=row["created_at"],
    )


def known_seconds(database: QueueDatabase, sha256: str, settings: Json) -> float | None:
    """Return how long the latest plan of a space with these settings said; None if there is none.

    Settings that do not change how much is trained are left out.
    """
    row = database.row(
        "SELECT seconds FROM plan WHERE key = ? AND seconds IS NOT NULL ORDER BY plan DESC LIMIT 1",
        _key(sha256, settings),
    )
    return None if row is None else float(row["seconds"])


def last_error(text: str) -> str:
    """Return the line that says why a command failed, else its last words."""
    said = error_line(text)
    if said is not None:
        return said
    lines = _lines(text)
    return lines[-1] if lines else "it ended without a word"


def error_line(text: str) -> str | None:
    """Return what stands behind the last `error:` that begins a line; None if none does.

    Libraries write that word inside of their lines too, of what ends nothing.
    """
    said = [one for one in _lines(text) if one.startswith(_ERROR)]
    return said[-1].removeprefix(_ERROR) if said else None


def _lines(text: str) -> list[str]:
    return [line.strip(_FRAME) for line in text.splitlines() if line.strip(_FRAME)]


def _key(sha256: str, settings: Json) -> str:
    told = {k: v for k, v in settings.items() if k not in (*NOT_PLANNED, "seed")}
    text = json.dumps([sha256, sorted(told.items())])
    return hashlib.sha256(text.encode()).hexdigest()
