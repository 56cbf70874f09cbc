"""How a training step moves the weights: their penalties, clipping, and the optimizer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sweep.training.fused.program.arrays import Tensor, Trials
from sweep.training.fused.program.optimizers import Weight, clipped, updated
from sweep.training.fused.program.penalties import penalised
from sweep.training.fused.program.shape import Shape


class Weights(NamedTuple):
    """The arrays of weights with their slots, as `Shape.roles` names them: each (slots, …).

    Behind them, `values` holds the moving averages of normalisation.
    """

    values: list[Tensor]
    firsts: list[Tensor]
    seconds: list[Tensor]

    def at(self, position: int) -> Weight:
        """One of the arrays with its slots."""
        return Weight(self.values[position], self.firsts[position], self.seconds[position])

    def replaced(self, new: dict[int, Weight]) -> "Weights":
        """With other arrays at some positions."""
        values, firsts, seconds = (list(part) for part in self)
        for position, weight in new.items():
            values[position] = weight.value
            firsts[position] = weight.first
            seconds[position] = weight.second
        return Weights(values, firsts, seconds)


@dataclass(frozen=True)
class Descent:
    """One step of every trial's optimizer."""

    shape: Shape
    trials: Trials
    rates: Tensor  # (2, slots): step size and learning rate

    def moved(
        self,
        roles: Sequence[tuple[str, Any]],
        weights: Sequence[Weight],
        gradients: Sequence[Tensor],
    ) -> list[Weight]:
        """Weights of these kinds and layers after the step, from their gradients without penalty.

        A layer may be a tensor. When clipping is by the norm of all, these must be all.
        """
        whole = [
            penalised(self.shape, *role, gradient, weight.value, self.trials)
            for role, weight, gradient in zip(roles, weights, gradients, strict=True)
        ]
        numbers = self.trials.numbers
        return [
            updated(self.shape.optimizer, weight, gradient, self.rates, numbers)
            for weight, gradient in zip(
                weights, clipped(self.shape.clip, whole, numbers[:, 4]), strict=True
            )
        ]
