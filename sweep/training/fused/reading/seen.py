"""What of a space can be fused, told by the models that are built to see the space whole.

They are built anyway, with every value of each switch among them, and some at random. Reading a
model for the fused trainer alone costs as much as two epochs of few rows.
"""

from collections import Counter
from dataclasses import dataclass, field

from sweep.tasks.task import Task
from sweep.training.fused.description import Description
from sweep.training.fused.layers.refusal import NotCarriedError
from sweep.training.fused.reading.kept import description_of
from sweep.training.model import Model

_MOST = 24
"""Models that are described; those after them are taken to be like them."""
_EVERY = 3
"""Once one could be described, so many-th models are looked at: 10 ms each if they are deep."""


@dataclass
class SeenModels:
    """Called with each model that is built: describes it, or notes why it is left to Keras."""

    task: Task
    described: list[Description] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    """How many models are left to Keras, by reason."""
    _built: int = 0

    def __call__(self, model: Model) -> None:
        self._built += 1
        if len(self.described) >= _MOST or (self.described and self._built % _EVERY):
            return
        try:
            self.described.append(description_of(model, self.task))
        except NotCarriedError as error:
            self.refusals[str(error)] += 1

    @property
    def looked_at(self) -> int:
        """Models that were described or refused."""
        return len(self.described) + self.refusals.total()
