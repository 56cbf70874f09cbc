"""How a training step moves the weights: their penalties, clipping, and the optimizer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sweep.training.fused.program.arrays import Trials
from sweep.training.fused.program.optimizers import Weight, clipped, updated
from sweep.training.fused.program.penalties import penalised
from sweep.training.fused.program.shape import Shape
from sweep.training.tensors import Tensor


class Weights(NamedTuple):
    """All arrays of weights with their two slots, in the order of `Shape.roles`: each (slots, …).

    Behind the weights, `values` holds the moving averages of normalisation.
    """

    values: list[Tensor]
    firsts: list[Tensor]
    seconds: list[Tensor]

    def at(self, position: int) -> Weight:
        """Return the weight at `position`, with its slots."""
        return Weight(self.values[position], self.firsts[position], self.seconds[position])

    def replaced(self, new: dict[int, Weight]) -> "Weights":
        """Return these weights with those of `new` at their positions."""
        values, firsts, seconds = (list(part) for part in self)
        for position, weight in new.items():
            values[position] = weight.value
            firsts[position] = weight.first
            seconds[position] = weight.second
        return Weights(values, firsts, seconds)


@dataclass(frozen=True)
class Descent:
    """A step of every trial's optimizer: with what rates it moves which trials' weights."""

    shape: Shape
    trials: Trials
    rates: Tensor  # (2 or more, slots): step size, learning rate, Nadam's two more

    def moved(
        self,
        roles: Sequence[tuple[str, Any]],
        weights: Sequence[Weight],
        gradients: Sequence[Tensor],
    ) -> list[Weight]:
        """Return the weights after the step, from the gradients of the loss without penalty.

        `roles` are kind and layer of each weight; a layer may be a tensor. Under global_clipnorm
        one call must be given all of a trial's weights, as the norm is that of all gradients.
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
