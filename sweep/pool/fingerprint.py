"""The fingerprint of what a worker computed: equal if every bit is."""

import hashlib
from collections.abc import Sequence
from dataclasses import astuple, replace

from sweep.records import EpochRecord
from sweep.training.checkpoint import TrialState


def fingerprint_of(state: TrialState, records: Sequence[EpochRecord]) -> str:
    """Return the SHA-256 over a trial's state and measures; the seconds do not count."""
    digest = hashlib.sha256()
    losses = () if state.val_losses is None else (state.val_losses,)
    for group in (state.model, state.optimizer, state.best, losses):
        digest.update(f"{len(group)}\n".encode())
        for array in group:
            digest.update(f"{array.dtype.str} {array.shape}\n".encode())
            digest.update(array.tobytes())
    measured = [astuple(replace(record, seconds=0.0)) for record in records]
    digest.update(repr((state.epoch, state.early_stopping, measured)).encode())
    return digest.hexdigest()
