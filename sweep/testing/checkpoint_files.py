"""Trials' states in checkpoint files, as a sweep keeps them."""

from dataclasses import dataclass
from pathlib import Path

from sweep.training.checkpoint import TrialState, read_checkpoint, write_checkpoint


@dataclass(frozen=True)
class CheckpointFiles:
    """A place for the states of a `MemoryJournal`: one file a trial in `folder`."""

    folder: Path

    def path(self, trial: int) -> Path:
        return self.folder / f"{trial}.npz"

    def get(self, trial: int, /) -> TrialState | None:
        try:
            return self[trial]
        except KeyError:
            return None

    def __contains__(self, trial: object, /) -> bool:
        return isinstance(trial, int) and self.path(trial).exists()

    def __getitem__(self, trial: int, /) -> TrialState:
        if trial not in self:
            raise KeyError(trial)
        return read_checkpoint(self.path(trial), self._identity(trial))

    def __setitem__(self, trial: int, state: TrialState, /) -> None:
        write_checkpoint(self.path(trial), self._identity(trial), state)

    def _identity(self, trial: int) -> str:
        return f"test/{trial}"
