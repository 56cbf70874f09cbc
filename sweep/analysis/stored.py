"""A stored sweep as it is asked for from outside: its frames, its trials by number or by name."""

from typing import TYPE_CHECKING

from sweep.errors import UsageError
from sweep.records import state_now
from sweep.store import Store
from sweep.sweep_folder import SweepFolder
from sweep.words import shortened

if TYPE_CHECKING:
    from sweep.analysis.frames.load import SweepFrames

_MOST_DIGITS = 18
"""Of a trial's number: more would not fit into the database."""
_MOST_SHOWN = 80


def load_frames(folder: SweepFolder, address: str | None = None) -> "SweepFrames":
    """Return a sweep as it is now; one whose process has died is interrupted.

    `address` is what the commands that are said name it by; by default what works here.
    Raises DataError if its database is damaged.
    """
    from sweep.analysis.frames.load import load

    was_held = folder.holder() is not None
    with Store(folder.database, read_only=True) as store:
        stored = store.sweep().state
        # a process may have begun or ended meanwhile: only one that was never there has died
        is_held = was_held or folder.holder() is not None
        state = stored if is_held else state_now(stored, is_held=False)
        return load(store, state, folder.name, address or folder.address)


def baseline_names(store: Store) -> dict[str, int]:
    """Return the number of each baseline by its name."""
    columns, rows = store.table("trial")
    name, trial = columns.index("baseline"), columns.index("trial")
    return {row[name]: row[trial] for row in rows if row[name] is not None}


def trial_called(store: Store, text: str) -> int:
    """Return the number of a trial, given as a number or as a baseline's name.

    Whether a trial of that number exists is not looked up. Raises UsageError naming the baselines.
    """
    if text.isdecimal() and len(text) <= _MOST_DIGITS:
        return int(text)
    names = baseline_names(store)
    if text in names:
        return names[text]
    baselines = f", or a baseline: {', '.join(names)}" if names else ""
    raise UsageError(
        f"{shortened(text, _MOST_SHOWN)!r} is no trial; expected a number from the report's column "
        f"trial{baselines}"
    )
