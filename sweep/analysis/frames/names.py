"""What a hyperparameter is called beside the report's own columns, if it has the name of one."""

from sweep import words
from sweep.analysis.frames.load import TRIAL_COLUMNS

_PREFIX = "hp."
_SHORTENED = ("onset", "tie")
"""Columns and axes whose names on the screen are not those of the frames."""


def _alike(name: str) -> str:
    """Return what two names have in common that a reader takes for one: `val BCE`, `val_score`."""
    return name.casefold().replace("_", " ").strip()


_TAKEN = {_alike(name) for name in (*TRIAL_COLUMNS, *_SHORTENED, "val_bce", "train_bce")}


def has_a_columns_name(name: str) -> bool:
    """Return whether `name`, or what follows prefixes in it, is a column of the report."""
    while name.startswith(_PREFIX):
        name = name.removeprefix(_PREFIX)
    return _alike(name) in _TAKEN


def shown_name(name: str) -> str:
    """Return `hp.epochs` for the hyperparameter `epochs`, as `epochs` is a column; `width` as is.

    Fit for one line; no two names of one line become the same.
    """
    line = words.plain(name)
    return f"{_PREFIX}{line}" if has_a_columns_name(line) else line
