"""What regularises each trial: read from its built model, or told by its hyperparameters' names.

A trial of an older version has no reading: there the names of its hyperparameters tell. Batch
normalization is not counted: it is there to train faster, and what it regularises by the way has no
strength to compare.
"""

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from sweep import words
from sweep.analysis.frames.load import SweepFrames
from sweep.records import REGULARISERS

NONE = "none"
UNKNOWN = "unknown"
"""Of a trial whose hyperparameters name no regulariser, some of them by unfamiliar names."""
_FAMILIAR = re.compile(
    r"(?<![a-z0-9])(widths?|units?|depths?|(num_|n_)?layers?|neurons|hidden|nodes|sizes?|filters"
    r"|kernel_size|blocks?|batch_?size|activations?|act|optimi[sz]er|learning_?rate|lr|decay_(steps|rate)|schedule"
    r"|momentum|beta_?[12]|epsilon|epochs|residual|skip|bias|init\w*)(?![a-z])",
    re.IGNORECASE,
)
"""Names of what is no regulariser."""
_WORDS = re.compile(
    r"(^|[^a-z0-9])(l1|l2|l1l2|l1_l2|drop_?(out|connect|path)|penalty|regulari[sz]\w*|weight_?decay"
    r"|wd|noise|label_smoothing|max_?norm)([^a-z0-9]|$|_)",
    re.IGNORECASE,
)
_OFF = frozenset(("", "0", "false", "no", "none", "off"))


_COUNTED = tuple(kind for kind in REGULARISERS if kind not in ("batch normalization", "unseen"))


def kinds_of(frames: SweepFrames) -> "pd.Series[str]":
    """Return what each trial is regularised by: "none", "l2 + dropout", "unknown".

    "unknown" of a model with layers of the user's own that regularise nothing as far as it shows,
    and of one that a script's own `run_trial` trains, if no hyperparameter tells.
    """
    by_name = kinds(frames.hyperparameters)
    if frames.sweep.data.is_unseen:
        by_name = by_name.replace(NONE, UNKNOWN)
    found = [
        name if read is None else _kind(read)
        for name, read in zip(by_name, frames.trials["regularisation"], strict=True)
    ]
    return pd.Series(found, index=frames.trials.index, dtype=object)


def _kind(read: Mapping[str, Mapping[str, float]]) -> str:
    on = [kind for kind in _COUNTED if read.get(kind)]
    return " + ".join(on) or (UNKNOWN if read.get("unseen") else NONE)


def strengths(frames: SweepFrames) -> pd.DataFrame:
    """Return a column for each thing that regularises, rows as in `frames.trials`.

    The greatest strength in the built model by kind, 0 where there is none; if a model was not
    read, the hyperparameters that regularise by their names.
    """
    read = frames.trials["regularisation"]
    if read.isna().any() or not len(read):
        return frames.hyperparameters[regularisers(frames.hyperparameter_names)]
    columns = {
        kind: [max((one.get(kind) or {"": 0.0}).values()) for one in read] for kind in _COUNTED
    }
    return pd.DataFrame(columns, index=frames.trials.index, dtype=object)


def regularisers(names: Sequence[str]) -> list[str]:
    """Return the `names` of hyperparameters that regularise, such as `l2` or `dropout_rate`."""
    return [name for name in names if _WORDS.search(name)]


def kinds(hyperparameters: pd.DataFrame) -> "pd.Series[str]":
    """Return what each trial is regularised by: "none", "l2", "l2 + dropout", "unknown".

    A regulariser is on when its value is neither zero, false, missing nor a word for none. "none"
    is only said where all names are familiar: a hyperparameter called `rate` may be dropout's.
    """
    every = [str(name) for name in hyperparameters.columns]
    names = regularisers(every)
    unfamiliar = [n for n in every if n not in names and not _FAMILIAR.search(n)]
    strange = [False] * len(hyperparameters)
    for name in unfamiliar:  # column by column: pandas takes seconds for very many of them
        strange = [a or is_on(b) for a, b in zip(strange, hyperparameters[name], strict=True)]
    found = [
        _joined([name for name, value in zip(names, row, strict=True) if is_on(value)])
        or (UNKNOWN if is_strange else NONE)
        for row, is_strange in zip(
            hyperparameters[names].itertuples(index=False, name=None), strange, strict=True
        )
    ]
    return pd.Series(found, index=hyperparameters.index, dtype=object)


_NAMED = 8
"""Regularisers of one trial that are named; more are counted."""


def _joined(names: Sequence[str]) -> str:
    shown = [words.cut(name) for name in names[:_NAMED]]
    more = [f"{len(names) - _NAMED:,} more"] if len(names) > _NAMED else []
    return " + ".join([*shown, *more])


def is_on(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() not in _OFF
    return isinstance(value, int | float) and value == value and value != 0
