"""Whether any model of a space can be fused, told by those that are built to see the space whole.

They are built anyway, with every value of each switch among them. If none of them is carried, no
model is read for the fused trainer: reading one costs as much as two epochs of few rows.
"""

from collections import Counter
from dataclasses import dataclass, field

from sweep.tasks.task import Task
from sweep.training.fused.reading.kept import why_not
from sweep.training.model import Model


@dataclass
class SeenModels:
    """Called with each model that is built: counts why models are left to Keras."""

    task: Task
    refusals: Counter[str | None] = field(default_factory=Counter)
    """How many models were refused, by reason, until one was carried."""
    carried: bool = False

    def __call__(self, model: Model) -> None:
        if self.carried:
            return
        reason = why_not(model, self.task)
        if reason is None:
            self.carried = True
        else:
            self.refusals[reason] += 1

    @property
    def none_is_carried(self) -> bool:
        """Whether models were looked at, and all were refused."""
        return bool(self.refusals) and not self.carried
