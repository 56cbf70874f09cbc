"""Times and numbers as pages show them."""

import time
from datetime import UTC, datetime

from markupsafe import Markup, escape

from sweep import words
from sweep.serve.work.looks import Seen


def at(when: float | datetime | None) -> Markup:
    """Return an instant as a `time` element, in UTC; a dash for none."""
    if when is None:
        return Markup(words.MISSING)
    found = when if isinstance(when, datetime) else datetime.fromtimestamp(when, UTC)
    exact = found.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Markup('<time datetime="{}">{}</time>').format(exact, found.strftime("%Y-%m-%d %H:%M"))


def ago(when: float | datetime | None) -> str:
    """Return how long ago an instant is: 3 min ago."""
    if when is None:
        return words.MISSING
    stamp = when.timestamp() if isinstance(when, datetime) else when
    return f"{words.duration(max(0.0, time.time() - stamp))} ago"


def eta(when: float | datetime | None) -> Markup:
    """Return when something begins or ends: in 12 min, or unknown."""
    if when is None:
        return Markup("unknown")
    stamp = when.timestamp() if isinstance(when, datetime) else when
    left = stamp - time.time()
    return escape("now" if left <= 1 else f"in {words.duration(left)}")


def best_of(seen: Seen) -> str:
    """Return a sweep's best score with its error, in the sweep's own words."""
    found = seen.look
    if found is None or found.progress.best_score is None:
        return words.MISSING
    shown, error = found.sweep.score_words, seen.best_se
    if error is None:
        text = shown.score(found.progress.best_score)
    else:
        text = shown.with_error(found.progress.best_score, error, shown.decimals(error))
    return f"{shown.val} {text} (trial {found.progress.best_trial})"


def size(n_bytes: int) -> str:
    """Return a number of bytes: 3.4 GB."""
    return words.size(n_bytes)
