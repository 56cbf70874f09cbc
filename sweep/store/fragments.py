"""Pieces of SQL that several queries share: one wording of each condition."""

from sweep.records import AssignmentStatus

IS_PENDING = f"status = '{AssignmentStatus.PENDING}'"
HAS_ENDED = f"status != '{AssignmentStatus.PENDING}'"
IS_FAILED = f"status = '{AssignmentStatus.FAILED}'"
IS_STOPPED = f"status = '{AssignmentStatus.STOPPED}'"

REPEATS = "(SELECT trial FROM trial WHERE confirms IS NOT NULL)"
"""Trials that repeat others under another seed: they are in no ranking."""

IN_RANKING = (
    f"trial NOT IN (SELECT trial FROM assignment WHERE {IS_FAILED}) AND trial NOT IN {REPEATS}"
)
"""Trials of the search and baselines that have not failed."""

BEST = "MIN(val_score)"
"""A trial's score, over its rows of table `epoch`: NULL, as SQLite keeps NaN, does not count."""
