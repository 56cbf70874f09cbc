"""What hyperparameters are called beside the report's own columns; names of models' own metrics."""

from sweep import words
from sweep.analysis.frames.load import TRIAL_COLUMNS, SweepFrames
from sweep.tasks.losses import Loss, LossName
from sweep.tasks.objectives import ObjectiveName
from sweep.tasks.score_words import ScoreWords
from sweep.tasks.scoring import Scoring

_PREFIX = "hp."
_SHORTENED = ("onset", "tie", "root")
"""Columns and axes whose names on the screen are not those of the frames."""


def _alike(name: str) -> str:
    """Return what two names have in common that a reader takes for one: `val BCE`, `val_score`."""
    return name.casefold().replace("_", " ").strip()


_SCORED = (
    *(ScoreWords(Scoring(Loss(name))) for name in LossName if name is not LossName.OWN),
    *(ScoreWords(Scoring(objective=name)) for name in ObjectiveName if name != "metric"),
)
_TAKEN = {_alike(name) for name in (*TRIAL_COLUMNS, *_SHORTENED)}
_TAKEN |= {_alike(name) for one in _SCORED for name in (one.val, one.train)}


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


def metric_names(frames: SweepFrames) -> list[str]:
    """Return the names of the models' own metrics, in the order in which trials have them."""
    return list(dict.fromkeys(name for one in frames.trials["metrics"] for name in one))
