"""Answers kept by their idempotency key, so that a request sent twice is carried out once."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from sweep.errors import LockedError
from sweep.records import Json
from sweep.serve.queue.database import QueueDatabase

KEPT_SECONDS = 86_400.0


class OtherRequestError(Exception):
    """The key was used for another request."""


@dataclass(frozen=True)
class RequestAnswer:
    """What a request was answered with."""

    status: int
    location: str | None
    body: Json
    is_kept: bool = False
    """Whether it is the answer to an earlier request with the same key."""


def once(
    database: QueueDatabase,
    key: str | None,
    who: str,
    path: str,
    asked: bytes,
    make: Callable[[], RequestAnswer],
) -> RequestAnswer:
    """Return what `make` answers, or what it answered to the same request under this key.

    The answer and all that `make` writes to the queue are one transaction: after a kill in the
    midst of it the request was never carried out. Raises OtherRequestError if the key was used for
    another request.
    """
    if key is None:
        return make()
    sha256 = hashlib.sha256(asked).hexdigest()
    with database.changing() as db:
        db.execute("DELETE FROM answer WHERE at < ?", (time.time() - KEPT_SECONDS,))
        found = db.execute(
            "SELECT * FROM answer WHERE key = ? AND who = ? AND path = ?", (key, who, path)
        ).fetchone()
        if found is not None:
            if found["body_sha256"] != sha256:
                raise OtherRequestError
            if found["status"] is None:
                raise LockedError("the first request with this Idempotency-Key is still under way")
            body = json.loads(found["body"])
            return RequestAnswer(found["status"], found["location"], body, is_kept=True)
        answer = make()
        db.execute(
            "INSERT INTO answer VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                key, who, path, sha256, time.time(), answer.status, answer.location,
                json.dumps(answer.body),
            ),
        )  # fmt: skip
    return answer
