"""The one truth about a sweep: an SQLite database in the sweep's folder.

Sweep, trials, assignments, epoch records, checkpoints and the oracle's state. One process
writes (the one that holds the lock, see `folder`), any number read. No TensorFlow, no Keras:
reading a sweep must be quick.
"""

from sweep.store.connection import explained
from sweep.store.parsing import hyperparameters_of, metrics_of, regularisation_of
from sweep.store.reading import Reader
from sweep.store.rows import (
    Exportable,
    Folds,
    Losses,
    NewTrial,
    Opening,
    Planned,
    Reached,
    Reference,
    Standing,
    StoredRun,
    SweepProgress,
    SweepRow,
    TrialLosses,
)
from sweep.store.schema import SCHEMA_VERSION
from sweep.store.writing import Store

__all__ = [
    "SCHEMA_VERSION",
    "Exportable",
    "Folds",
    "Losses",
    "NewTrial",
    "Opening",
    "Planned",
    "Reached",
    "Reader",
    "Reference",
    "Standing",
    "Store",
    "StoredRun",
    "SweepProgress",
    "SweepRow",
    "TrialLosses",
    "explained",
    "hyperparameters_of",
    "metrics_of",
    "regularisation_of",
]
