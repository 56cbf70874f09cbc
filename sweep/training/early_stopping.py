"""Early stopping on the validation score: a pure step, whose state can be kept and continued.

The rule is that of `keras.callbacks.EarlyStopping` with `min_delta=0`: an epoch improves when
its value is strictly below the best so far; after `patience` epochs without improvement
training ends.
"""

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class EarlyStopping:
    """The state of early stopping after some epochs. `patience` is None if nothing stops early."""

    patience: int | None
    best: float = math.inf
    best_epoch: int = 0
    """The epoch with the lowest value so far, 0 before the first."""
    wait: int = 0
    """Number of epochs since the best one."""

    def after(self, epoch: int, value: float) -> "EarlyStopping":
        """Return the state once `epoch` has ended with `value`."""
        if value < self.best:
            return replace(self, best=value, best_epoch=epoch, wait=0)
        return replace(self, wait=self.wait + 1)

    @property
    def stopped(self) -> bool:
        """Whether training has ended for good."""
        return self.patience is not None and self.wait >= self.patience
