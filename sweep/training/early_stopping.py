"""Early stopping as a pure step, so that its state can be kept and continued.

The rule is that of `keras.callbacks.EarlyStopping`. On the validation score with `min_delta=0`: an
epoch improves when its value is strictly below the best so far; after `patience` epochs without
improvement training ends. A script's own rule may watch another measure; the best epoch, whose
weights are kept, is that of the score all the same.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sweep.records import EpochRecord
from sweep.settings import StopRule

Patience = int | StopRule | None
"""Epochs without a better score, a rule of the script's own, or None if nothing stops early."""
_OF_RECORD = {
    "loss": "fit_loss",
    "val_loss": "val_loss",
    "val_accuracy": "val_accuracy",
    "val_auc": "val_auc",
}
"""What is measured of every epoch whatever the model's metrics, by its name in Keras' logs."""


@dataclass(frozen=True)
class Watch:
    """The state of a script's own rule after some epochs."""

    rule: StopRule
    best: float | None = None
    """The best value that was watched; None before the first."""
    wait: int = 0
    stopped: bool = False

    def after(self, epoch: int, value: float) -> "Watch":
        """Return the state once `epoch`, the first of which is 1, has ended with `value`.

        As in `keras.callbacks.EarlyStopping.on_epoch_end`, which counts epochs from 0.
        """
        rule = self.rule
        if epoch - 1 < rule.start_from_epoch:
            return self
        wait = self.wait + 1
        if self._improves(value, self.best):
            reached = rule.baseline is None or self._improves(value, rule.baseline)
            return replace(self, best=value, wait=0 if reached else wait)
        return replace(self, wait=wait, stopped=wait >= rule.patience and epoch > 1)

    def _improves(self, value: float, than: float | None) -> bool:
        if than is None:
            return True
        # Keras compares in single precision
        if self.rule.is_higher_better:
            return bool(np.float32(value - self.rule.min_delta) > np.float32(than))
        return bool(np.float32(value + self.rule.min_delta) < np.float32(than))


@dataclass(frozen=True)
class EarlyStopping:
    """The state of early stopping after some epochs. `patience` is None if nothing stops early."""

    patience: int | None
    best: float = math.inf
    best_epoch: int = 0
    """The epoch with the lowest value so far, 0 before the first."""
    wait: int = 0
    """Number of epochs since the best one."""
    watch: Watch | None = None
    """Of a script's own rule; then there is no `patience`."""

    @classmethod
    def of(cls, patience: Patience) -> "EarlyStopping":
        """Return the state before the first epoch."""
        if isinstance(patience, StopRule):
            return cls(None, watch=Watch(patience))
        return cls(patience)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "EarlyStopping":
        """Return the state that `asdict` made. Raises TypeError or KeyError if it is none."""
        watch = values.get("watch")
        if watch is None:
            return cls(**values)
        made = Watch(**{**watch, "rule": StopRule(**watch["rule"])})
        return cls(**{**values, "watch": made})

    def after(self, epoch: int, value: float) -> "EarlyStopping":
        """Return the state once `epoch` has ended with `value`."""
        if value < self.best:
            return replace(self, best=value, best_epoch=epoch, wait=0)
        return replace(self, wait=self.wait + 1)

    def watched(self, record: EpochRecord) -> "EarlyStopping":
        """Return the state once a script's own rule, if there is one, has seen the epoch."""
        if self.watch is None:
            return self
        value = watched_value(self.watch.rule.monitor, record)
        return replace(self, watch=self.watch.after(record.epoch, value))

    @property
    def stopped(self) -> bool:
        """Whether training has ended for good."""
        if self.watch is not None:
            return self.watch.stopped
        return self.patience is not None and self.wait >= self.patience


def watched_value(monitor: str, record: EpochRecord) -> float:
    """Return what an epoch's record says under a name of Keras' logs. Raises KeyError."""
    metric = record.metrics.get(monitor.removeprefix("val_"))
    if metric is not None and monitor.startswith("val_"):
        return metric
    return float(getattr(record, _OF_RECORD[monitor]))
