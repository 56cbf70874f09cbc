"""Which hyperparameters regularise, and which of them a trial has switched on."""

import re
from collections.abc import Sequence

import pandas as pd

from sweep import words

NONE = "none"
_WORDS = re.compile(
    r"(^|[^a-z0-9])(l1|l2|l1l2|l1_l2|drop_?(out|connect|path)|penalty|regulari[sz]\w*|weight_?decay"
    r"|wd|noise|label_smoothing|max_?norm)([^a-z0-9]|$|_)",
    re.IGNORECASE,
)
_OFF = frozenset(("", "0", "false", "no", "none", "off"))


def regularisers(names: Sequence[str]) -> list[str]:
    """Return the `names` of hyperparameters that regularise, such as `l2` or `dropout_rate`."""
    return [name for name in names if _WORDS.search(name)]


def kinds(hyperparameters: pd.DataFrame) -> "pd.Series[str]":
    """Return what each trial is regularised by: "none", "l2", "l2 + dropout".

    A regulariser is on when its value is neither zero, false, missing nor a word for none.
    """
    names = regularisers([str(name) for name in hyperparameters.columns])
    found = [
        " + ".join(
            words.plain(name) for name, value in zip(names, row, strict=True) if is_on(value)
        )
        for row in hyperparameters[names].itertuples(index=False, name=None)
    ]
    return pd.Series([kind or NONE for kind in found], index=hyperparameters.index, dtype=object)


def is_on(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() not in _OFF
    return isinstance(value, int | float) and value == value and value != 0
