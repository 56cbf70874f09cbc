"""The names that scores had when every score was a BCE: JSON and Parquet keep them beside the new.

A sweep that is ranked by binary cross-entropy has both `val_score` and `val_bce`, the same number.
"""

import re
from typing import Any

from sweep.tasks.scoring import Scoring

_SCORE = re.compile(r"(val|train|fit)_score(?=_|$)")
_USERS_OWN = frozenset(
    ("hyperparameters", "settings", "space", "data", "versions", "metrics", "regularisation")
)
"""Keys of objects whose keys are not ours, or never named a score."""


def older_name(name: str) -> str | None:
    """Return the name that a column or key had when scores were BCE; None if it is no score's."""
    found = _SCORE.sub(r"\1_bce", name)
    return None if found == name else found


def with_older_names(value: Any, scoring: Scoring) -> Any:
    """Return a JSON value in which each score also stands under its older name, if it is a BCE.

    The older names stand last in their object.
    """
    return _doubled(value) if scoring.is_binary_crossentropy else value


def _doubled(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_doubled(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {key: one if key in _USERS_OWN else _doubled(one) for key, one in value.items()}
    older = {older_name(key): one for key, one in found.items()}
    return found | {name: one for name, one in older.items() if name is not None}
