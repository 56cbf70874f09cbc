"""What a check found."""

from dataclasses import dataclass
from enum import StrEnum

from sweep.errors import DataError, PlatformError


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    """Works, but not as well as it could."""
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """What a check found, in one line: the subject, the finding, and what to do about it."""

    subject: str
    level: Level
    text: str
    remedy: str = ""
    exit_code: int = PlatformError.exit_code
    """Of a failure: 5 for damaged data, 6 for the machine."""


def ok(subject: str, text: str) -> Finding:
    return Finding(subject, Level.OK, text)


def warning(subject: str, text: str, remedy: str) -> Finding:
    return Finding(subject, Level.WARN, text, remedy)


def damaged(subject: str, text: str, remedy: str) -> Finding:
    return Finding(subject, Level.FAIL, text, remedy, DataError.exit_code)


def unfit(subject: str, text: str, remedy: str) -> Finding:
    return Finding(subject, Level.FAIL, text, remedy, PlatformError.exit_code)
