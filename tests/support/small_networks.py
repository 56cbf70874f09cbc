"""Small networks of the capacity space, trained on a small split."""

from collections.abc import Callable, Sequence
from typing import Any

from search_spaces import capacity
from sweep.records import Assignment
from sweep.testing import MemoryJournal, small_split, train_all
from sweep.training.fused.trainer import FusedTrainer
from tests.support.fused import BATCH, never

SPLIT = small_split()
SMALL = {"width": 16, "depth": 2, "l2": 1e-3, "dropout": 0.3, "decay_steps": 500}
PLAIN = {**SMALL, "dropout": 0.0}


def trained(
    work: Sequence[Assignment],
    journal: MemoryJournal | None = None,
    build: Callable[[Any], Any] = capacity.build,
    patience: int | None = None,
    stop: Callable[[], bool] = never,
    kind: Any = FusedTrainer,
) -> MemoryJournal:
    """The journal after all of `work` was trained."""
    journal = MemoryJournal() if journal is None else journal
    train_all(kind(build, SPLIT, BATCH, patience), work, journal, stop)
    return journal
