"""What each column of a sweep's tables may hold: the type, the range, and whether it may be NULL.

SQLite would keep anything in any column, so a database that was damaged or forged is found out
here, by whoever reads it. A name means the same in every table that has it.
"""

import sqlite3
from dataclasses import dataclass
from typing import Any

from sweep import exact
from sweep.errors import DataError
from sweep.exact import Exactly
from sweep.records import AssignmentStatus

COLUMNS: dict[str, Exactly] = {
    **dict.fromkeys(("trial", "assignment", "opening", "wave", "rung"), exact.NUMBER),
    **dict.fromkeys(("event", "process", "worker"), exact.COUNT),
    **dict.fromkeys(("iteration", "bracket", "confirms", "seed_number"), exact.NUMBER),
    **dict.fromkeys(("first_epoch", "last_epoch", "epochs", "epoch"), exact.EPOCH),
    "seed": exact.INTEGER,
    "params": exact.PARAMS,
    "rows": exact.COUNT,
    **dict.fromkeys(("score", "val_score", "train_score", "fit_score"), exact.REAL),
    **dict.fromkeys(("fit_loss", "val_loss", "learning_rate", "val_score_se"), exact.REAL),
    **dict.fromkeys(("score_low", "score_high"), exact.REAL),
    **dict.fromkeys(("val_accuracy", "val_auc", "accuracy", "auc"), exact.SHARE),
    **dict.fromkeys(("accuracy_low", "accuracy_high", "auc_low", "auc_high"), exact.SHARE),
    **dict.fromkeys(("seconds", "active_seconds"), exact.SECONDS),
    **dict.fromkeys(("created_at", "ended_at", "opened_at", "at"), exact.INSTANT),
    **dict.fromkeys(("joined_at", "left_at"), exact.INSTANT),
    **dict.fromkeys(("name", "identity", "message", "state", "status", "file"), exact.TEXT),
    **dict.fromkeys(("kind", "host", "device", "why", "probe"), exact.TEXT),
    **dict.fromkeys(("baseline", "oracle_id", "root_id", "trainer", "hyperparameters"), exact.TEXT),
    **dict.fromkeys(("error", "traceback", "rule", "sha256", "metrics", "measures"), exact.TEXT),
    **dict.fromkeys(("regularisation", "scoring"), exact.TEXT),
    **dict.fromkeys(("losses", "scores"), Exactly(bytes)),
}

_NEVER_NULL = frozenset(
    ("trial", "assignment", "opening", "wave", "rung", "first_epoch", "last_epoch", "epoch",
     "seed", "rows", "created_at", "active_seconds", "opened_at", "name", "identity", "state",
     "status", "hyperparameters", "rule", "sha256", "losses", "scores", "host", "process", "device",
     "joined_at")
)  # fmt: skip

_STATUSES = ", ".join(f"'{status}'" for status in AssignmentStatus)


def checked(row: sqlite3.Row) -> dict[str, Any]:
    """Return the row's values by column. Raises DataError for one that the column may not hold."""
    return {name: checked_value(name, row[name]) for name in row.keys()}  # noqa: SIM118


def checked_value(column: str, value: Any) -> Any:
    """Return the value of a column. Raises DataError if the column may not hold it.

    A column that is in no table, as a count in a query, may hold anything.
    """
    expected = COLUMNS.get(column)
    if expected is None or (value is None and column not in _NEVER_NULL):
        return value
    try:
        return AssignmentStatus(value) if column == "status" else expected.check(value)
    except ValueError as error:
        raise DataError(f"the sweep is damaged: column {column}: {error}") from error


@dataclass(frozen=True)
class _Rule:
    """A condition in SQL that holds for every damaged row, and what is damaged then."""

    condition: str
    problem: str


def damage(db: sqlite3.Connection, table: str, types: dict[str, str]) -> str | None:
    """Return what is wrong with the values of a table, over all its rows; None if nothing is.

    `types` says of each column what SQLite's `typeof` may say. Faster than `checked` for each row.
    """
    for rule in [*(_of_column(*one) for one in types.items()), *_BETWEEN_ROWS.get(table, ())]:
        if db.execute(f"SELECT 1 FROM {table} WHERE {rule.condition} LIMIT 1").fetchone():
            return f"table {table} holds {rule.problem}"
    return None


def _of_column(column: str, types: str) -> _Rule:
    conditions = [f"typeof({column}) NOT IN ({types})"]
    expected = COLUMNS[column]
    if column == "status":
        conditions.append(f"status NOT IN ({_STATUSES})")
    if expected.kind is int:
        conditions.append(f"{column} NOT BETWEEN {expected.low} AND {expected.high}")
    if expected.kind is float:
        outside = f"{column} NOT BETWEEN {expected.low!r} AND {expected.high!r}"
        allowed = f"abs({column}) < 9e999" if expected.infinite else "1"
        conditions.append(f"({outside} AND {allowed})")
    return _Rule(" OR ".join(conditions), f"values of a wrong type or size in column {column}")


_ORPHAN = _Rule("trial NOT IN (SELECT trial FROM trial)", "rows of a trial that there is not")
_BETWEEN_ROWS = {
    "assignment": (_ORPHAN, _Rule("last_epoch < first_epoch", "an assignment that ends too early")),
    "epoch": (_ORPHAN, _Rule("epoch < 1", "an epoch before the first")),
    "losses": (_ORPHAN,),
    "fold": (_ORPHAN,),
    "training": (_ORPHAN,),
    "trial": (
        _Rule(
            "confirms NOT IN (SELECT trial FROM trial WHERE confirms IS NULL)",
            "a repeat of a trial that there is not",
        ),
        _Rule(
            "(confirms IS NULL) != (seed_number IS NULL)",
            "a repeat that does not say of what or under which seed",
        ),
    ),
}
