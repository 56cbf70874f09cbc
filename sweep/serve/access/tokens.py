"""Tokens: how they look, what they allow, and how they are kept: as hashes.

256 random bits need no slow hash, and what is looked up by its hash is never compared byte by byte.
"""

import hashlib
import re
import secrets
import sqlite3
import string
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum

from sweep.errors import InvalidSpaceError, NotFoundError, UsageError
from sweep.serve.queue.database import QueueDatabase

PREFIX = "swp_"
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM, _CHECK = 43, 6
_FORM = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_RANDOM + _CHECK}}}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}")
_NOTED_SECONDS = 60.0
"""How often a token's last use is entered."""


class TokenScope(StrEnum):
    """What a token allows."""

    READ = "read"
    """Look at everything."""
    RUN = "run"
    """Start approved spaces, stop, resume, reorder."""
    CODE = "code"
    """Upload and approve search spaces, which are code."""
    ADMIN = "admin"
    """Tokens, the queue as a whole, removing sweeps."""


@dataclass(frozen=True)
class Token:
    """A token as it is kept. Times are Unix times."""

    token: int
    name: str
    scopes: frozenset[TokenScope]
    created_at: float
    expires_at: float | None
    used_at: float | None

    def allows(self, scope: TokenScope) -> bool:
        return scope in self.scopes


def new_secret() -> str:
    """Return a new token: its form says what it is, and its last characters are a checksum."""
    random = "".join(secrets.choice(_DIGITS) for _ in range(_RANDOM))
    return f"{PREFIX}{random}{_checksum(random)}"


def is_well_formed(secret: str) -> bool:
    """Return whether a text has a token's form and a right checksum."""
    if not _FORM.fullmatch(secret):
        return False
    return _checksum(secret[len(PREFIX) : -_CHECK]) == secret[-_CHECK:]


def hashed(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def scopes_of(names: Iterable[str]) -> frozenset[TokenScope]:
    """Return scopes by their names; each but `read` includes reading. Raises InvalidSpaceError."""
    found = set()
    for name in names:
        try:
            found.add(TokenScope(name))
        except ValueError:
            raise InvalidSpaceError(
                f"scope is {name[:40]!r}, expected one of: {', '.join(TokenScope)}"
            ) from None
    if not found:
        raise InvalidSpaceError(f"a token needs a scope, one of: {', '.join(TokenScope)}")
    return frozenset({*found, TokenScope.READ})


def add(
    database: QueueDatabase, name: str, scopes: frozenset[TokenScope], days: float | None = None
) -> tuple[Token, str]:
    """Make a token; return it and its secret, which is kept nowhere.

    Raises InvalidSpaceError for a name or a time that cannot be, UsageError for a name taken.
    """
    if not _NAME.fullmatch(name):
        raise InvalidSpaceError(
            f"{name[:40]!r} cannot name a token: use letters, digits, blanks and . _ @ -, "
            "64 at most"
        )
    if days is not None and not 0 < days <= 36_500:
        raise InvalidSpaceError(f"days is {days:g}, expected more than 0 and at most 36500")
    secret, now = new_secret(), time.time()
    expires = None if days is None else now + days * 86_400
    with database.changing() as db:
        if db.execute("SELECT 1 FROM token WHERE name = ?", (name,)).fetchone():
            raise UsageError(f"there is a token {name!r} already; remove it first")
        db.execute(
            "INSERT INTO token (name, sha256, scopes, created_at, expires_at)"
            " VALUES (?, ?, ?, ?, ?)",
            (name, hashed(secret), " ".join(sorted(scopes)), now, expires),
        )
        token = by_name(database, name)
    return token, secret


def by_name(database: QueueDatabase, name: str) -> Token:
    """Return a token. Raises NotFoundError."""
    row = database.row("SELECT * FROM token WHERE name = ?", name)
    if row is None:
        names = ", ".join(token.name for token in tokens(database)) or "none"
        raise NotFoundError(f"there is no token {name[:64]!r}; there are: {names}")
    return token_of(row)


def tokens(database: QueueDatabase) -> list[Token]:
    """Return all tokens, the oldest first."""
    return [token_of(row) for row in database.rows("SELECT * FROM token ORDER BY token")]


def remove(database: QueueDatabase, name: str) -> None:
    """Remove a token and its sessions. Raises NotFoundError."""
    token = by_name(database, name)
    with database.changing() as db:
        db.execute("DELETE FROM session WHERE token = ?", (token.token,))
        db.execute("DELETE FROM token WHERE token = ?", (token.token,))


def presented(database: QueueDatabase, secret: str) -> Token | None:
    """Return the token that a secret is of; None if it is none, or has expired."""
    if not is_well_formed(secret):
        return None
    row = database.row("SELECT * FROM token WHERE sha256 = ?", hashed(secret))
    return None if row is None else used(database, token_of(row))


def used(database: QueueDatabase, token: Token) -> Token | None:
    """Enter a token's use; None if it has expired."""
    now = time.time()
    if token.expires_at is not None and token.expires_at <= now:
        return None
    if token.used_at is None or now - token.used_at > _NOTED_SECONDS:
        with database.changing() as db:
            db.execute("UPDATE token SET used_at = ? WHERE token = ?", (now, token.token))
    return token


def token_of(row: sqlite3.Row) -> Token:
    """Return the token that a row of table `token` holds."""
    values = {field.name: row[field.name] for field in fields(Token)}
    scopes = frozenset(TokenScope(name) for name in values["scopes"].split())
    return Token(**values | {"scopes": scopes})


def _checksum(random: str) -> str:
    value, text = zlib.crc32(random.encode()), ""
    while value:
        value, digit = divmod(value, len(_DIGITS))
        text = _DIGITS[digit] + text
    return text.rjust(_CHECK, "0")
