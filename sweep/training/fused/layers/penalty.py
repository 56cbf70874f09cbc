"""The L1 and L2 penalties on a weight, and how they are read from Keras."""

from dataclasses import dataclass
from typing import Any

from keras import regularizers

from sweep.training.fused.layers.refusal import name_of, require


@dataclass(frozen=True)
class Penalty:
    """The penalty l1·Σ|w| + l2·Σw² on a variable's weights w."""

    l1: float = 0.0
    l2: float = 0.0

    def __bool__(self) -> bool:
        """Return whether the penalty is not always 0."""
        return bool(self.l1 or self.l2)


NO_PENALTY = Penalty()


def read_penalty(regularizer: Any) -> Penalty:
    """Return what a Keras regularizer, or None, adds to the loss. Raises NotCarriedError."""
    if regularizer is None:
        return NO_PENALTY
    known = type(regularizer) in (regularizers.L1, regularizers.L2, regularizers.L1L2)
    require(known, f"regularizer {name_of(regularizer)}")
    l1, l2 = getattr(regularizer, "l1", 0.0), getattr(regularizer, "l2", 0.0)
    return Penalty(l1=float(l1), l2=float(l2))
