"""Sessions of browsers: a random id in a cookie, whose hash is kept, for some hours."""

import secrets
import time

from sweep.serve.access.tokens import Token, hashed, token_of, used
from sweep.serve.queue.database import QueueDatabase

SESSION_SECONDS = 12 * 3600.0
_BYTES = 32


def sign_in(database: QueueDatabase, token: Token) -> str:
    """Begin a session of a token; return its secret for the cookie."""
    secret, now = secrets.token_urlsafe(_BYTES), time.time()
    with database.changing() as db:
        db.execute("DELETE FROM session WHERE expires_at <= ?", (now,))
        db.execute(
            "INSERT INTO session VALUES (?, ?, ?, ?)",
            (hashed(secret), token.token, now, now + SESSION_SECONDS),
        )
    return secret


def signed_in(database: QueueDatabase, secret: str) -> Token | None:
    """Return the token whose session a cookie names; None if there is none, or it has expired."""
    row = database.row(
        "SELECT token.*, session.expires_at AS ends FROM session JOIN token USING (token)"
        " WHERE session.sha256 = ?",
        hashed(secret),
    )
    if row is None or row["ends"] <= time.time():
        return None
    return used(database, token_of(row))


def sign_out(database: QueueDatabase, secret: str) -> None:
    """End a session."""
    with database.changing() as db:
        db.execute("DELETE FROM session WHERE sha256 = ?", (hashed(secret),))
