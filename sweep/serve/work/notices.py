"""Tells a webhook how each job ended: signed, and tried again until it was heard."""

import hashlib
import hmac
import json
import logging
import secrets
import threading
import time

import requests

from sweep.errors import SweepError, UsageError
from sweep.records import Json
from sweep.serve.queue import jobs
from sweep.serve.queue.database import QueueDatabase
from sweep.serve.queue.job import Job, JobState
from sweep.serve.service import Service
from sweep.serve.work.webhook import post

SIGNATURE = "X-Sweep-Signature"
_WAITS = (10.0, 60.0, 600.0, 3600.0)
"""Seconds after a delivery that failed; then it is given up."""
_TURN_SECONDS = 1.0
_log = logging.getLogger(__name__)


def enter(service: Service, job: Job) -> None:
    """Enter that a job's end is to be told, if it is, in the transaction that ends it."""
    if service.options.notify is None:
        return
    with service.database.changing() as db:
        db.execute(
            "INSERT INTO delivery (job, body, not_before) VALUES (?, '', ?)",
            (job.job, time.time()),
        )


def secret_of(database: QueueDatabase) -> str:
    """Return the secret that deliveries are signed with; it is made when first asked for."""
    with database.changing() as db:
        db.execute(
            "INSERT OR IGNORE INTO setting VALUES ('notify_secret', ?)", (secrets.token_hex(32),)
        )
    row = database.row("SELECT value FROM setting WHERE name = 'notify_secret'")
    return "" if row is None else str(row["value"])


def signature(secret: str, body: bytes) -> str:
    """Return what the receiver computes again: HMAC-SHA256 of the body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Notifier:
    """Delivers what is due, in a thread, until it is closed."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def close(self) -> None:
        """Deliver no more; what is left is delivered when a service runs again."""
        self._closing.set()

    def _run(self) -> None:
        while not self._closing.wait(_TURN_SECONDS):
            try:
                deliver_due(self.service)
            except Exception:
                _log.exception("a notice could not be delivered")


def deliver_due(service: Service) -> int:
    """Deliver all notices that are due; return how many were tried."""
    database = service.database
    rows = database.rows(
        "SELECT * FROM delivery WHERE done_at IS NULL AND not_before <= ? ORDER BY delivery",
        time.time(),
    )
    for row in rows:
        body = row["body"] or json.dumps(_told(service, jobs.get(database, row["job"])))
        error = _deliver(service, body.encode())
        tries = row["tries"] + 1
        gives_up = error is not None and tries > len(_WAITS)
        done = time.time() if error is None or gives_up else None
        wait = 0.0 if done is not None else _WAITS[tries - 1]
        with database.changing() as db:
            db.execute(
                "UPDATE delivery SET body = ?, tries = ?, done_at = ?, not_before = ?, error = ?"
                " WHERE delivery = ?",
                (body, tries, done, time.time() + wait, error, row["delivery"]),
            )
    return len(rows)


def _deliver(service: Service, body: bytes) -> str | None:
    """Send a notice; return what went wrong."""
    options = service.options
    headers = {
        "Content-Type": "application/json",
        SIGNATURE: signature(secret_of(service.database), body),
    }
    try:
        status = post(options.notify or "", body, headers, private=options.notify_private)
    except (requests.RequestException, UsageError) as error:
        return str(error)[:300]
    return None if status < 300 else f"answered {status}"


def _told(service: Service, job: Job) -> Json:
    """Return what is told of a job's end, with the verdict of its sweep if there is one."""
    found: Json = {
        "schema": "sweep.notice/1",
        "job": job.job,
        "kind": job.kind,
        "sweep": job.sweep,
        "state": job.state,
        "error": job.error,
        "exit_code": job.exit_code,
        "ended_at": job.ended_at,
        "verdict": None,
    }
    if job.state in (JobState.FINISHED, JobState.BUDGET):
        found["verdict"] = _verdict(service, job.sweep)
    return found


def _verdict(service: Service, sweep: str) -> list[str] | None:
    from sweep.analysis.answers.verdict import verdict
    from sweep.analysis.report.verdict_words import lines

    try:
        frames = service.looks.frames(service.sweep(sweep))
    except SweepError:
        return None
    return [f"{label} {line}".strip() for label, line in lines(verdict(frames))]
