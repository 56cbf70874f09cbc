"""Counts over a whole sweep, in a few milliseconds however many trials it has."""

import sqlite3
from typing import Any

from sweep.errors import DataError
from sweep.exact import COUNT
from sweep.store.columns import checked_value
from sweep.store.fragments import HAS_ENDED, IN_RANKING, IS_FAILED, REPEATS
from sweep.store.rows import SweepProgress

_ASSIGNMENTS = f"""
SELECT
    SUM(own) AS assignments,
    SUM(own * done) AS assignments_done,
    SUM(own * done * spared) AS epochs_left_out,
    SUM(1 - own) AS confirmations,
    SUM((1 - own) * done) AS confirmations_done,
    SUM((1 - own) * done * spared) AS confirmation_epochs_left_out
FROM (
    SELECT
        {HAS_ENDED} AS done,
        last_epoch - first_epoch - epochs AS spared,
        confirms IS NULL AS own
    FROM assignment JOIN trial USING (trial)
)
"""
_BEST = (
    f"SELECT trial, score FROM assignment WHERE score IS NOT NULL AND {IN_RANKING}"
    " ORDER BY score, trial LIMIT 1"
)


def read_progress(db: sqlite3.Connection) -> SweepProgress:
    """Return the counts for a status line. Raises DataError for what cannot be counted."""
    sums = dict(db.execute(_ASSIGNMENTS).fetchone())
    counts = {name: _count(name, value) for name, value in sums.items()}
    of_repeats = _one(db, f"SELECT COUNT(*) FROM epoch WHERE trial IN {REPEATS}")
    best = db.execute(_BEST).fetchone()
    return SweepProgress(
        **counts,
        epochs_done=_one(db, "SELECT COUNT(*) FROM epoch") - of_repeats,
        trials=count_trials(db),
        trials_failed=count_failures(db),
        best_score=None if best is None else checked_value("score", best["score"]),
        best_trial=None if best is None else checked_value("trial", best["trial"]),
        confirmation_epochs=of_repeats,
    )


def count_trials(db: sqlite3.Connection) -> int:
    """Return how many trials of the search and baselines there are."""
    return _one(db, "SELECT COUNT(*) FROM trial WHERE confirms IS NULL")


def count_failures(db: sqlite3.Connection) -> int:
    """Return how many trials of the search and baselines failed."""
    return _one(db, f"SELECT COUNT(*) FROM assignment WHERE {IS_FAILED} AND trial NOT IN {REPEATS}")


def _one(db: sqlite3.Connection, query: str) -> int:
    (count,) = db.execute(query).fetchone()
    return int(count)


def _count(name: str, value: Any) -> int:
    """Return a count or a sum; SQL gives NULL for the sum over no rows."""
    try:
        return 0 if value is None else int(COUNT.check(value))
    except ValueError as error:
        raise DataError(f"the sweep is damaged: number of {name}: {error}") from error
